"""What is followed along runs beside what is minimised."""

from collections.abc import Mapping

from torch import Tensor

from ndgm.engine.objectives.objective import Average, Averages, Objective


class Observer:
    """Follows gradient descent with a constant step: sees every gradient, and measures at recorded steps.

    Attributes:
        averaged: What is averaged over steps, as for an `Objective`.

    Example:
        >>> import torch
        >>> from ndgm.engine.descent import Schedule, descend
        >>> from ndgm.engine.methods import METHODS
        >>> from ndgm.engine.objectives.scalar import ScalarLoss
        >>> class Length(Observer):
        ...     '''How far the last step went.'''
        ...
        ...     def measure(self, w, before):
        ...         return {"length": torch.linalg.vector_norm(w - before, dim=1)}
        >>> start, step_size = torch.tensor([[8.0]]), torch.tensor([[0.5]])
        >>> observed = Observed(ScalarLoss("absolute"), Length())
        >>> descend(observed, METHODS["subgradient_linear"], start, step_size, Schedule.even(2, 2)).measured["length"]
        array([[0.  ],
               [0.5 ],
               [0.25]], dtype=float32)
    """

    averaged: Mapping[str, Average] = {}

    def see(self, w: Tensor, value: Tensor, g: Tensor, averages: Averages | None) -> None:
        """Take note of an iterate, its objective f(w), shape (runs,), and its subgradient.

        Add to `averages`, where there are any, what this observer averages.
        """

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """Quantities to record, each of shape (runs,). `before` lies one step earlier."""
        return {}


class Observed(Objective):
    """An objective with observers beside it.

    Averages the observers' quantities instead of the objective's.

    Args:
        objective: What is minimised.
        *observers: What follows it.
    """

    def __init__(self, objective: Objective, *observers: Observer) -> None:
        self.objective = objective
        self.observers = observers
        self.averaged = {name: kind for observer in observers for name, kind in observer.averaged.items()}
        self._gradient: Tensor | None = None

    def draw(self) -> None:
        """Draw what the next gradients of the objective are taken on."""
        self.objective.draw()

    def value(self, w: Tensor) -> Tensor:
        """The objective f(w), shape (runs,)."""
        return self.objective.value(w)

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Subgradient of the objective, after every observer has seen it."""
        value, g = self.objective.value_and_subgradient(w)
        # Observers may ask for another, into the same buffer.
        self._gradient = g.clone() if self._gradient is None else self._gradient.copy_(g)
        g = self._gradient
        for observer in self.observers:
            observer.see(w, value, g, averages)
        return g

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What the objective and its observers record."""
        measured = self.objective.measure(w, before)
        for observer in self.observers:
            measured |= observer.measure(w, before)
        return measured
