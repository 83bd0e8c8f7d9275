"""Entries of `claims.json`, checked, and with their numbers ready to print."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from ndgm.decide.verdict import Compared, Kind, Verdict
from ndgm.groups import GROUPS
from ndgm.paper.quantities import Quantity, number, power_of_ten, precision

VERDICTS = tuple(Verdict)
TAGS = {group.name: group.tag for group in GROUPS}
WORDS = {"verdict": VERDICTS, "kind": get_args(Kind), "compared": (*get_args(Compared), None)}
"""Fields with a choice of words, and the words."""

NAMES = {"bounds": "interval", "paired": "effect"}
"""Names in `claims.json` of what has another one here."""

OPTIONAL = {"horizon", "diverged"}
"""Fields that an entry may lack."""

SMALLEST = 1e-300
"""A number closer to zero may have lost digits: it is printed as less than this."""


@dataclass(frozen=True)
class DecidedClaim:
    """One entry of `claims.json`, with its numbers ready to print.

    The fields are those that the schema of `claims.json` describes, but for names of `NAMES`; `paired` is the effect of
    an order of two arms alone. A number that is missing is a dash.
    """

    id: str
    group: str
    section: str
    statement: str
    kind: str
    verdict: str
    gap: str
    test: str
    figure: str
    unit: str
    experiments: tuple[str, ...]
    measured: Any
    reference: Any
    compared: Compared | None
    margin: Any
    p_value: Any
    bounds: tuple[float, float] | None
    n: Any
    cells: Any
    where: str
    table: Mapping[str, Mapping[str, float]]
    horizon: float | None
    diverged: int | None
    over_cells: Mapping[str, Any] | None
    margins: tuple[float | None, float | None] | None
    fragile: str | None
    paired: tuple[float, float, float] | None

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> "DecidedClaim":
        """Check an entry of `claims.json` and take it over.

        Raises:
            ValueError: if a key is missing, or a verdict, kind or comparison is none of the words for it.
        """
        name = entry.get("id", "a claim without id")
        keys = {NAMES.get(name, name) for name in cls.__dataclass_fields__} - OPTIONAL | {"in_pairs"}
        if missing := sorted(keys - set(entry)):
            raise ValueError(f"{name}: {missing[0]}: is missing")
        for key, words in WORDS.items():
            if entry[key] not in words:
                raise ValueError(f"{name}: {key}: {entry[key]!r} is not one of {', '.join(map(str, words))}")
        ends = entry["interval"]
        bounds = (ends[0], ends[1]) if ends and None not in ends else None
        estimated = bounds if entry["p_value"] is not None else None  # else it is a range of exact values
        horizon = entry.get("horizon")
        numbers = {"measured": _up_to(horizon, entry["measured"]) or _quantity(entry["measured"], estimated)}
        numbers["reference"] = _up_to(horizon, entry["reference"]) or _reference(entry["reference"], estimated)
        numbers |= {key: _quantity(entry[key]) for key in ("margin", "p_value", "n", "cells")}
        texts = ("id", "group", "section", "statement", "kind", "verdict", "gap", "test", "figure")
        where = [_at(key.replace("_", " "), str(_quantity(at)).replace("_", " ")) for key, at in entry["where"].items()]
        return cls(
            **{key: " ".join((entry[key] or "").split()) for key in texts},
            **numbers,
            unit="" if entry["unit"] == "1" else entry["unit"],
            experiments=tuple(entry["experiments"]),
            compared=entry["compared"],
            bounds=bounds,
            where=", ".join(where),
            table=entry["table"],
            horizon=horizon,
            diverged=entry.get("diverged"),
            over_cells=entry["over_cells"],
            margins=tuple(entry["margins"]) if entry["margins"] else None,
            fragile=entry["fragile"],
            paired=_paired(entry),
        )

    def number(self, row: str, column: str) -> Any:
        """One number of the claim's table; a dash where its evidence had a gap, so that there is no table.

        Raises:
            ValueError: if there is a table without this row or column.
        """
        if not self.table:
            return "–"
        if row not in self.table or column not in self.table[row]:
            raise ValueError(f"the table of {self.id} has no {row!r} with {column!r}")
        return _quantity(self.table[row][column])

    def size(self, size: float) -> str:
        """A margin or an effect in words: in per cent where it is relative and no factor, else as a number."""
        if self.p_value == "–":
            return str(Quantity(size))
        return f"{Quantity(float(f'{100 * size:.2g}'))} %" if size < 10 else f"a factor of {Quantity(size)}"

    @property
    def label(self) -> str:
        """Short name that tags carry, such as L1-networks-turn of `l1_paradox_networks_turn`."""
        return label(self.id, self.group)

    @property
    def interval(self) -> str:
        """The interval as Markdown, with as many digits as its value; empty where there is none, or none to be seen."""
        if self.bounds is None:
            return ""
        ends = [_up_to(self.horizon, end) or _quantity(end) for end in self.bounds]
        if self.p_value == "–" or any(isinstance(value, str) for value in (self.measured, *ends)):
            power, (low, high) = 0, map(str, ends)
        else:
            power, decimals = precision(self.measured, self.bounds)
            low, high = (number(end, power, decimals, with_power=False) for end in self.bounds)
        return "" if low == high else rf"\[{low}, {high}\]" + power_of_ten(power)

    @property
    def result(self) -> str:
        """What was measured, with interval and unit, as Markdown."""
        return " ".join(filter(None, [str(self.measured), self.interval, self.unit])) if self.compared else "–"

    @property
    def held_against(self) -> str:
        """What the measurement is compared with, with its unit but not what the unit explains, as Markdown."""
        unit = "" if self.unit.startswith("(") or not self.compared else self.unit
        return f"{self.reference} {unit}".strip()

    @property
    def effect(self) -> str:
        """Cells one way, near, the other way, and the mean ratio over cells with its interval; empty without them."""
        over = self.over_cells
        if not over:
            return ""
        counts = f"{over['above']} above, {over['near']} near, {over['below']} below"
        return f"{counts}; ratio {self.ratio}" if self.ratio else counts

    @property
    def ratio(self) -> str:
        """Geometric mean over cells of what is measured over its reference, with its interval; empty without one."""
        over = self.over_cells
        if not over or over["ratio"] is None:
            return ""
        bounds = over["interval"]
        low, high = (str(Quantity(end, bounds)) for end in bounds) if bounds else ("", "")
        ends = rf" \[{low}, {high}\]" if low != high else ""
        return f"{Quantity(over['ratio'], bounds)}{ends}"

    @property
    def in_pairs(self) -> str:
        """Median ratio of two arms in pairs of replicates, with its interval; empty where no order of arms is claimed.

        This is what such a rule tests: medians of both arms may lie the other way round.
        """
        if self.paired is None:
            return ""
        ratio, *ends = (1 + each for each in self.paired)
        low, high = (str(Quantity(end, ends)) for end in ends)
        return f"in pairs {Quantity(ratio, ends)}" + (rf" \[{low}, {high}\]" if low != high else "") + " times"

    @property
    def stands(self) -> str:
        """Margins between which the verdict stays what it is, as words that follow it; empty where none are known."""
        if not self.margins:
            return ""
        low, high = (None if end is None else self.size(end) for end in self.margins)
        if low is None or high is None:
            return "at any margin" if low == high else f"from {low} on" if high is None else f"up to {high}"
        return f"from {low} to {high}"

    @property
    def replicates(self) -> int:
        """Replicates in a cell: for a rule on every value, the number of values over that of cells."""
        return self.n // (self.cells if self.p_value == "–" else 1) if self.cells else 0

    @property
    def p_of(self) -> str:
        """Whether the p value is of evidence for the claim or against it; empty where there is none."""
        if not isinstance(self.p_value, float):
            return ""
        return "against" if self.verdict == Verdict.REFUTED else "for"

    @property
    def p(self) -> str:
        """The p value as Markdown, never smaller than one can mean."""
        if not isinstance(self.p_value, float):
            return "–"
        return "< 0.001" if self.p_value < 0.001 else f"{self.p_value:.2g}"


def label(claim: str, group: str) -> str:
    """Short name of a claim of a group, such as L1-networks-turn of `l1_paradox_networks_turn`."""
    return "-".join([TAGS[group], *claim.removeprefix(group).strip("_").split("_")])


def _quantity(value: Any, interval: Sequence[float] | None = None) -> Any:
    """A number as `Quantity`, nothing as a dash, text as it is."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if 0 < abs(value) < SMALLEST:
        return f"< {Quantity(SMALLEST)}" if value > 0 else f"> {Quantity(-SMALLEST)}"
    return value if isinstance(value, int) and interval is None else Quantity(value, interval)


def _paired(entry: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """Effect of an order of two arms; None for another rule, and where its ratio is unknown or has no meaning."""
    tested = entry["compared"] == "other arm" and entry["in_pairs"] and "horizon" not in entry
    effect = entry["effect"]
    return tuple(effect) if tested and effect and entry["reference"] > 0 else None


def _at(factor: str, level: str) -> str:
    """A factor with its level, such as `step size 0.1`; the level alone where it begins with the factor's name."""
    return level if f"{level} ".startswith(f"{factor} ") else f"{factor} {level}"


def _up_to(horizon: float | None, value: float | None) -> str:
    """What is printed of a value that is beyond the horizon; empty where it is not, or there is none."""
    return f"> {Quantity(horizon)}" if horizon is not None and value is not None and value > horizon else ""


def _reference(value: Any, interval: Sequence[float] | None) -> Any:
    """A reference with the digits of what is measured, but never so few that it reads as zero."""
    as_measured = _quantity(value, interval)
    return _quantity(value) if value and str(as_measured) == "0" else as_measured
