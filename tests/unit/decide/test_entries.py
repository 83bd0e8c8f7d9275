"""From evidence to verdict: the logic, the correction over a group, and gaps that are said and never raised."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ndgm.decide.claim import Claim, Evidence
from ndgm.decide.entries import decide, p_values_of_siblings
from ndgm.decide.statistics import MissingValue, at_most, difference, equivalence, order, within
from ndgm.decide.verdict import Verdict
from ndgm.store.files import InputError, rounded, write_json


def series(values):
    index = pd.MultiIndex.from_product([["a"], range(len(values))], names=["design", "seed"])
    return pd.Series(np.asarray(values, dtype=float), index=index)


def a_claim(name, test, measured, reference, compared="predicted"):
    """A claim whose evidence is fixed; an exception is raised instead."""

    def gather(runs):
        if isinstance(measured, Exception):
            raise measured
        return Evidence(series(measured), series(reference), compared)

    return Claim(name, "toy", "Statement.", "finding", "figure", "1", test, ("toy",), gather)


def verdicts(*claims, siblings=()):
    rows = decide({one.id: one for one in claims}, {"toy": pd.DataFrame()}, siblings)
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
    assert found["near"]["measured"] == pytest.approx(np.median(deviating(0.0))) and found["near"]["margin"] == 0.05
    assert found["near"]["n"] == 20 and found["near"]["where"] == {"design": "a"}


def test_verdicts_of_an_order_and_an_within():
    base = deviating(0.0, spread=0.1)
    found = verdicts(
        a_claim("higher", order(), base + 0.1, base),
        a_claim("lower", order(), base - 0.1, base),
        a_claim("mixed", order(), base + 0.1 * (-1.0) ** np.arange(20) * np.arange(1, 21), base),
        a_claim("same", within(1e-9), base, base),
        a_claim("other", within(1e-9), base + 1e-6, base),
    )
    assert {name: row["verdict"] for name, row in found.items()} == {
        "higher": "supported",
        "lower": "refuted",
        "mixed": "inconclusive",
        "same": "supported",
        "other": "refuted",
    }
    assert found["same"]["p_value"] is None and found["other"]["p_value"] is None


def six_out_of_seven(name):
    """An order in which 7 of 7 differences are positive: p = 1/128, so that six of them pass Holm and seven do not."""
    return a_claim(name, order(), np.arange(2.0, 9.0) * 2, np.arange(2.0, 9.0))


def test_holms_correction_runs_over_the_random_claims_of_a_group():
    alone = verdicts(*(six_out_of_seven(str(i)) for i in range(6)))
    assert {row["verdict"] for row in alone.values()} == {"supported"}
    assert alone["0"]["p_value"] == pytest.approx(6 / 128)
    crowded = verdicts(*(six_out_of_seven(str(i)) for i in range(7)))
    assert {row["verdict"] for row in crowded.values()} == {"inconclusive"}
    assert crowded["0"]["p_value"] == pytest.approx(7 / 128)
    # Rules on every value and claims without evidence do not count.
    exact = [a_claim(f"exact {i}", within(0), [1, 1], [2, 2]) for i in range(6)]
    gap = a_claim("gap", order(), [np.nan, 1], [1, 1])
    found = verdicts(*(six_out_of_seven(str(i)) for i in range(6)), *exact, gap)
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
        a_claim("identity", within(0.05), with_gap, values),
        a_claim("said by the claim", within(0.05), MissingValue("3 of 4 runs have no mean"), values),
        a_claim("no runs", within(0.05), [], []),
        a_claim("one seed", equivalence(0.05), [1.0], [1.0]),
        a_claim("whole", equivalence(0.05), values, np.ones(20)),
    )
    assert found.pop("whole")["verdict"] == "supported"
    for name, row in found.items():
        assert row["verdict"] == "inconclusive", name
        assert row["interval"] is row["p_value"] is row["p_support"] is row["effect"] is row["margins"] is None
        assert name == "one seed" or (row["measured"] is None and row["n"] == 0)
    assert found["identity"]["gap"] == "1 of 20 runs have no value"
    assert found["said by the claim"]["gap"] == "3 of 4 runs have no mean"
    assert found["no runs"]["gap"] == "no runs"
    few = found["one seed"]  # whose numbers were null once, as if nothing had been measured
    assert few["gap"] == "too few seeds to decide: 1 of 5 needed" and few["compared"] == "predicted"
    assert (few["measured"], few["reference"], few["n"], few["cells"]) == (1.0, 1.0, 1, 1) and few["where"]
    assert found["order"]["test"] == order().name


def test_rows_have_the_same_keys_and_are_json():
    values = deviating(0.0)
    rows = verdicts(
        a_claim("a", equivalence(0.05), values, np.ones(20)),
        a_claim("b", within(0.5), values, np.ones(20)),
        a_claim("c", order(), [np.nan], [1.0]),
    )
    assert len({tuple(sorted(row)) for row in rows.values()}) == 1
    json.dumps(rounded(list(rows.values())), allow_nan=False)


def test_a_table_is_recorded_by_row_and_empty_where_there_is_none():
    table = pd.DataFrame({"measured": [1.5, 2.5], "predicted": [1.0, 2.0]}, index=["here", "there"])
    with_table = a_claim("with", within(0), [1, 1], [1, 1])
    evidence = Evidence(series([1, 1]), series([1, 1]), "predicted", table=table)
    with_table = replace(with_table, gather=lambda runs: evidence)
    found = verdicts(
        with_table, a_claim("without", within(0), [1, 1], [1, 1]), a_claim("gap", order(), [np.nan], [1.0])
    )
    assert found["with"]["table"]["there"] == {"measured": 2.5, "predicted": 2.0}
    assert found["without"]["table"] == found["gap"]["table"] == {}


def test_a_table_that_is_not_given_is_named():
    with pytest.raises(InputError, match="^one: no table of toy$"):
        decide({"one": a_claim("one", within(0), [1], [1])}, {"other": pd.DataFrame()})


def test_siblings_that_were_decided_elsewhere_count_for_holms_rule():
    names = [str(i) for i in range(6)]
    together = verdicts(*map(six_out_of_seven, names))
    earlier = [(together[name]["p_support"], together[name]["p_refute"]) for name in names[1:]]
    (alone,) = verdicts(six_out_of_seven("0"), siblings=earlier).values()
    assert alone == together["0"] and alone["p_support"] == 1 / 128
    (crowded,) = verdicts(six_out_of_seven("0"), siblings=[*earlier, (0.5, 0.5)]).values()
    assert crowded["verdict"] == "inconclusive"


@pytest.fixture
def earlier(tmp_path):
    """A group of claims, two of them random with a p value, and what a run said of them."""
    base = np.arange(2.0, 9.0)
    claims = [
        six_out_of_seven("a"),
        a_claim("b", order(), base, 2 * base),
        a_claim("every value", within(0), base, base),
        a_claim("gap", order(), [np.nan], [1.0]),
    ]
    path = tmp_path / "claims.json"
    write_json(path, list(verdicts(*claims).values()))
    return {one.id: one for one in claims}, path


def test_p_values_of_siblings_are_those_of_other_random_claims_without_a_gap(earlier):
    claims, path = earlier
    assert p_values_of_siblings(claims["a"], claims, path) == [(1.0, 1 / 128)]
    assert p_values_of_siblings(claims["gap"], claims, path) == [(1 / 128, 1.0), (1.0, 1 / 128)]
    assert p_values_of_siblings(claims["every value"], claims, path) == []


@pytest.mark.parametrize("lost", ["entry", "p values"])
def test_a_sibling_that_is_missing_is_named_in_one_line(earlier, lost):
    claims, path = earlier
    entries = json.loads(path.read_text())
    kept = [entry for entry in entries if entry["id"] != "b"]
    before = [{key: entry[key] for key in entry if key != "p_support"} for entry in entries]
    write_json(path, kept if lost == "entry" else before)
    with pytest.raises(InputError, match=f"^{path}: no p values of b, which Holm's rule for a needs$"):
        p_values_of_siblings(claims["a"], claims, path)
    with pytest.raises(InputError, match="no such file"):
        p_values_of_siblings(claims["a"], claims, path.with_name("other.json"))


def test_a_claim_on_a_design_that_no_table_has_is_absent(earlier):
    one = replace(a_claim("of b", order(), deviating(0.2), np.ones(20)), design="b")
    other = a_claim("other", order(), deviating(0.2), np.ones(20))
    claims = {"of b": one, "other": other}
    lacking, having = pd.DataFrame({"design": ["a"]}), pd.DataFrame({"design": ["a", "b"]})
    assert [row["id"] for row in decide(claims, {"toy": lacking})] == ["other"]
    assert [row["id"] for row in decide(claims, {"toy": having})] == ["of b", "other"]
    # Holm's rule counts the claims that there are, also where the others were decided earlier.
    assert decide({"other": other}, {"toy": lacking}) == decide(claims, {"toy": lacking})
    claims, path = earlier
    absent = {**claims, "absent": replace(one, id="absent")}
    assert p_values_of_siblings(claims["a"], absent, path) == p_values_of_siblings(claims["a"], claims, path)


def test_a_number_is_the_reference_of_every_value():
    values = deviating(0.0)
    for test in (equivalence(0.05), order(), within(0.1), at_most(0.1), difference(0.05)):
        one = a_claim("one", test, values, np.ones(20))
        scalar = replace(one, gather=lambda runs: Evidence(series(values), 1.0, "predicted"))
        assert verdicts(one) == verdicts(scalar)


def test_what_the_reference_is_is_recorded():
    found = verdicts(
        a_claim("law", within(0), [1, 1], [1, 1]),
        a_claim("arm", within(0), [1, 1], [1, 1], "other arm"),
        a_claim("gap", within(0), [np.nan], [1], "other arm"),
        a_claim("most", at_most(0), [1, 1], [1, 1]),
        a_claim("least", order(), [2] * 9, [1] * 9),
        a_claim("above", order(), [2] * 9, [1] * 9, "other arm"),
    )
    compared = {"law": "predicted", "arm": "other arm", "gap": None, "most": "bound", "least": "bound"}
    assert {name: entry["compared"] for name, entry in found.items()} == compared | {"above": "other arm"}


def test_evidence_that_no_rule_can_judge_is_refused_in_one_line_that_names_the_claim():
    broken = replace(a_claim("broken", within(0), [1], [1]), gather=lambda runs: Evidence(series([1]), 1.0, "theory"))
    with pytest.raises(InputError, match="^broken: compared is 'theory', not one of predicted, bound, other arm$"):
        verdicts(broken)


def test_it_is_said_how_far_could_be_measured():
    one = a_claim("one", order(), np.arange(8.0), np.zeros(8))
    assert "horizon" not in verdicts(one)["one"]
    far = replace(one, gather=lambda runs: Evidence(series([9.0] * 8), series([1.0] * 8), "other arm", horizon=4.0))
    assert verdicts(far)["one"]["horizon"] == 4.0
    few = replace(one, gather=lambda runs: Evidence(series([9.0] * 3), series([1.0] * 3), "other arm", horizon=4.0))
    assert (verdicts(few)["one"]["measured"], verdicts(few)["one"]["horizon"]) == (9.0, 4.0)
    assert verdicts(few)["one"]["gap"] == "too few seeds to decide: 3 of 5 needed"


def test_a_verdict_prints_and_compares_as_its_word():
    assert [f"{verdict}" for verdict in Verdict] == ["supported", "refuted", "inconclusive"]
    assert json.dumps(Verdict.REFUTED) == '"refuted"' and Verdict("refuted") is Verdict.REFUTED


def test_identities_do_not_count_for_holms_rule(tmp_path):
    findings = [six_out_of_seven(str(i)) for i in range(6)]
    identities = [replace(six_out_of_seven(f"identity {i}"), kind="identity") for i in range(6)]
    found = verdicts(*findings, *identities)
    assert {row["verdict"] for row in found.values()} == {"supported"}
    assert found["0"]["p_value"] == pytest.approx(6 / 128) and found["identity 0"]["p_value"] == 1 / 128
    write_json(tmp_path / "claims.json", list(found.values()))
    claims = {one.id: one for one in [*findings, *identities]}
    assert len(p_values_of_siblings(claims["0"], claims, tmp_path / "claims.json")) == 5
    assert p_values_of_siblings(claims["identity 0"], claims, tmp_path / "claims.json") == []


@pytest.mark.parametrize("others", [0, 30])
@pytest.mark.parametrize("rule", [equivalence, difference, order, within, at_most])
@pytest.mark.parametrize("margin", [0.03, 0.1, 0.5])
def test_the_verdict_stands_between_its_margins_also_beside_other_claims(rule, margin, others):
    values = deviating(0.1, spread=0.05)
    crowd = [a_claim(f"other {i}", order(), 2 * np.ones(20), np.ones(20)) for i in range(others)]

    def verdict(margin):
        return verdicts(a_claim("one", rule(margin), values, np.ones(20)), *crowd)["one"]

    here = verdict(margin)
    low, high = here["margins"]
    for end, inside, outside in ((low, 1e-7, -1e-7), (high, -1e-7, 1e-7)):
        if end is not None:
            assert verdict(end + inside)["verdict"] == here["verdict"]
            assert verdict(end + outside)["verdict"] != here["verdict"]
    assert (low or 0) <= margin <= (high or margin)


def test_the_effect_in_the_deciding_cell_and_over_all():
    row = verdicts(a_claim("one", equivalence(0.2), deviating(0.1), np.ones(20)))["one"]
    median, low, high = row["effect"]
    assert (median, [low, high]) == (
        pytest.approx(row["measured"] - 1),
        pytest.approx([x - 1 for x in row["interval"]]),
    )
    assert row["over_cells"]["near"] == 1 and row["over_cells"]["ratio"] == pytest.approx(row["measured"])
    assert row["over_cells"]["interval"] is None


@pytest.mark.parametrize(
    ("rule", "values", "margins", "effect"),
    [
        (at_most(0), [0.8, 0.85], [-0.15, None], [-0.15, -0.2, -0.15]),
        (at_most(0), [0.8, 1.25], [None, 0.25], [0.25, -0.2, 0.25]),
        (at_most(0.1), [0.8, 1.0], [0.0, None], [0.0, -0.2, 0.0]),
        (within(0), [1.0, 1.0], [0.0, None], [0.0, 0.0, 0.0]),
        (within(0.3), [0.8, 1.1], [0.2, None], [-0.2, -0.2, 0.1]),
        (within(0.1), [0.8, 1.1], [None, 0.2], [-0.2, -0.2, 0.1]),
    ],
)
def test_a_rule_on_every_value_says_how_far_the_furthest_is_and_at_which_margin_it_turns(rule, values, margins, effect):
    """A bound that is kept by some distance is far from being broken, and a margin below zero says how far."""
    row = verdicts(a_claim("one", rule, np.array(values), np.ones(2)))["one"]
    assert [end if end is None else pytest.approx(end) for end in margins] == row["margins"]
    assert row["effect"] == pytest.approx(effect)


def test_a_refuted_order_says_at_which_margin_it_would_not_be():
    row = verdicts(a_claim("one", order(), deviating(-0.1), np.ones(20)))["one"]
    low, high = row["margins"]
    assert row["verdict"] == "refuted" and high is None and -0.2 < low < 0


def test_an_equality_that_is_exact_is_supported_from_a_margin_of_zero_on():
    row = verdicts(a_claim("one", equivalence(0.1), np.ones(20), np.ones(20)))["one"]
    assert row["verdict"] == "supported" and row["margins"] == [0.0, None]


@pytest.mark.parametrize("returned", [None, 1.0, (series([1.0]), 1.0), pd.DataFrame()])
def test_what_is_no_evidence_is_named(returned):
    claim = replace(a_claim("toy", order(), [1.0], [0.0]), gather=lambda runs: returned)
    with pytest.raises(InputError, match=f"^toy: returns {type(returned).__name__}, and no Evidence$"):
        decide({"toy": claim}, {"toy": pd.DataFrame()})


@pytest.mark.parametrize("fault", [TypeError("no\nsuch"), KeyError("no such"), RuntimeError("no such")])
def test_a_slip_in_a_claim_is_one_line_with_its_place(fault):
    claim = a_claim("toy", order(), fault, [0.0])
    with pytest.raises(InputError) as told:
        decide({"toy": claim}, {"toy": pd.DataFrame()})
    line = claim.gather.__code__.co_firstlineno + 2
    said = str(told.value)
    assert said.startswith("tests/unit/decide/test_entries.py: line ") and f": line {line}: toy: " in said
    assert f"{type(fault).__name__}: " in said and "no such" in said and "\n" not in said
