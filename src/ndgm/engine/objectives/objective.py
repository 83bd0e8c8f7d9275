"""What is minimised, batched over an ensemble of runs, and what is averaged along the way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor


class Average(Enum):
    """What an average over steps is taken of."""

    PER_RUN = "a number of each run"
    PER_WEIGHT = "a number of each weight of each run; what is reported is the sum over weights"


@dataclass(frozen=True)
class Averages:
    """Running sums over steps of what an objective averages.

    Sums of a quantity that is itself a sum over weights are kept by weight, because a reduction at every step costs
    more than the step.

    Attributes:
        per_run: Sums by name, shape (runs,).
        per_weight: Sums by name, shape (runs, d), in memory as the iterates.
    """

    per_run: dict[str, Tensor]
    per_weight: dict[str, Tensor]

    @classmethod
    def zeros(cls, averaged: Mapping[str, Average], w: Tensor) -> "Averages":
        """Sums of nothing yet, for iterates like `w`, shape (runs, d)."""
        return cls(
            {name: w.new_zeros(len(w)) for name, kind in averaged.items() if kind is Average.PER_RUN},
            {name: torch.zeros_like(w) for name, kind in averaged.items() if kind is Average.PER_WEIGHT},
        )


class Objective:
    """A function of the weights of each run, or the sum of a smooth one and a penalty. Iterates have shape (runs, d).

    Every objective has `value` and `subgradient`. One with a penalty has `smooth_gradient` and `penalty_subgradient`
    too, and `shrink` where the penalty has a simple proximal map. What an objective does not have raises
    `NotImplementedError`, and `descend` refuses a method that asks for it.

    Each method is right whatever was called before. Iterates are left as they are, but for `shrink`. A gradient may lie
    in a buffer of the objective, which a later call overwrites, and which the caller may overwrite too; smooth gradient
    and penalty subgradient lie in different ones.

    Attributes:
        averaged: What is averaged over steps, by name, in the order in which it is reported.
        lowest: Infimum of the objective, a number or one per run, shape (runs,); only where it is known.

    Example:
        >>> import torch
        >>> class Distance(Objective):
        ...     '''‖w‖, whose subgradient is w/‖w‖, and 0 at its kink.'''
        ...
        ...     lowest = 0.0
        ...
        ...     def value(self, w):
        ...         return torch.linalg.vector_norm(w, dim=1)
        ...
        ...     def subgradient(self, w, averages=None):
        ...         return (w / self.value(w).unsqueeze(1)).nan_to_num()
        >>> w = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
        >>> Distance().measure(w, w)
        {'objective': tensor([5., 0.])}
        >>> Distance().subgradient(w)
        tensor([[0.6000, 0.8000],
                [0.0000, 0.0000]])
        >>> Distance().lacks(["subgradient", "shrink", "lowest"])
        ['shrink']
    """

    averaged: Mapping[str, Average] = {}
    lowest: float | Tensor

    def draw(self) -> None:
        """Draw at random what the next gradients are taken on; nothing where they are exact."""

    def value(self, w: Tensor) -> Tensor:
        """The objective f(w), shape (runs,)."""
        raise NotImplementedError

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Subgradient of the objective; adds this iterate's terms to `averages`."""
        raise NotImplementedError

    def value_and_subgradient(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """f(w), shape (runs,), and its subgradient, from one pass where that saves one."""
        return self.value(w), self.subgradient(w)

    def smooth_gradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Gradient of the smooth part; adds this iterate's terms, of the whole objective, to `averages`."""
        raise NotImplementedError

    def penalty_subgradient(self, w: Tensor) -> Tensor:
        """Subgradient of the penalty alone."""
        raise NotImplementedError

    def shrink(self, w: Tensor, amount: Tensor) -> Tensor:
        """Proximal map of amount·penalty, written over `w`.

        Args:
            w: Where it is taken, shape (runs, d).
            amount: Shape (runs, 1), or (runs, d) with one for each weight.
        """
        raise NotImplementedError

    def sharpness(self, w: Tensor) -> Tensor:
        """Largest eigenvalue of the Hessian at `w`, shape (runs,), without what kinks add."""
        raise NotImplementedError

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """Quantities to record, each of shape (runs,); `objective` is one of them. `before` lies one step earlier."""
        return {"objective": self.value(w)}

    def without(self, settled: Tensor) -> tuple[Tensor, "Objective"]:
        """The objective of fewer runs, where leaving out some that are settled saves time; of all, where it does not.

        Args:
            settled: Whether each run is, shape (runs,); at least one is not.

        Returns:
            Numbers of the runs that are left, ascending, all that are not settled among them; and their objective.
        """
        return torch.arange(len(settled), device=settled.device), self

    def means(self, averages: Averages, steps: int) -> dict[str, Tensor]:
        """Averages over `steps` steps from running sums, each of shape (runs,); all names begin with `mean_`."""
        sums = averages.per_run | {name: total.sum(1) for name, total in averages.per_weight.items()}
        return {f"mean_{name}": sums[name] / steps for name in self.averaged}

    def lacks(self, asked: Iterable[str]) -> list[str]:
        """Names out of `asked` of methods and attributes that the objective does not have."""
        return [
            name
            for name in asked
            if name not in vars(self) and getattr(type(self), name, None) is getattr(Objective, name, None)
        ]


class Averaging(Objective):
    """An objective during the steps over which averages run: its gradients add to running sums.

    Args:
        objective: What is asked.
        averages: The sums.
    """

    def __init__(self, objective: Objective, averages: Averages) -> None:
        self.objective = objective
        self.averages = averages
        if not objective.lacks(["lowest"]):
            self.lowest = objective.lowest

    def value(self, w: Tensor) -> Tensor:
        """The objective f(w), shape (runs,)."""
        return self.objective.value(w)

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Subgradient of the whole; what is averaged at `w` is added to the sums."""
        return self.objective.subgradient(w, self.averages)

    def smooth_gradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Gradient of the smooth part; what is averaged at `w` is added to the sums."""
        return self.objective.smooth_gradient(w, self.averages)

    def penalty_subgradient(self, w: Tensor) -> Tensor:
        """Subgradient of the penalty alone."""
        return self.objective.penalty_subgradient(w)

    def shrink(self, w: Tensor, amount: Tensor) -> Tensor:
        """Proximal map of amount·penalty, written over `w`."""
        return self.objective.shrink(w, amount)
