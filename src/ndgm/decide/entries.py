"""Entries of `claims.json`: what claims, their tables and their tests come to."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from traceback import extract_tb
from typing import Any

import pandas as pd

from ndgm.decide.claim import Claim, Evidence, EvidenceError
from ndgm.decide.effects import margins_of_verdict
from ndgm.decide.fragile import share_otherwise, why_fragile
from ndgm.decide.holm import holm
from ndgm.decide.missing_columns import NO_COLUMN, MissingColumn, missing_column
from ndgm.decide.statistics import ERROR_RATE, Decision, MissingValue, Test, TooFew
from ndgm.decide.verdict import Gap, Verdict
from ndgm.store.files import InputError, read_json_list

NO_NUMBERS = {
    **dict.fromkeys(("measured", "reference", "compared", "interval", "p_value", "p_support", "p_refute")),
    **{"n": 0, "cells": 0, "where": {}, "table": {}},
    **dict.fromkeys(("effect", "over_cells", "margins", "otherwise", "fragile")),
}
"""What `claims.json` says of a claim whose evidence has a gap, but for what is known all the same."""


def decide(
    claims: Mapping[str, Claim],
    tables: Mapping[str, pd.DataFrame],
    siblings: Sequence[tuple[float, float]] = (),
) -> list[dict[str, Any]]:
    """Entries of `claims.json`, sorted by id and without their section, for claims of one group.

    Holm's rule adjusts the p values of random findings for their number. A claim is supported when the evidence for it
    would be improbable were it false, refuted when the evidence against it would be improbable were it true, and
    otherwise inconclusive, as where its evidence has a gap. One on a design that its tables lack has no entry.

    Args:
        claims: Claims by id.
        tables: Run tables by experiment.
        siblings: Unadjusted p values, (for support, for refutation), of findings of the group decided elsewhere.

    Raises:
        InputError: naming the claim, if its evidence cannot be judged or one of its tables is not given.
        MissingColumn: if one of its tables lacks a column that it reads.
    """
    outcomes = {name: _outcome(claims[name], tables) for name in sorted(claims) if not claims[name].absent_from(tables)}
    raw = {
        name: (outcome[0].p_support, outcome[0].p_refute)
        for name, outcome in outcomes.items()
        if not isinstance(outcome, Gap) and claims[name].in_family
    }
    others = {name: [*(pair for one, pair in raw.items() if one != name), *siblings] for name in raw}
    return [_entry(claims[name], outcome, others.get(name, [])) for name, outcome in outcomes.items()]


def p_values_of_siblings(this: Claim, claims: Mapping[str, Claim], earlier: Path) -> list[tuple[float, float]]:
    """Unadjusted p values, (for support, for refutation), that the other claims of a group had in an earlier run.

    Holm's rule does not count a claim whose evidence had a gap then, that is no random finding, or that was absent.

    Args:
        this: The claim whose p value is to be adjusted; one that does not count has no siblings.
        claims: Claims of the group, by id.
        earlier: `claims.json` of the earlier run.

    Raises:
        InputError: naming file and claim, if a sibling is missing there.
    """
    if not this.in_family:
        return []
    entries = {entry["id"]: entry for entry in read_json_list(earlier, keys=["id"])}
    p_values = []
    counted = {name for name, one in claims.items() if one.in_family and (name in entries or not one.design)}
    for name in sorted(counted - {this.id}):
        if name not in entries or not {"p_support", "p_refute"} <= set(entries[name]):
            raise InputError(f"{earlier}: no p values of {name}, which Holm's rule for {this.id} needs")
        if entries[name]["p_support"] is not None:
            p_values.append((entries[name]["p_support"], entries[name]["p_refute"]))
    return p_values


def _outcome(this: Claim, tables: Mapping[str, pd.DataFrame]) -> tuple[Decision, Evidence] | Gap:
    """What the claim's test makes of the evidence, and the evidence; or the gap in it."""
    if missing := [experiment for experiment in this.experiments if experiment not in tables]:
        raise InputError(f"{this.id}: no table of {missing[0]}")
    try:
        evidence = _gathered(this, tables)
        if not isinstance(evidence, Evidence):
            raise EvidenceError(f"returns {type(evidence).__name__}, and no Evidence")
        try:
            return this.test.decide(evidence.measured, evidence.reference, evidence.over, evidence.unordered), evidence
        except TooFew as few:
            return Gap(str(few), _measured(this, few.decision, evidence))
    except (MissingValue, ArithmeticError) as gap:  # nothing was measured, or a closed form has no value there
        return Gap(str(gap))
    except EvidenceError as fault:
        raise InputError(f"{this.id}: {fault}") from fault
    except NO_COLUMN as fault:
        if lacking := missing_column(this.gather, this.experiments, tables, fault):
            raise MissingColumn(this.id, *lacking) from fault
        raise _slip(this, fault) from fault


def _gathered(this: Claim, tables: Mapping[str, pd.DataFrame]) -> Evidence:
    """What the claim's function returns."""
    try:
        return this.gather(*(tables[experiment] for experiment in this.experiments))
    except (MissingValue, ArithmeticError, EvidenceError, InputError, *NO_COLUMN):
        raise
    except Exception as fault:
        raise _slip(this, fault) from fault


def _slip(this: Claim, fault: Exception) -> InputError:
    """A fault of the claim's own code, with the line of its module where it came up."""
    module = this.gather.__code__.co_filename
    lines = [frame.lineno for frame in extract_tb(fault.__traceback__) if frame.filename == module]
    where = f"{os.path.relpath(module)}: line {lines[-1]}: " if lines else ""
    return InputError(f"{where}{this.id}: {type(fault).__name__}: {' '.join(str(fault).split())}")


def _entry(
    this: Claim, outcome: tuple[Decision, Evidence] | Gap, others: Sequence[tuple[float, float]]
) -> dict[str, Any]:
    """Entry of a claim; `others` are the unadjusted p values that its own are adjusted beside."""
    entry: dict[str, Any] = {
        "id": this.id,
        "group": this.group,
        "statement": this.statement,
        "kind": this.kind,
        "figure": this.figure,
        "unit": this.unit,
        "test": this.test.name,
        "margin": this.test.margin,
        "in_pairs": this.test.in_pairs,
        "experiments": list(this.experiments),
    }
    if isinstance(outcome, Gap):
        return entry | NO_NUMBERS | {"verdict": Verdict.INCONCLUSIVE, "gap": outcome.reason, **outcome.known}
    decision, evidence = outcome
    p_support, p_refute = _adjusted(decision.p_support, decision.p_refute, others)
    verdict = _verdict(p_support, p_refute)

    def verdict_of(for_it: float, against_it: float) -> Verdict:
        return _verdict(*_adjusted(for_it, against_it, others))

    otherwise = share_otherwise(this.test, decision.deviations, verdict, verdict_of)
    return entry | {
        "verdict": verdict,
        "gap": None,
        **_measured(this, decision, evidence),
        "interval": None if decision.interval is None else list(decision.interval),
        "p_value": (p_refute if verdict == Verdict.REFUTED else p_support) if this.test.random else None,
        "p_support": decision.p_support if this.test.random else None,
        "p_refute": decision.p_refute if this.test.random else None,
        "effect": None if decision.effect is None else list(decision.effect),
        "over_cells": asdict(decision.over_cells),
        "margins": _margins(this.test, decision, verdict, verdict_of),
        "otherwise": otherwise,
        "fragile": why_fragile(otherwise),
    }


def _measured(this: Claim, decision: Decision, evidence: Evidence) -> dict[str, Any]:
    """What was measured, beside what, and where: what is known also where replicates are too few for a verdict."""
    known = {
        "measured": decision.measured,
        "reference": decision.reference,
        "compared": "bound" if evidence.compared == "predicted" and not this.test.two_sided else evidence.compared,
        "n": decision.n,
        "cells": decision.cells,
        "where": decision.where,
        "table": {} if evidence.table is None else evidence.table.to_dict("index"),
    }
    if evidence.horizon is not None:
        known["horizon"] = evidence.horizon
    if evidence.diverged is not None:
        levels = list(decision.where)
        known["diverged"] = int(evidence.diverged.xs(tuple(decision.where.values()), level=levels).sum())
    return known


def _margins(
    test: Test, decision: Decision, verdict: Verdict, verdict_of: Callable[[float, float], Verdict]
) -> list[float | None]:
    """Margins between which the verdict stays, which `verdict_of` gives for p values (for support, for refutation).

    That of a rule with two sides which is supported at every margin begins at zero, where margins do.
    """
    sizes = test.turns(decision.deviations)
    if not test.random:  # to the last digit: it may be a margin of rounding
        largest = float(sizes.max()) + 0.0
        return [largest, None] if verdict == Verdict.SUPPORTED else [None, largest]

    def verdict_at(margin: float) -> Verdict:
        return verdict_of(*test.at(decision.deviations, margin))

    low, high = margins_of_verdict(test.margin, sizes, verdict_at, signed=not test.two_sided)
    closest = test.two_sided and not test.beyond and verdict == Verdict.SUPPORTED
    return [0.0 if low is None and closest else low, high]


def _adjusted(p_support: float, p_refute: float, others: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """P values, (for support, for refutation), adjusted by Holm's rule beside those of other claims."""
    for_support, for_refutation = (
        holm([own, *(pair[side] for pair in others)])[0] for side, own in enumerate((p_support, p_refute))
    )
    return for_support, for_refutation


def _verdict(p_support: float, p_refute: float) -> Verdict:
    if p_support <= ERROR_RATE:
        return Verdict.SUPPORTED
    return Verdict.REFUTED if p_refute <= ERROR_RATE else Verdict.INCONCLUSIVE
