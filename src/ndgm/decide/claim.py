"""Claims: functions that return a measurement and the value it is held against.

The docstring of a claim is the statement that the paper prints; its parameters are the tables that it reads.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import get_args

import pandas as pd

from ndgm.decide.statistics import Reference, Test
from ndgm.decide.verdict import Compared, Kind


class EvidenceError(ValueError):
    """Evidence that no rule can judge: a fault of the function that gathered it, said in one line."""


@dataclass(frozen=True)
class Evidence:
    """What was measured beside what it is compared with.

    Attributes:
        measured: One value per cell and replicate; the index has a level `over` and the levels that name the cell.
        reference: Value that `measured` is held against: a series with its index, or one number.
        compared: Whether the reference is predicted by theory or the other arm of a comparison (times the factor that
            the statement names, if any). A prediction that measurements have to be above, or below, is a bound.
        over: The level that replicates.
        table: Numbers that the paper prints one by one, besides those of the cell that speaks most against the claim.
        horizon: The largest value that could be measured, such as the length of a run: a value above it ranks above all
            others, and is printed as more than the horizon. None where every value can be measured.
        unordered: Whether nobody knows which of a measured value and its reference is larger, with the index of
            `measured`, as of two runs that never arrive; such a pair speaks neither for a claim nor against it. None
            where all orders are known: two values that are equal then lie below a margin above zero.
        diverged: How many runs behind each measured value diverged, where such a run leaves no gap.
    """

    measured: pd.Series
    reference: Reference
    compared: Compared
    over: str = "seed"
    table: pd.DataFrame | None = None
    horizon: float | None = None
    unordered: pd.Series | None = None
    diverged: pd.Series | None = None

    def __post_init__(self) -> None:
        """Check what the decision rules rely on.

        Raises:
            EvidenceError: if it does not hold.
        """
        levels = list(self.measured.index.names)
        if self.over not in levels or len(levels) < 2:
            raise EvidenceError(f"measured has the levels {levels}, not {self.over!r} and the name of a cell")
        if self.compared not in get_args(Compared):
            raise EvidenceError(f"compared is {self.compared!r}, not one of {', '.join(get_args(Compared))}")
        for name, values in (("measured", self.measured), ("reference", self.reference)):
            if not isinstance(values, pd.Series):
                continue
            if list(values.index.names) != levels:
                raise EvidenceError(f"{name} has the levels {list(values.index.names)}, measured has {levels}")
            if (twice := values.index.duplicated()).any():
                cell = dict(zip(levels, values.index[twice.argmax()], strict=True))
                raise EvidenceError(f"{name} has two values for {cell}")
        if self.unordered is not None and not self.unordered.index.equals(self.measured.index):
            raise EvidenceError("unordered has not the index of measured")


@dataclass(frozen=True)
class Claim:
    """A statement with the function that gathers its evidence and the rule that decides it.

    Attributes:
        id: Name of the function.
        group: Name of its module.
        statement: What is claimed, as the paper prints it.
        kind: Whether it is a finding or an identity.
        figure: Figure that shows it.
        unit: What follows a measured value and its reference when they are printed; `1` for nothing.
        test: The decision rule.
        experiments: Tables that it reads.
        gather: The function: tables → evidence.
        design: Design that it speaks of, where a config may lack it; such a claim is then absent. Empty for all others.
    """

    id: str
    group: str
    statement: str
    kind: Kind
    figure: str
    unit: str
    test: Test
    experiments: tuple[str, ...]
    gather: Callable[..., Evidence]
    design: str = ""

    def absent_from(self, tables: Mapping[str, pd.DataFrame]) -> bool:
        """Whether it speaks of a design that none of its tables has."""
        read = [tables[name] for name in self.experiments if name in tables]
        return bool(self.design) and all(self.design not in set(table["design"]) for table in read)

    @property
    def in_family(self) -> bool:
        """Whether Holm's rule counts it: a finding with a p value. An identity checks the code, and stands alone."""
        return self.kind == "finding" and self.test.random


CLAIMS: dict[str, Claim] = {}
"""Claims of all modules that were imported, by id."""

Gather = Callable[..., Evidence]


def claim(
    *,
    figure: str,
    kind: Kind,
    test: Test,
    unit: str = "1",
    design: str = "",
    derived_from: str = "",
) -> Callable[[Gather], Gather]:
    r"""Register the decorated function as a claim of the group that its module is named after.

    Args:
        figure: Name of the figure that shows it.
        kind: `finding` if it could have come out otherwise; `identity` if it follows, for every run that it reads, from
            algebra or a theorem, so that only an error in the code could refute it.
        test: The decision rule.
        unit: Unit of the values, in words that follow a number: `weights`, `$\eta$`, `times the bound`, `(penalty)`.
        design: As for `Claim`.
        derived_from: Claim from which it was split off, or after whose outcome it was added. Empty for all others. Only
            the source tells it, to `ndgm.decide.rules`, which reads that of earlier versions too.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"kind is {kind!r}, not one of {', '.join(get_args(Kind))}")

    def register(gather: Gather) -> Gather:
        CLAIMS[gather.__name__] = Claim(
            id=gather.__name__,
            group=gather.__module__.rpartition(".")[2],
            statement=" ".join((inspect.getdoc(gather) or "").split()),
            kind=kind,
            figure=figure,
            unit=unit,
            test=test,
            experiments=tuple(inspect.signature(gather).parameters),
            gather=gather,
            design=design,
        )
        return gather

    return register
