"""Interface of the update rules."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from torch import Tensor

from ndgm.engine.objectives.objective import Objective
from ndgm.engine.schedules import constant

S = TypeVar("S", bound=tuple)


@dataclass(frozen=True)
class Method(Generic[S]):
    """An update rule: `step` asks the objective for what it needs.

    Attributes:
        asks: Names of the methods and attributes of an objective that `step` asks for.
        rests: Whether iterates come to rest at a solution, kinks or not: then there is nothing to average over steps,
            and a run that stands still has converged.
        normalises: Whether it divides by the size of gradients, so that its steps do not grow with them.
        inertial: Whether it goes on where there is no gradient, as with momentum: on a kink, cycles of very different
            length coexist then, and means settle late.
        on_factors: Whether iterates are two factors of each weight, as of a `FactoredNetwork`.
        schedule: Factor on the step size, from the number of steps done and the number of all steps.

    Example:
        >>> import torch
        >>> class Normalised(Method[tuple[()]]):
        ...     '''w ← w − η·g/‖g‖.'''
        ...
        ...     asks = ("subgradient",)
        ...
        ...     def start(self, w):
        ...         return ()
        ...
        ...     def step(self, objective, w, state, step_size):
        ...         g = objective.subgradient(w)
        ...         return w.sub_(step_size * g / torch.linalg.vector_norm(g, dim=1, keepdim=True)), state
        >>> from ndgm.engine.objectives.scalar import ScalarLoss
        >>> w = torch.tensor([[4.0], [-2.0]])
        >>> Normalised().step(ScalarLoss("huber"), w, (), torch.full((2, 1), 0.5))
        (tensor([[ 3.5000],
                [-1.5000]]), ())
    """

    asks: ClassVar[tuple[str, ...]]
    rests: ClassVar[bool] = False
    normalises: ClassVar[bool] = False
    on_factors: ClassVar[bool] = False
    schedule: Callable[[int, int], float] = constant

    @property
    def inertial(self) -> bool:
        """As above; not unless a method says so."""
        return False

    def start(self, w: Tensor) -> S:
        """State before the first step from `w`."""
        raise NotImplementedError

    def step(self, objective: Objective, w: Tensor, state: S, step_size: Tensor) -> tuple[Tensor, S]:
        """Take one step of the whole ensemble.

        Args:
            objective: What is minimised.
            w: Where the gradient is taken, shape (runs, d); may be overwritten.
            state: What the method remembers; may be overwritten.
            step_size: η of each run, shape (runs, 1); left as it is.

        Returns:
            Where the next gradient is taken, and the state then.
        """
        raise NotImplementedError

    def iterate(self, w: Tensor, state: S) -> Tensor:
        """What the method reports as its iterate, shape (runs, d)."""
        return w


Nothing = tuple[()]
"""The state of a method without memory."""


@dataclass(frozen=True)
class Memoryless(Method[Nothing]):
    """A method whose step depends on the iterate alone."""

    def start(self, w: Tensor) -> Nothing:
        """State of a method without memory."""
        return ()
