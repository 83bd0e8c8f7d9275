"""Numbers that stand for a result, against NumPy on columns made up here."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import gmean

from ndgm.pipeline.summaries import BOUNDS, Meaning, summary
from ndgm.store.files import InputError, write_json
from ndgm.store.run_tables import write_table
from ndgm.theory.lasso import GAP_TOLERANCE, KKT_TOLERANCE

NORMS = {"ista": [1.0, 4.0, 2.0, 16.0], "adam": [-3.0, 5.0, np.nan, 0.25]}


@pytest.fixture
def table(tmp_path):
    """Two methods with two runs of two rows each."""
    rows = [
        {"design": "a", "method": method, "run": f"{method}{i // 2}", "step": i % 2, "l1_norm": value}
        for method, values in NORMS.items()
        for i, value in enumerate(values)
    ]
    write_table(tmp_path / "runs.parquet", pd.DataFrame(rows))
    return tmp_path / "runs.parquet"


def test_means_of_a_run_table_are_those_of_the_ends_and_of_all_rows(table):
    found = {str(quantity): number for quantity, number in summary(table).items()}
    assert found["ista.l1_norm, mean"] == (10.0, 10.0)
    assert found["ista.l1_norm, median"] == (10.0, 10.0)
    assert found["ista.l1_norm, geometric mean"].value == pytest.approx(gmean([4, 16]), rel=1e-14)
    assert found["ista.l1_norm, mean, over all rows"].value == np.mean(NORMS["ista"])
    assert found["l1_norm, mean"].value == np.mean([4, 16, 5, 0.25])
    # Of −3, 5 and 0.25: an error of the mean is relative to the mean size.
    assert found["adam.l1_norm, mean, over all rows"] == pytest.approx((2.25 / 3, 8.25 / 3))
    assert found["adam.l1_norm, mean size, over all rows"].value == pytest.approx(8.25 / 3)
    assert found["adam.l1_norm, geometric mean, over all rows"].value == pytest.approx(gmean([3, 5, 0.25]))
    assert found["l1_norm, share that is finite"] == (7 / 8, 1.0)


@pytest.mark.parametrize("factor", [1.02, 0.98])
def test_a_column_that_is_wrong_by_two_percent_changes_each_of_its_numbers_by_that(table, tmp_path, factor):
    before = summary(table)
    changed = pd.read_parquet(table)
    changed["l1_norm"] *= factor
    write_table(tmp_path / "changed.parquet", changed)
    after = summary(tmp_path / "changed.parquet")
    of_column = [quantity for quantity in before if "l1_norm" in quantity.name and quantity.statistic]
    assert len(of_column) == 4 * 2 * 3  # statistics, ends and all rows, two methods and all
    for quantity in of_column:
        assert after[quantity] == pytest.approx([factor * each for each in before[quantity]], rel=1e-12), quantity


def test_bounds_are_those_of_the_solver():
    assert BOUNDS == {"kkt_violation": KKT_TOLERANCE, "relative_gap": GAP_TOLERANCE}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_residual_is_held_against_the_bound_that_it_certifies(tmp_path, name):
    bound = BOUNDS[name]
    for values, share in (([0.0, bound / 1e6, bound], 0.0), ([2 * bound, 0, 0, np.nan], 0.5)):
        write_table(tmp_path / "exact.parquet", pd.DataFrame({name: values}))
        assert summary(tmp_path / "exact.parquet")[Meaning(name, f"share above {bound:g}")] == (share, 1.0)


def test_claims_give_their_verdict_and_their_numbers(tmp_path):
    claim = {
        "id": "a",
        "verdict": "supported",
        "measured": 2.0,
        "reference": None,
        "table": {"x": {"y": 3.0, "z": None}},
    }
    write_json(tmp_path / "claims.json", [claim])
    found = {str(quantity): each for quantity, each in summary(tmp_path / "claims.json").items()}
    assert found == {"a, verdict": "supported", "a, measured": (2.0, 2.0), "a, x, y": (3.0, 3.0)}


def test_wrong_content_is_one_line(table, tmp_path):
    write_json(tmp_path / "claims.json", [{"id": "a", "verdict": "supported"}])
    with pytest.raises(InputError, match=r"claims.json: .*has no measured"):
        summary(tmp_path / "claims.json")
    write_table(tmp_path / "other.parquet", pd.read_parquet(table).drop(columns="design"))
    with pytest.raises(InputError, match=r"other.parquet: has no column design"):
        summary(tmp_path / "other.parquet")


def test_what_only_shows_numbers_has_none(tmp_path):
    (tmp_path / "paper.pdf").write_bytes(b"paper")
    assert summary(tmp_path / "paper.pdf") == {}
