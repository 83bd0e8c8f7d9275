"""Entries of `claims.json`, checked, and with their numbers ready to print."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ndgm.paper.quantities import Quantity, number, power_of_ten, precision

VERDICTS = ("supported", "refuted", "inconclusive")


@dataclass(frozen=True)
class Claim:
    """One entry of `claims.json`, with its numbers ready to print."""

    id: str
    group: str
    section: str
    statement: str
    verdict: str
    test: str
    figure: str
    unit: str
    n: Any
    experiments: tuple[str, ...]
    measured: Any
    predicted: Any
    margin: Any
    p_value: Any
    bounds: tuple[float, float] | None
    cells: Any
    where: str
    table: Mapping[str, Mapping[str, float]]

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> "Claim":
        """Check an entry of `claims.json` and take it over.

        Raises:
            ValueError: if a key is missing or the verdict is not one of the three.
        """
        name = entry.get("id", "a claim without id")
        keys = set(cls.__dataclass_fields__) - {"bounds", "cells", "where", "table"} | {"interval"}
        if missing := sorted(keys - set(entry)):
            raise ValueError(f"{name}: {missing[0]}: is missing")
        if entry["verdict"] not in VERDICTS:
            raise ValueError(f"{name}: verdict: {entry['verdict']!r} is not one of {', '.join(VERDICTS)}")
        ends = entry["interval"]
        bounds = (ends[0], ends[1]) if ends and None not in ends else None
        numbers = {"measured": _quantity(entry["measured"], bounds)}
        numbers["predicted"] = _predicted(entry["predicted"], bounds)
        numbers |= {key: _quantity(entry[key]) for key in ("margin", "p_value", "n")}
        words = ("id", "group", "section", "statement", "verdict", "test", "figure")
        text = {key: " ".join((entry[key] or "").split()) for key in words}
        unit = "" if entry["unit"] in (None, "1") else entry["unit"]
        where = [f"{key.replace('_', ' ')} {_quantity(at)}" for key, at in (entry.get("where") or {}).items()]
        return cls(
            **text,
            **numbers,
            unit=unit,
            bounds=bounds,
            experiments=tuple(entry["experiments"]),
            cells=entry.get("cells", "–"),
            where=", ".join(where).replace("_", " "),
            table=entry.get("table") or {},
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

    @property
    def label(self) -> str:
        """The short name that tags carry: `l1_paradox_floor` is L1-floor, `l1_networks_floor` is L1-networks-floor."""
        first, *others = self.group.split("_")
        networks = ["networks"] if "networks" in others else []
        return "-".join([first.capitalize(), *networks, *self.id.removeprefix(self.group).strip("_").split("_")])

    @property
    def interval(self) -> str:
        """The interval as Markdown, with as many digits as its value; empty where there is none."""
        if self.bounds is None:
            return ""
        value = self.measured if isinstance(self.measured, float) else self.bounds[0]
        power, decimals = precision(value, self.bounds)
        ends = ", ".join(number(end, power, decimals, with_power=False) for end in self.bounds)
        return rf"\[{ends}\]" + power_of_ten(power)

    @property
    def result(self) -> str:
        """What was measured, with interval and unit, as Markdown."""
        return " ".join(filter(None, [str(self.measured), self.interval, self.unit]))

    @property
    def p(self) -> str:
        """The p value as Markdown, never smaller than one can mean."""
        if not isinstance(self.p_value, float):
            return "–"
        return "< 0.001" if self.p_value < 0.001 else f"{self.p_value:.2g}"


def _quantity(value: Any, interval: Sequence[float] | None = None) -> Any:
    """Numbers as `Quantity`, nothing as a dash, text as it is."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return value if isinstance(value, int) and interval is None else Quantity(value, interval)


def _predicted(value: Any, interval: Sequence[float] | None) -> Any:
    """Predictions get the digits of what they are compared with, but never so few that they read as zero."""
    with_its_digits = _quantity(value, interval)
    return _quantity(value) if value and str(with_its_digits) == "0" else with_its_digits
