"""Where the symmetric minima are: descent and Newton's method in few coordinates, for every k, whole or not.

Source of the families and of fractional dimensions: Arjevani and Field (2021), Analytic study of families of spurious
minima in two-layer ReLU neural networks: a tale of symmetry II.
"""

from collections.abc import Callable, Iterable

import numpy as np
from scipy.optimize import brentq, fsolve

from ndgm.theory.spurious_minima import FLAT, kink_curvature
from ndgm.theory.spurious_minima_families import Array, Symmetric

NEAR = 1e-4
"""Largest entry of the gradient at which descent gives way to Newton's method."""

DESCENT_STEPS = 100_000
"""Steps of descent after which a search is given up."""

REACH = 0.05
"""Longest change of a weight that a Newton step may make: a longer one says that the start was not near."""

PUSH = 1e-2
"""How far a split neuron is pushed along the most negative curvature."""

STRIDE = 2.0
"""Factor from one k to the next as a family is followed to large k."""

FIRST = 20.0, 24.0
"""Two k from which families are followed."""


class NotNearError(ValueError):
    """A Newton step leads further than the neighbourhood in which it can be trusted, or nowhere."""


def _regular_turned(k: float) -> Symmetric:
    return Symmetric(k, (2 / k - 1, 2 / k))


def _all_but_one_turned(k: float) -> Symmetric:
    return Symmetric(k, (2 / k - 1, 2 / k, 0.0), ((2 / k, 1.0),))


def _one_turned(k: float) -> Symmetric:
    return Symmetric(k, (1.0, 0.0, 2 / k), ((2 / k, 2 / k - 1),))


def _split(family: str) -> Callable[[float], Symmetric]:
    """Starts of descent from a family whose odd neuron was split in halves and pushed apart along a kink."""

    def start(k: float) -> Symmetric:
        point = minimum(family, k)
        (d, e), m = point.odd[0], round(point.indices)
        curvature = kink_curvature(point.matrix(), np.eye(round(k)))[-1]
        frame = np.zeros((2, m + 1))
        frame[0, :m], frame[1, m] = m**-0.5, 1
        along, last = PUSH * np.linalg.eigh(frame @ curvature @ frame.T)[1][:, 0] / [m**0.5, 1]
        halves = (d / 2 + along, e / 2 + last), (d / 2 - along, e / 2 - last)
        return Symmetric(k, point.regular, halves)

    return start


FAMILIES: dict[str, Callable[[float], Symmetric]] = {
    "A": _regular_turned,
    "I": _all_but_one_turned,
    "II": _one_turned,
    "I_split": _split("I"),
    "II_split": _split("II"),
}
"""From where descent begins, by family. A: all neurons near −eᵢ + (2/k)Σeⱼ; I: all but one, which is near e_k; II: that
one alone, and all others near eᵢ. A split family has k + 1 neurons, and k must be whole."""


def minimum(family: str, k: float) -> Symmetric:
    """The point of a family at k: a minimum among points of its symmetry, and critical in the full space.

    Raises:
        ValueError: if k is below 5.
        NotNearError: if descent does not come near a critical point.
    """
    return polished(descended(FAMILIES[family](k)))


def descended(point: Symmetric) -> Symmetric:
    """Where gradient descent from a point comes near a critical one.

    Raises:
        NotNearError: if it does not in `DESCENT_STEPS`.
    """
    for step in range(DESCENT_STEPS):
        if not step % 100:
            step_size = 1 / np.abs(np.linalg.eigvals(point.blocks().trivial)).max()
        gradient = point.gradient()
        if np.abs(gradient).max() <= NEAR:
            return point
        point = point.at(point.coordinates - step_size * gradient)
    raise NotNearError(f"{DESCENT_STEPS} steps of descent came to no critical point")


def polished(point: Symmetric, steps: int = 20) -> Symmetric:
    """The critical point near another one, by Newton's method, down to `FLAT`, or k·1e-15 where rounding is larger.

    Raises:
        NotNearError: if a step would move a coordinate too far, or so many steps are not enough.
    """
    norm = np.inf
    for _ in range(steps):
        gradient, blocks = point.gradient(), point.blocks()
        norm = float(np.sqrt(blocks.numbers @ gradient**2))
        if norm <= FLAT or np.abs(gradient).max() <= 1e-15 * point.teacher:
            return point
        point = point.at(point.coordinates - within_reach(blocks.trivial, gradient))
    raise NotNearError(f"{steps} Newton steps left a gradient of {norm:.3g}")


def within_reach(matrix: Array, right: Array) -> Array:
    """Solution of a linear system, as a Newton step.

    Raises:
        NotNearError: if there is none, or it moves a weight by more than `REACH`.
    """
    try:
        step = np.linalg.solve(matrix, right).astype(np.float64)
    except np.linalg.LinAlgError as singular:
        raise NotNearError("no Newton step: the second derivatives are singular") from singular
    if not np.abs(step).max() <= REACH:
        raise NotNearError(f"a Newton step would move a weight by {np.abs(step).max():.3g}, more than {REACH:g}")
    return step


def followed(family: str, ks: Iterable[float]) -> list[Symmetric]:
    """Points of a family with k neurons at large k, ascending, from those at `FIRST`.

    Coordinates change like 1/k, which says where Newton's method begins.
    """
    before, now = (minimum(family, k) for k in FIRST)
    found = []
    for k in ks:
        while now.teacher < k:
            following = min(k, STRIDE * now.teacher)
            ahead = (1 / now.teacher - 1 / following) / (1 / before.teacher - 1 / now.teacher)
            guess = now.at(now.coordinates + ahead * (now.coordinates - before.coordinates), following)
            before, now = now, polished(guess)
        found.append(now)
    return found


def fractional_dimension(family: str, low: float, high: float) -> float:
    """The real k between two others at which the exterior square's eigenvalue of a family is 0, by bisection."""
    return float(brentq(lambda k: minimum(family, k).blocks().exterior, low, high, xtol=1e-12, rtol=1e-14))


def joint_dimension(family: str, near: float) -> float:
    """The real k near another at which the exterior square's eigenvalue of a family is 0, from one system of equations.

    The gradient and the eigenvalue vanish; coordinates and k are unknown.
    """
    start = minimum(family, near)

    def equations(unknown: Array) -> Array:
        point = start.at(unknown[:-1], float(unknown[-1]))
        return np.append(point.gradient(), point.blocks().exterior)

    return float(fsolve(equations, np.append(start.coordinates, near), xtol=1e-13)[-1])


def balanced_loss(point: Symmetric) -> float:
    """L of k neurons as a sum of squares and small terms, which keeps its digits where k² terms of `loss` cancel.

    With F(c) = √(1 − c²) + c·arcsin c − 1, k(w, v) = w·v/4 + ‖w‖‖v‖(1 + F(cos t))/(2π), so that L is
    ⅛‖Σw − Σv‖² + (Σ‖w‖ − Σ‖v‖)²/(4π) + (½Σ‖w‖‖w′‖F − Σ‖w‖F + ½ΣF)/(2π), in which each wᵢ is paired with its vᵢ.

    Raises:
        ValueError: if there are more neurons than teacher neurons.
    """
    m = point.indices
    if len(point.odd) != point.last:
        raise ValueError("neurons cannot be paired with those of the teacher")
    a, b, c = (*point.regular, 0.0)[:3]
    regular = _Paired.of(a, (m - 1) * b**2 + c**2)
    sums = m * (a + (m - 1) * b + (point.odd[0][0] if point.odd else 0.0) - 1) ** 2
    excess, flat = m * regular.excess, m * regular.own
    between = (2 * a * b + (m - 2) * b**2 + c**2) / regular.length**2
    flat += m * (m - 1) * regular.length * (regular.length * _bend(between) / 2 - _bend(b / regular.length))
    if point.odd:
        d, e = point.odd[0]
        odd = _Paired.of(e, m * d**2)
        sums += (m * c + e - 1) ** 2
        excess, flat = excess + odd.excess, flat + odd.own
        across = (a * d + (m - 1) * b * d + c * e) / (regular.length * odd.length)
        flat += m * regular.length * (odd.length * _bend(across) - _bend(c / regular.length))
        flat -= m * odd.length * _bend(d / odd.length)
    return float(sums / 8 + excess**2 / (4 * np.pi) + flat / (2 * np.pi))


class _Paired:
    """A neuron beside its teacher neuron: its length, what that exceeds 1 by, and what the pair adds to the loss."""

    def __init__(self, length: float, excess: float, own: float) -> None:
        self.length, self.excess, self.own = length, excess, own

    @classmethod
    def of(cls, along: float, across_squared: float) -> "_Paired":
        """A neuron with this coordinate along its teacher neuron, and this square of all others."""
        length = float(np.hypot(along, np.sqrt(across_squared)))
        excess = ((along - 1) * (along + 1) + across_squared) / (length + 1)
        short = across_squared / (length * (length + abs(along)))  # 1 − |cos t|
        angle = 2 * np.arcsin(np.sqrt(short / 2))  # t, or π − t, which F does not tell apart
        below = np.pi * np.sin(angle / 2) ** 2 + angle * np.cos(angle) - np.sin(angle)  # F(1) − F(cos t)
        return cls(length, excess, (np.pi / 2 - 1) * excess**2 / 2 + length * below)


def _bend(cosine: float) -> float:
    """F(c) = √(1 − c²) + c·arcsin c − 1 to all digits near 0."""
    return float(cosine * np.arcsin(cosine) - cosine**2 / (1 + np.sqrt((1 - cosine) * (1 + cosine))))
