"""Which rows of runs on designs are taken, on a table by hand."""

import pandas as pd
import pytest

from ndgm.claims.rows.designs import settled, settled_cases, where_means_relax, where_the_law_holds
from ndgm.decide.statistics import MissingValue


@pytest.fixture
def runs():
    """Two designs of a family and a single case, each at two penalties; one phase discrepancy is large."""
    rows = [(name, seed, penalty) for name, seed in (("a", 0), ("a", 1), ("real", 0)) for penalty in (0.5, 2.0)]
    table = pd.DataFrame(rows, columns=["design", "seed", "penalty_over_max"])
    table["phase_discrepancy"] = [0.01, 0.01, 0.2, 0.01, 0.01, 0.2]
    table = table.assign(run=table.index, step_size_times_lipschitz=0.1, law_l1_norm=2.0, part=1.0, step=10)
    return table.assign(
        method="subgradient", single_case=table["design"] == "real", stationary=True, stopped_because="finished"
    )


def kept(rows):
    return sorted(rows["run"])


def test_families_and_single_cases_are_kept_apart(runs):
    assert kept(settled(runs)) == [0, 1, 2, 3] and kept(settled_cases(runs)) == [4, 5]
    with pytest.raises(MissingValue, match="no runs on single cases"):
        settled_cases(runs[runs["design"] == "a"])
    with pytest.raises(MissingValue, match="no runs on random designs"):
        settled(runs[runs["design"] == "real"])


def test_a_run_that_moves_is_a_gap_among_its_own_kind_alone(runs):
    runs.loc[5, "stationary"] = False
    assert len(settled(runs)) == 4
    with pytest.raises(MissingValue, match="the means of 1 of 2 runs did not settle: real"):
        settled_cases(runs)


def test_a_cell_counts_as_a_whole(runs):
    # One of two designs at the lower penalty is above the margin.
    assert kept(where_the_law_holds(settled(runs), 0.03)) == [1, 3]
    assert kept(where_the_law_holds(settled_cases(runs), 0.03)) == [4]
    # As a share of half the norm it is twice as large.
    with pytest.raises(MissingValue, match="where the law is said to hold"):
        where_the_law_holds(settled(runs), 0.01, of="part")


def test_a_cell_has_relaxed_where_all_its_designs_have(runs):
    runs["means_relax"] = [True, True, False, True, True, True]
    assert kept(where_means_relax(settled(runs))) == [1, 3]
    runs["means_relax"] = False
    with pytest.raises(MissingValue, match="no runs where all means relax"):
        where_means_relax(settled(runs))
