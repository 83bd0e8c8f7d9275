"""Population losses of ReLU students of a ReLU teacher on Gaussian inputs, in closed form, for an ensemble of runs."""

from math import pi

import torch
from torch import Tensor

from ndgm.engine.objectives.objective import Averages, Objective


class TeacherStudent(Objective):
    """½E(Σrelu(wᵢ·x) − Σrelu(vⱼ·x))² over x ~ N(0, I), from k(w, v) = ‖w‖‖v‖(sin t + (π − t)cos t)/(2π).

    Iterates hold the student's neurons one after the other, shape (runs, n·d). A neuron of length 0, where there is no
    gradient, counts as orthogonal to all others.

    Source: Cho and Saul (2009), Kernel methods for deep learning.

    Args:
        teacher: Its neurons v, shape (k, d).

    Example:
        >>> loss = TeacherStudent(torch.eye(2))
        >>> loss.value(torch.tensor([[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0]]))  # the teacher; another student
        tensor([0.0000, 0.0908])
    """

    def __init__(self, teacher: Tensor) -> None:
        self.teacher = teacher
        self._lengths = torch.linalg.vector_norm(teacher, dim=1)
        self._constant = self._kernel(self._lengths, self._lengths, *self._angles(*[_units(teacher)] * 2)).sum() / 2

    def neurons(self, w: Tensor) -> Tensor:
        """W of each run, shape (runs, n, d), as a view of iterates or gradients."""
        return w.unflatten(1, (-1, self.teacher.shape[1]))

    def value(self, w: Tensor) -> Tensor:
        """Loss of each run, shape (runs,)."""
        count, others = self._others(w)
        lengths, units = torch.linalg.vector_norm(others, dim=2), _units(others)
        kernel = self._kernel(lengths[:, :count], lengths, *self._angles(units[:, :count], units))
        return kernel[..., :count].sum((1, 2)) / 2 - kernel[..., count:].sum((1, 2)) + self._constant

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """½wᵢ + Σ_{j≠i} ∂k(wᵢ, wⱼ)/∂wᵢ − Σⱼ ∂k(wᵢ, vⱼ)/∂wᵢ with ∂k/∂w = (‖v‖ sin t ŵ + (π − t)v)/(2π)."""
        count, others = self._others(w)
        units = _units(others)
        angle, sine = self._angles(units[:, :count], units)
        signed = torch.linalg.vector_norm(others, dim=2)
        signed[:, count:].neg_()
        around = angle.neg_().add_(pi)
        around[..., count:].neg_()
        along = torch.bmm(sine, signed.unsqueeze(2)) * units[:, :count]
        return torch.baddbmm(along, around, others).div_(2 * pi).flatten(1)

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of iterates `w`: loss, and length of the gradient."""
        return {"objective": self.value(w), "gradient_norm": torch.linalg.vector_norm(self.subgradient(w), dim=1)}

    def _others(self, w: Tensor) -> tuple[int, Tensor]:
        """Number n of neurons, and all vectors that they meet, shape (runs, n + k, d): themselves and the teacher's."""
        neurons = self.neurons(w)
        return neurons.shape[1], torch.cat([neurons, self.teacher.expand(len(w), -1, -1)], dim=1)

    @staticmethod
    def _angles(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """Angles between vectors of length 1, and their sines, shape (..., n, m); the arc cosine would lose digits."""
        apart, together = _distances(one, other), _distances(one, -other)
        return 2 * torch.atan2(apart, together), apart * together / 2

    @staticmethod
    def _kernel(one: Tensor, other: Tensor, angle: Tensor, sine: Tensor) -> Tensor:
        """Values k(w, v) from lengths and angles, shape (..., n, m)."""
        bent = sine + (pi - angle) * angle.cos()
        return one.unsqueeze(-1) * other.unsqueeze(-2) * bent / (2 * pi)


def _distances(one: Tensor, other: Tensor) -> Tensor:
    """Distances between rows, shape (..., n, m), from differences, so that small ones keep their digits."""
    return torch.cdist(one, other, compute_mode="donot_use_mm_for_euclid_dist")


def _units(vectors: Tensor) -> Tensor:
    """Vectors over their lengths; 0 where that is 0, which makes all angles to it π/2."""
    return torch.nn.functional.normalize(vectors, dim=-1, eps=torch.finfo(vectors.dtype).tiny)
