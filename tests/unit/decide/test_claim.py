"""Claims as they register themselves, and evidence that no rule can judge."""

import pandas as pd
import pytest

from ndgm.decide.claim import CLAIMS, Evidence, EvidenceError, claim
from ndgm.decide.statistics import within


def series(values):
    index = pd.MultiIndex.from_product([["a"], range(len(values))], names=["design", "seed"])
    return pd.Series(values, index=index, dtype=float)


@pytest.mark.parametrize(
    ("evidence", "fault"),
    [
        (
            lambda: Evidence(series([1, 1]), 1.0, "predicted", over="run"),
            "measured has the levels ['design', 'seed'], not 'run'",
        ),
        (lambda: Evidence(series([1, 1]).droplevel("design"), 1.0, "predicted"), "measured has the levels ['seed']"),
        (lambda: Evidence(series([1, 1]), 1.0, compared="theory"), "'theory', not one of predicted, bound, other arm"),
        (
            lambda: Evidence(series([1, 1]), series([1, 1]).rename_axis(["kind", "seed"]), "predicted"),
            "reference has the levels",
        ),
        (lambda: Evidence(pd.concat([series([1])] * 2), 1.0, "predicted"), "two values for {'design': 'a', 'seed': 0}"),
        (lambda: Evidence(series([1, 1]), pd.concat([series([1])] * 2), "predicted"), "reference has two values"),
        (
            lambda: Evidence(series([1, 1]), 1.0, "predicted", unordered=series([1]) == 1),
            "unordered has not the index of measured",
        ),
    ],
)
def test_evidence_that_no_rule_can_judge_is_refused_in_one_line(evidence, fault):
    with pytest.raises(EvidenceError) as raised:
        evidence()
    assert fault in str(raised.value) and "\n" not in str(raised.value)


def test_the_decorator_takes_group_id_and_experiments_from_the_function():
    @claim(figure="figure", kind="finding", test=within(0), unit="weights")
    def a_claim_of_this_test(some_runs, some_exact):
        """First line,
        and the second.
        """

    one = CLAIMS.pop("a_claim_of_this_test")
    assert (one.group, one.experiments, one.kind) == (
        __name__.rpartition(".")[2],
        ("some_runs", "some_exact"),
        "finding",
    )
    assert one.statement == "First line, and the second." and one.gather is a_claim_of_this_test
    with pytest.raises(ValueError, match="kind is 'law', not one of finding, identity"):
        claim(figure="figure", kind="law", test=within(0))
