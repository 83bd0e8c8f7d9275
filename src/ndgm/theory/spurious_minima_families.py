"""Critical points of the population loss with the symmetry of a permutation group, in few coordinates.

Permutations of the k teacher neurons eᵢ act on rows and columns of W alike. What S_m leaves in place has m regular
neurons, a at their own coordinate and b at the others of the m, and, where m = k − 1, c at the last; beside them stand
odd neurons, d at the m coordinates and e at the last. So few numbers obey equations in which k may be any real number.

By Schur's lemma the Hessian falls apart: into one block on what S_m leaves in place, one on each of m − 1 copies of its
standard representation, and a number each on symmetric and on antisymmetric m × m matrices with zero diagonal and sums.
The last is called the exterior square.

Source of the families A, I and II: Arjevani and Field (2020), Analytic characterization of the Hessian in shallow ReLU
models: a tale of symmetry. The blocks are derived here.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ndgm.theory.spurious_minima import Pairs, pull, second_derivatives

Array = NDArray[np.float64]

EXPLICIT = 5
"""Regular indices that have an entry of their own; one more stands for the others."""


class Eigenvalue(NamedTuple):
    """An eigenvalue with the number of times that it comes, a whole number where k is."""

    value: float
    multiplicity: float


@dataclass(frozen=True)
class Symmetric:
    """A point that a group of permutations leaves in place.

    Attributes:
        teacher: Number k of teacher neurons, which may be real.
        regular: a, b, and c where the group is S_{k−1}.
        odd: d and e of each odd neuron; none where the group is S_k.

    Raises:
        ValueError: if k is below 5, where not all representations are there, or odd neurons lack a last coordinate.
    """

    teacher: float
    regular: tuple[float, ...]
    odd: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        """Check the number of neurons, and that odd neurons have a last coordinate."""
        if not self.teacher >= 5:
            raise ValueError(f"symmetric families are known from k = 5 on, got {self.teacher}")
        if self.odd and not self.last:
            raise ValueError("odd neurons need a last coordinate")

    @property
    def last(self) -> int:
        """Number of coordinates that the group leaves in place, 0 or 1."""
        return len(self.regular) - 2

    @property
    def indices(self) -> float:
        """The number m of indices that the group permutes."""
        return self.teacher - self.last

    @property
    def coordinates(self) -> Array:
        """The numbers a, b, c, d, e, …, in this order."""
        return np.array([*self.regular, *(number for pair in self.odd for number in pair)])

    def at(self, coordinates: Array, teacher: float | None = None) -> "Symmetric":
        """A point of this symmetry with other coordinates, and with another k where one is given."""
        regular, odd = np.split(coordinates, [len(self.regular)])
        pairs = tuple((float(d), float(e)) for d, e in odd.reshape(-1, 2))
        return replace(self, teacher=teacher or self.teacher, regular=tuple(regular.tolist()), odd=pairs)

    def matrix(self) -> Array:
        """W for a whole k, shape (m + odd neurons, k).

        Raises:
            ValueError: if k is not whole.
        """
        if self.teacher != round(self.teacher):
            raise ValueError(f"no matrix has {self.teacher} columns")
        return self._rows(round(self.indices), self.last)

    def _rows(self, count: int, last: int) -> Array:
        a, b, *c = self.regular
        regular = np.full((count, count), b) + (a - b) * np.eye(count)
        rows = np.hstack([regular, np.full((count, last), c)]) if last else regular
        odd = np.array([[d] * count + [e] for d, e in self.odd]).reshape(-1, count + last)
        return np.vstack([rows, odd])

    def _layout(self) -> tuple[Array, Array, Array]:
        """Few neurons that stand for all, all vectors that they meet with signs, and the measure of coordinates.

        Coordinates are `EXPLICIT` regular ones, one for all others, and the last.
        """
        others = self.indices - EXPLICIT
        rows = self._rows(EXPLICIT + 1, self.last)[np.r_[:EXPLICIT, EXPLICIT + 1 : EXPLICIT + 1 + len(self.odd)]]
        teacher = np.eye(EXPLICIT + 1 + self.last)[np.r_[:EXPLICIT, EXPLICIT + 1 : EXPLICIT + 1 + self.last]]
        return rows, np.vstack([rows, teacher]), np.array([1.0] * EXPLICIT + [others] + [1.0] * self.last)

    def _signs(self) -> Array:
        """With which sign, and how often, each of the few neurons meets each vector; the fifth stands for the rest."""
        neurons = EXPLICIT + len(self.odd)
        copies = np.ones(neurons)
        copies[EXPLICIT - 1] += self.indices - EXPLICIT
        targets = np.ones(EXPLICIT + self.last)
        targets[EXPLICIT - 1] += self.indices - EXPLICIT
        return np.hstack([copies * (1 - np.eye(neurons)), -np.tile(targets, (neurons, 1))])

    def loss(self) -> float:
        """L at the point."""
        rows, others, measure = self._layout()
        kernel = Pairs.of(rows, others, measure).kernel()
        neurons = len(rows)
        signs = self._signs()
        signs[:, :neurons] = (signs[:, :neurons] + np.eye(neurons)) / 2
        each = (signs * kernel).sum(1)
        k = self.teacher
        return float(self.indices * each[0] + each[EXPLICIT:].sum() + k / 4 + k * (k - 1) / (4 * np.pi))

    def gradient(self) -> Array:
        """∂L/∂w at one entry of each kind: what each coordinate's entries feel, in the coordinates' order."""
        rows, others, measure = self._layout()
        entries = pull(rows, others, self._signs(), measure)
        return np.array([entries[row, column] for row, column in self._places()])

    def _places(self) -> list[tuple[int, int]]:
        """An entry of each kind: the first regular neuron at its own coordinate, at the second, at the last, …."""
        end = EXPLICIT + 1
        regular = [(0, 0), (0, 1), (0, end)][: len(self.regular)]
        odd = range(EXPLICIT, EXPLICIT + len(self.odd))
        return regular + [place for row in odd for place in ((row, 0), (row, end))]

    def blocks(self) -> "Blocks":
        """The Hessian on each isotypic part."""
        rows, others, measure = self._layout()
        return Blocks.of(self, second_derivatives(rows, others, self._signs(), measure))

    def spectrum(self) -> list[Eigenvalue]:
        """Eigenvalues of the whole Hessian with their multiplicities, ascending."""
        return self.blocks().spectrum()


PUBLISHED = Symmetric(7, (0.9969227988, -0.0350801559, 0.2616910758), ((0.1859910463, -0.6327039049),))
"""A minimum with k = 7 that is published to ten digits, with its neurons as the columns of a matrix.

Source: public code of the authors of the families.
"""


class Blocks(NamedTuple):
    """The Hessian on the isotypic parts of matrices under S_m.

    Attributes:
        trivial: On what the group leaves in place, in the coordinates' order, shape (p, p): the derivative of
            `Symmetric.gradient`, which is not symmetric, because kinds of entries come in different numbers.
        numbers: How many entries there are of each kind, shape (p,).
        standard: On one copy of the standard representation: on its diagonal, on sums and differences of what rows and
            columns have of it, at the last coordinate and in odd neurons; symmetric.
        symmetric: On symmetric m × m matrices with zero diagonal and sums.
        exterior: On antisymmetric ones with zero sums.
        indices: m.
    """

    trivial: Array
    numbers: Array
    standard: Array
    symmetric: float
    exterior: float
    indices: float

    @classmethod
    def of(cls, point: Symmetric, h: Array) -> "Blocks":
        """Parts of a Hessian given by its entries at few neurons and coordinates, shape (r, q, r, q)."""
        m = point.indices
        plain = [h[0, 2, p, q] for p, q in ((0, 2), (0, 3), (1, 2), (1, 3))]
        turned = [h[0, 2, q, p] for p, q in ((0, 2), (0, 3), (1, 2), (1, 3))]
        kept = plain[0] - plain[1] - plain[2] + plain[3]
        moved = turned[0] - turned[1] - turned[2] + turned[3]
        kinds = _kinds(point)
        trivial = [[sum(n * h[here][at] for at, n in kind) for kind in kinds] for here in point._places()]
        numbers = [float(sum(n for _, n in kind)) for kind in kinds]
        bent = float(kept + moved), float(kept - moved)
        return cls(np.array(trivial), np.array(numbers), _standard(point, h), *bent, m)

    def spectrum(self) -> list[Eigenvalue]:
        """All eigenvalues with their multiplicities, ascending."""
        m = self.indices
        lengths = np.sqrt(self.numbers)
        trivial = lengths[:, np.newaxis] * self.trivial / lengths
        found = [Eigenvalue(float(value), 1) for value in np.linalg.eigvalsh((trivial + trivial.T) / 2)]
        found += [Eigenvalue(float(value), m - 1) for value in np.linalg.eigvalsh(self.standard)]
        found.append(Eigenvalue(self.symmetric, m * (m - 3) / 2))
        found.append(Eigenvalue(self.exterior, (m - 1) * (m - 2) / 2))
        return sorted(found)


Entry = tuple[int, int]
Kinds = list[list[tuple[Entry, float]]]


def _kinds(point: Symmetric) -> Kinds:
    """All entries of W as an entry that has the first two indices or none of them sees them: by kind, with numbers.

    Index 2 stands for every one beside 0 and 1, and 3 for every one beside these three.
    """
    m, end = point.indices, EXPLICIT + 1
    every = [(0, 1.0), (1, 1.0), (2, m - 2)]
    own: list[tuple[Entry, float]] = [((p, p), count) for p, count in every]
    others: list[tuple[Entry, float]] = [((p, q), n * o) for p, n in every for q, o in every if p != q]
    others.append(((2, 3), (m - 2) * (m - 3)))
    last: Kinds = [[((p, end), count) for p, count in every]] if point.last else []
    odd: Kinds = []
    for row in range(EXPLICIT, EXPLICIT + len(point.odd)):
        odd += [[((row, q), count) for q, count in every], [((row, end), 1.0)]]
    return [own, others, *last, *odd]


def _standard(point: Symmetric, h: Array) -> Array:
    """The Hessian on one copy of the standard representation, by its action on u = m e₀ − 1."""
    m, end = point.indices, EXPLICIT + 1
    u = np.array([m - 1, -1.0, -1.0, -1.0])
    own, others, *rest = _kinds(point)
    odd = rest[point.last :: 2]
    moves = [[(at, n * u[at[0]]) for at, n in own]]
    moves += [[(at, n * (u[at[0]] + sign * u[at[1]])) for at, n in others] for sign in (1, -1)]
    moves += [[(at, n * u[at[0]]) for at, n in kind] for kind in rest[: point.last]]
    moves += [[(at, n * u[at[1]]) for at, n in kind] for kind in odd]

    def acted(move: list[tuple[Entry, float]], here: Entry) -> float:
        return float(sum(n * h[here][at] for at, n in move))

    columns, weights = [], [1.0, 2 * (m - 2), 2 * m] + [1.0] * (point.last + len(odd))
    for move in moves:
        there, back = acted(move, (0, 1)), acted(move, (1, 0))
        column = [acted(move, (0, 0)) / u[0], (there + back) / 2 / (m - 2), (there - back) / 2 / m]
        column += [acted(move, (0, end)) / u[0] for _ in range(point.last)]
        column += [acted(move, (EXPLICIT + place, 0)) / u[0] for place in range(len(odd))]
        columns.append(column)
    lengths = np.sqrt(weights)
    matrix = lengths[:, np.newaxis] * np.array(columns).T / lengths
    return (matrix + matrix.T) / 2
