"""Claims: one function each, that returns what was measured beside what was predicted.

A claim's docstring is the statement that the paper prints. Its parameters are the run tables it reads, by experiment.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ndgm.decide.statistics import LEVEL, Decision, MissingValue, Test, holm

SUPPORTED, REFUTED, INCONCLUSIVE = "supported", "refuted", "inconclusive"


@dataclass(frozen=True)
class Evidence:
    """What was measured beside what was predicted.

    Attributes:
        measured: One value per cell and replicate; the index has a level `over` and the levels that name the cell.
        predicted: The same for the prediction, or for the other arm of a comparison.
        over: The level that replicates.
        table: Numbers that the paper prints one by one, besides those of the cell that speaks most against the claim.
    """

    measured: pd.Series
    predicted: pd.Series
    over: str = "seed"
    table: pd.DataFrame | None = None


@dataclass(frozen=True)
class Claim:
    """A statement with the function that gathers its evidence and the rule that decides it."""

    id: str
    group: str
    section: str
    statement: str
    figure: str
    unit: str
    test: Test
    experiments: tuple[str, ...]
    gather: Callable[..., Evidence]


CLAIMS: dict[str, Claim] = {}


def claim(*, section: str, figure: str, test: Test, unit: str = "1") -> Callable:
    """Register the decorated function as a claim; its module names the group.

    Args:
        section: Section of the paper.
        figure: Name of the figure that shows it.
        test: The decision rule.
        unit: Unit of measured and predicted values.
    """

    def register(gather: Callable[..., Evidence]) -> Callable[..., Evidence]:
        CLAIMS[gather.__name__] = Claim(
            id=gather.__name__,
            group=gather.__module__.rpartition(".")[2],
            section=section,
            statement=" ".join(inspect.getdoc(gather).split()),
            figure=figure,
            unit=unit,
            test=test,
            experiments=tuple(inspect.signature(gather).parameters),
            gather=gather,
        )
        return gather

    return register


def decide(claims: Mapping[str, Claim], tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """A verdict for every claim, sorted by id, in the form of `claims.json`.

    P-values are adjusted by Holm's rule over the random claims of a group. A claim is supported when the evidence for
    it would be improbable were it false, refuted when the evidence against it would be improbable were it true, and
    otherwise inconclusive, as is a claim whose evidence has a gap.

    Args:
        claims: Claims by id.
        tables: Run tables by experiment.
    """
    decisions: dict[str, Decision | str] = {}
    printed: dict[str, dict[str, dict[str, float]]] = {}
    for name, this in claims.items():
        try:
            evidence = this.gather(*(tables[experiment] for experiment in this.experiments))
            decisions[name] = this.test.decide(evidence.measured, evidence.predicted, evidence.over)
            printed[name] = {} if evidence.table is None else evidence.table.to_dict("index")
        except MissingValue as gap:
            decisions[name] = str(gap)

    adjusted: dict[str, tuple[float, float]] = {}
    for group in {this.group for this in claims.values()}:
        names = [n for n, d in decisions.items() if isinstance(d, Decision) and claims[n].group == group]
        random = [n for n in names if claims[n].test.random]
        support = holm([decisions[n].p_support for n in random])
        refute = holm([decisions[n].p_refute for n in random])
        adjusted |= {n: (decisions[n].p_support, decisions[n].p_refute) for n in names}
        adjusted |= dict(zip(random, zip(support, refute, strict=True), strict=True))
    return [
        _row(claims[name], decisions[name], adjusted.get(name)) | {"table": printed.get(name, {})}
        for name in sorted(claims)
    ]


def _row(this: Claim, decision: Decision | str, p_values: tuple[float, float] | None) -> dict[str, Any]:
    row = {
        "id": this.id,
        "group": this.group,
        "section": this.section,
        "statement": this.statement,
        "figure": this.figure,
        "unit": this.unit,
        "test": this.test.name,
        "margin": this.test.margin,
        "experiments": list(this.experiments),
    }
    if isinstance(decision, str):
        gap = {"measured": None, "predicted": None, "interval": None, "p_value": None, "n": 0, "cells": 0, "where": {}}
        return row | gap | {"verdict": INCONCLUSIVE, "test": f"{this.test.name}: {decision}"}
    p_support, p_refute = p_values
    verdict = SUPPORTED if p_support <= LEVEL else REFUTED if p_refute <= LEVEL else INCONCLUSIVE
    return row | {
        "verdict": verdict,
        "measured": decision.measured,
        "predicted": decision.predicted,
        "interval": list(decision.interval),
        "p_value": (p_refute if verdict == REFUTED else p_support) if this.test.random else None,
        "n": decision.n,
        "cells": decision.cells,
        "where": decision.where,
    }
