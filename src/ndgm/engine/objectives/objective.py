"""What is minimised, batched over an ensemble of runs."""

from torch import Tensor


class Objective:
    """A sum of a smooth part and a penalty, for an ensemble of runs. Iterates have shape (runs, d).

    One without a smooth part gives `subgradient` alone; one without a penalty has no `penalty_subgradient`, and one
    whose penalty has no simple proximal map no `shrink`. A method that asks for what is not there raises
    `NotImplementedError`.

    Attributes:
        averaged: Names of what is averaged over steps.
        lowest: Infimum of the objective, a number or one per run, shape (runs,); only where it is known.
    """

    averaged: tuple[str, ...] = ()
    lowest: float | Tensor

    def draw(self) -> None:
        """Draw at random what the next gradient is taken on; nothing where gradients are exact."""

    def gradient(self, w: Tensor) -> Tensor:
        """Gradient of the smooth part."""
        raise NotImplementedError

    def subgradient(self, w: Tensor) -> Tensor:
        """Subgradient of the whole; that of the smooth part where there is no penalty."""
        return self.gradient(w)

    def penalty_subgradient(self, w: Tensor) -> Tensor:
        """Subgradient of the penalty alone; called right after `gradient(w)`, and leaves its answer whole."""
        raise NotImplementedError

    def shrink(self, w: Tensor, amount: Tensor) -> Tensor:
        """Proximal map of amount·penalty; `amount` has shape (runs, 1), or (runs, d) with one for each weight."""
        raise NotImplementedError

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """Quantities to record, each of shape (runs,); `objective` is one of them. `before` lies one step earlier."""
        raise NotImplementedError

    def accumulate(self, w: Tensor, g: Tensor, sums: dict[str, Tensor]) -> None:
        """Add what is averaged over steps to running sums, one of shape (runs, d) for each name in `averaged`.

        Called with g a subgradient of the whole at w, right after it was taken. Sums stay elementwise, because a
        reduction at every step costs more than the step.
        """

    def means(self, sums: dict[str, Tensor], steps: int) -> dict[str, Tensor]:
        """Averages over `steps` steps from running sums, each of shape (runs,); all names begin with `mean_`."""
        return {f"mean_{name}": total.flatten(1).sum(1) / steps for name, total in sums.items()}
