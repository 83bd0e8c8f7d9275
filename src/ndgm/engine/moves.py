"""Training against its start: how far the weights move, which units cross a kink, and how small the gradient gets."""

import torch
from torch import Tensor

from ndgm.engine.curvature.observer import Observer
from ndgm.engine.objectives.objective import Averages
from ndgm.engine.objectives.two_layer import TwoLayerLoss


class Moves(Observer):
    """Distance of the iterates from their start, and the length of their path, along descent with a constant step.

    Args:
        start: First iterates, shape (runs, d).
        step_size: η of each run, shape (runs, 1).

    Example:
        >>> from ndgm.engine.curvature.observer import Observed
        >>> from ndgm.engine.descent import Schedule, descend
        >>> from ndgm.engine.methods import METHODS
        >>> from ndgm.engine.objectives.scalar import ScalarLoss
        >>> start, step_size = torch.tensor([[0.75]]), torch.tensor([[0.5]])
        >>> observed = Observed(ScalarLoss("absolute"), Moves(start, step_size))
        >>> trace = descend(observed, METHODS["subgradient"], start, step_size, Schedule.even(3, 3))
        >>> trace.measured["distance"][:, 0], trace.measured["path"][:, 0]  # 0.75, 0.25, -0.25, 0.25
        (array([0. , 0.5, 1. , 0.5], dtype=float32), array([0. , 0.5, 1. , 1.5], dtype=float32))
    """

    def __init__(self, start: Tensor, step_size: Tensor) -> None:
        self.start = start.clone()
        self.step_size = step_size.squeeze(1)
        self._path = torch.zeros_like(self.step_size)

    def see(self, w: Tensor, value: Tensor, g: Tensor, averages: Averages | None) -> None:
        """Add the length of the step that follows, η‖g‖."""
        self._path.addcmul_(self.step_size, torch.linalg.vector_norm(g, dim=1))

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded: `distance` ‖w − w₀‖, and `path`, the length of all steps so far."""
        return {"distance": torch.linalg.vector_norm(w - self.start, dim=1), "path": self._path.clone()}


class UnitMoves(Observer):
    """What single units of a two-layer network do against their start.

    Args:
        objective: The network's loss.
        start: First iterates, shape (runs, d·m).
    """

    def __init__(self, objective: TwoLayerLoss, start: Tensor) -> None:
        self.objective = objective
        self.start = start.clone()
        self._active = objective.preactivations(start) > 0

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of iterates `w`.

        `flips` is the share of (sample, unit) where just one of w_r·xᵢ is positive, at the start and now;
        `largest_row_move` is the largest distance over units of w_r from its start.
        """
        flipped = (self.objective.preactivations(w) > 0) != self._active
        moved = torch.linalg.vector_norm(self.objective.matrices(w - self.start), dim=1)
        return {"flips": flipped.to(w.dtype).mean((1, 2)), "largest_row_move": moved.amax(1)}


class LeastGradient(Observer):
    """Smallest ‖g‖²/(2L) over all iterates but the last, a bound on how fast a loss L ≥ 0 falls.

    Args:
        like: Numbers of each run, shape (runs, ...), of the type and on the device of the iterates.
    """

    def __init__(self, like: Tensor) -> None:
        self._least = like.new_full((len(like),), torch.nan)

    def see(self, w: Tensor, value: Tensor, g: Tensor, averages: Averages | None) -> None:
        """Take note of this iterate's ratio."""
        ratio = torch.linalg.vector_norm(g, dim=1).square_().div_(2 * value)
        torch.fmin(self._least, ratio, out=self._least)

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded: `least_gradient_ratio`, NaN before the first step."""
        return {"least_gradient_ratio": self._least.clone()}
