"""From evidence to verdict: the logic, the correction over a group, and gaps that are said and never raised."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ndgm.claims.l1_paradox  # noqa: F401  (registers its claims)
from ndgm.decide.claim import CLAIMS, Claim, Evidence, decide
from ndgm.decide.statistics import MissingValue, equivalence, identity, order
from ndgm.store.files import rounded

ROOT = Path(__file__).parents[3]


def series(values):
    index = pd.MultiIndex.from_product([["a"], range(len(values))], names=["design", "seed"])
    return pd.Series(np.asarray(values, dtype=float), index=index)


def a_claim(name, test, measured, predicted, group="toy"):
    """A claim whose evidence is fixed; an exception is raised instead."""

    def gather(runs):
        if isinstance(measured, Exception):
            raise measured
        return Evidence(series(measured), series(predicted))

    return Claim(name, group, "1", "Statement.", "figure", "1", test, ("toy",), gather)


def verdicts(*claims):
    rows = decide({one.id: one for one in claims}, {"toy": pd.DataFrame()})
    assert [row["id"] for row in rows] == sorted(one.id for one in claims)
    return {row["id"]: row for row in rows}


def deviating(mean, spread=0.01, n=20):
    """Values whose mean and standard deviation are exactly these."""
    values = np.random.default_rng(0).standard_normal(n)
    return 1 + mean + spread * (values - values.mean()) / values.std(ddof=1)


def test_verdicts_of_an_equivalence():
    found = verdicts(
        a_claim("near", equivalence(0.05), deviating(0.0), np.ones(20)),
        a_claim("far", equivalence(0.05), deviating(0.2), np.ones(20)),
        a_claim("noisy", equivalence(0.05), deviating(0.0, spread=1.0), np.ones(20)),
        a_claim("at the margin", equivalence(0.05), deviating(0.05), np.ones(20)),
    )
    assert {name: row["verdict"] for name, row in found.items()} == {
        "near": "supported",
        "far": "refuted",
        "noisy": "inconclusive",
        "at the margin": "inconclusive",
    }
    assert found["near"]["p_value"] < 0.05 and found["far"]["p_value"] < 0.05 < found["noisy"]["p_value"]
    assert found["near"]["measured"] == pytest.approx(1) and found["near"]["margin"] == 0.05
    assert found["near"]["n"] == 20 and found["near"]["where"] == {"design": "a"}


def test_verdicts_of_an_order_and_an_identity():
    base = deviating(0.0, spread=0.1)
    found = verdicts(
        a_claim("higher", order(), base + 0.1, base),
        a_claim("lower", order(), base - 0.1, base),
        a_claim("mixed", order(), base + 0.1 * (-1.0) ** np.arange(20) * np.arange(1, 21), base),
        a_claim("same", identity(1e-9), base, base),
        a_claim("other", identity(1e-9), base + 1e-6, base),
    )
    assert {name: row["verdict"] for name, row in found.items()} == {
        "higher": "supported",
        "lower": "refuted",
        "mixed": "inconclusive",
        "same": "supported",
        "other": "refuted",
    }
    assert found["same"]["p_value"] is None and found["other"]["p_value"] is None


def six_out_of_seven(name, group="toy"):
    """An order in which 7 of 7 differences are positive: p = 1/128, so that six of them pass Holm and seven do not."""
    return a_claim(name, order(), np.arange(2.0, 9.0) * 2, np.arange(2.0, 9.0), group)


def test_holms_correction_runs_over_the_random_claims_of_a_group():
    alone = verdicts(*(six_out_of_seven(str(i)) for i in range(6)))
    assert {row["verdict"] for row in alone.values()} == {"supported"}
    assert alone["0"]["p_value"] == pytest.approx(6 / 128)
    crowded = verdicts(*(six_out_of_seven(str(i)) for i in range(7)))
    assert {row["verdict"] for row in crowded.values()} == {"inconclusive"}
    assert crowded["0"]["p_value"] == pytest.approx(7 / 128)
    # Other groups, identities and claims without evidence do not count.
    others = [six_out_of_seven(f"other {i}", "other") for i in range(6)]
    exact = [a_claim(f"exact {i}", identity(0), [1, 1], [2, 2]) for i in range(6)]
    gap = a_claim("gap", order(), [np.nan, 1], [1, 1])
    found = verdicts(*(six_out_of_seven(str(i)) for i in range(6)), *others, *exact, gap)
    orders = {row["verdict"] for name, row in found.items() if not name.startswith(("gap", "exact"))}
    assert orders == {"supported"}


def test_the_correction_holds_for_refutations_too():
    def lower(name):
        return a_claim(name, order(), np.arange(2.0, 9.0), np.arange(2.0, 9.0) * 2)

    assert {row["verdict"] for row in verdicts(*map(lower, "abcdef")).values()} == {"refuted"}
    assert {row["verdict"] for row in verdicts(*map(lower, "abcdefg")).values()} == {"inconclusive"}


def test_a_gap_makes_a_claim_inconclusive_with_its_reason():
    values = deviating(0.0)
    with_gap = values.copy()
    with_gap[3] = np.nan
    found = verdicts(
        a_claim("equivalence", equivalence(0.05), with_gap, values),
        a_claim("order", order(), with_gap, values),
        a_claim("identity", identity(0.05), with_gap, values),
        a_claim("said by the claim", identity(0.05), MissingValue("3 of 4 runs have no mean"), values),
        a_claim("no runs", identity(0.05), [], []),
        a_claim("one seed", equivalence(0.05), [1.0], [1.0]),
        a_claim("whole", equivalence(0.05), values, np.ones(20)),
    )
    assert found.pop("whole")["verdict"] == "supported"
    for name, row in found.items():
        assert row["verdict"] == "inconclusive", name
        assert row["measured"] is row["interval"] is row["p_value"] is None and row["n"] == 0
    assert found["identity"]["test"].endswith("1 of 20 runs have no value")
    assert found["said by the claim"]["test"].endswith("3 of 4 runs have no mean")
    assert found["no runs"]["test"].endswith("no runs")
    assert found["one seed"]["test"].endswith("fewer than two values over seed")


def test_rows_have_the_same_keys_and_are_json():
    values = deviating(0.0)
    rows = verdicts(
        a_claim("a", equivalence(0.05), values, np.ones(20)),
        a_claim("b", identity(0.5), values, np.ones(20)),
        a_claim("c", order(), [np.nan], [1.0]),
    )
    assert len({tuple(sorted(row)) for row in rows.values()}) == 1
    json.dumps(rounded(list(rows.values())), allow_nan=False)


def test_a_table_is_recorded_by_row_and_empty_where_there_is_none():
    table = pd.DataFrame({"measured": [1.5, 2.5], "predicted": [1.0, 2.0]}, index=["here", "there"])
    with_table = a_claim("with", identity(0), [1, 1], [1, 1])
    evidence = Evidence(series([1, 1]), series([1, 1]), table=table)
    with_table = replace(with_table, gather=lambda runs: evidence)
    found = verdicts(
        with_table, a_claim("without", identity(0), [1, 1], [1, 1]), a_claim("gap", order(), [np.nan], [1.0])
    )
    assert found["with"]["table"]["there"] == {"measured": 2.5, "predicted": 2.0}
    assert found["without"]["table"] == found["gap"]["table"] == {}


def test_another_fault_of_a_claim_is_raised():
    with pytest.raises(KeyError):
        verdicts(a_claim("broken", order(), KeyError("no such column"), []))


def test_registered_claims_belong_to_their_module_and_name_what_exists():
    assert len(CLAIMS) >= 11
    for name, one in CLAIMS.items():
        assert name == one.id and name.startswith(one.group)
        assert (ROOT / "src" / "ndgm" / "claims" / f"{one.group}.py").exists()
        assert (ROOT / "figures" / f"{one.figure}.py").exists()
        assert one.statement.endswith(".") and "\n" not in one.statement and "  " not in one.statement
        assert one.statement.count("$") % 2 == 0
        assert "\\\\" not in one.statement and not any(ord(character) < 32 for character in one.statement)
