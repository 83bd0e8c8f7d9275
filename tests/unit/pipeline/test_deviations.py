"""Deviations between runs, and the tolerances that follow from them."""

import json

import numpy as np
import pandas as pd
import pytest
from copies import ROOT

from ndgm.pipeline.deviations import (
    AMPLIFIED,
    LEAST,
    MOST,
    SAFETY,
    Measured,
    compared,
    deviation,
    read_measured,
    tolerance,
    write_measured,
)
from ndgm.pipeline.processor import OTHER_PROCESSORS
from ndgm.pipeline.summaries import STATISTICS, Meaning, Number
from ndgm.store.files import InputError, write_json
from ndgm.store.run_tables import write_table


def results(folder, value, verdict="supported", zeros=0.0):
    """Results with one table and one claim."""
    write_table(folder / "runs/a.parquet", pd.DataFrame({"l1_norm": [value, value], "zeros": [zeros, zeros]}))
    write_json(folder / "claims.json", [a_claim(verdict=verdict, measured=value)])
    return folder


def a_claim(**entries):
    """An entry of `claims.json`, as far as its numbers are concerned."""
    claim = {"id": "c", "verdict": "supported", "measured": 1.0, "reference": 1.0, "compared": "predicted"}
    return claim | {"experiments": ["a"], "interval": None, "p_value": None, "table": {}} | entries


def test_the_largest_deviation_over_all_pairs_counts(tmp_path):
    run = results(tmp_path / "run", 4.0)
    measured = Measured()
    for number, value in enumerate((4.01, 3.9, 4.02)):
        other = results(tmp_path / str(number), value)
        measured = measured.with_runs("smoke", number, "sse4.2", run, other)
    of_column = {f"l1_norm, {statistic}": pytest.approx(0.025) for statistic in STATISTICS}
    assert measured.deviations["runs/a.parquet"] == of_column
    assert measured.deviations["claims.json"] == {"c, measured": pytest.approx(0.025)}
    assert measured.verdicts == {}
    assert [pair["root_seed"] for pair in measured.runs] == [0, 1, 2]
    write_measured(tmp_path / "deviations.json", measured)
    again = read_measured(tmp_path / "deviations.json")
    assert (again.runs, again.verdicts) == (measured.runs, measured.verdicts)
    assert again.deviations == {file: pytest.approx(moved) for file, moved in measured.deviations.items()}
    assert read_measured(tmp_path / "none.json") == Measured()


def test_a_statistic_that_stayed_where_it_was_by_chance_is_held_to_what_its_runs_did(tmp_path):
    """A median of counts that one pair of runs left alone had the tolerance of a number that nothing amplifies."""
    counts = np.arange(20.0) // 2
    for name, zeros in (("run", counts), ("other", counts + np.tile([1.0, -1.0], 10))):
        table = {"run": range(20), "design": "a", "zeros": zeros, "exact": 3.0}
        write_table(tmp_path / name / "runs/a.parquet", pd.DataFrame(table))
        write_json(tmp_path / name / "claims.json", [a_claim()])
    assert Measured().with_runs("smoke", 1, "avx", tmp_path / "run", tmp_path / "run").deviations == {}
    moved = Measured().with_runs("smoke", 1, "avx", tmp_path / "run", tmp_path / "other").deviations["runs/a.parquet"]
    assert not any(name.startswith("exact") for name in moved)
    # Means differ by 0 as they are; those of 20 values ±1 with a deviation of 1/√20.
    assert 1 / np.sqrt(20) < moved["zeros, mean"] * counts.mean() < 5 / np.sqrt(20)
    assert moved["zeros, median"] is None or moved["zeros, median"] > 0.05


def test_a_claim_on_a_table_that_moved_is_known_up_to_its_interval(tmp_path):
    claims = [
        a_claim(measured=10.0, reference=8.0, compared="other arm", interval=[9.0, 12.0], p_value=0.01),
        a_claim(id="d", measured=10.0, interval=[9.8, 10.2], p_value=0.01),
        a_claim(id="e", interval=[0.0, 2.0], table={"x": {"loss": 1.0}, "y": {"loss": 2.0}}),
        a_claim(id="f", experiments=["b"], interval=[0.0, 2.0], p_value=0.5),
    ]
    run, other = results(tmp_path / "run", 4.0), results(tmp_path / "other", 4.01)
    write_json(run / "claims.json", claims)
    claims[2] = claims[2] | {"table": {"x": {"loss": 1.1}, "y": {"loss": 2.0}}}
    write_json(other / "claims.json", claims)
    moved = Measured().with_runs("smoke", 1, "avx", run, other).deviations["claims.json"]
    assert moved == {
        "c, measured": pytest.approx(0.15),
        "c, reference": pytest.approx(0.15),
        "d, measured": pytest.approx(0.02),
        "e, x, loss": pytest.approx(0.1),
    }


def test_a_run_beside_the_reference_of_another_processor(tmp_path):
    run = results(tmp_path / "run", 4.0, "refuted")
    values = {
        "claims.json": {"c, measured": {"value": 4.1, "tolerance": 1e-9}, "c, verdict": {"value": "supported"}},
        "runs/a.parquet": {"l1_norm, mean": {"value": 4.4, "tolerance": 1e-9}, "gone": {"value": 1.0}},
    }
    write_json(tmp_path / "reference/values.json", values)
    write_json(tmp_path / "reference/processor.json", {"model": "Other", "machine": "x86_64", "instructions": "AVX"})
    write_json(tmp_path / "reference/settings.json", {"scale": "smoke"})
    with pytest.raises(InputError, match="reference: the reference of the scale smoke, not of laptop"):
        Measured().with_reference("laptop", 1, run, tmp_path / "reference")
    measured = Measured().with_reference("smoke", 1, run, tmp_path / "reference")
    assert measured.deviations == {
        "claims.json": {"c, measured": pytest.approx(0.025)},
        "runs/a.parquet": {"l1_norm, mean": pytest.approx(0.1)},
    }
    assert measured.verdicts == {"smoke": {"c": ["refuted", "supported"]}}
    assert measured.runs[0]["other_processor"] == "Other, x86_64 with AVX"
    # Of a claim on that table chance is known besides, from its interval.
    write_json(run / "claims.json", [a_claim(measured=4.0, interval=[3.8, 4.4], p_value=0.01, verdict="refuted")])
    beside = Measured().with_reference("smoke", 1, run, tmp_path / "reference")
    assert beside.deviations["claims.json"] == {"c, measured": pytest.approx(0.075)}


def test_a_verdict_that_differs_is_kept_by_scale(tmp_path):
    run, other = results(tmp_path / "run", 4.0), results(tmp_path / "other", 4.0, "refuted")
    measured = Measured().with_runs("laptop", 1, "avx", run, other)
    assert measured.verdicts == {"laptop": {"c": ["refuted", "supported"]}}
    assert measured.deviations == {}


def test_a_number_that_is_zero_on_one_processor_only_is_not_compared(tmp_path):
    run, other = results(tmp_path / "run", 4.0), results(tmp_path / "other", 4.0, zeros=2.0)
    measured = Measured().with_runs("smoke", 1, "avx", run, other)
    assert measured.deviations == {"runs/a.parquet": {f"zeros, {statistic}": None for statistic in STATISTICS}}
    assert tolerance(None) is None


def test_runs_with_other_files_are_not_of_one_config(tmp_path):
    run, other = results(tmp_path / "run", 4.0), results(tmp_path / "other", 4.0)
    (other / "runs/a.parquet").rename(other / "runs/b.parquet")
    with pytest.raises(InputError, match="has other files than .*runs/a.parquet"):
        Measured().with_runs("smoke", 1, "avx", run, other)


def test_a_tolerance_is_twice_what_was_seen_and_finds_two_percent():
    assert tolerance(0.0) == LEAST
    assert tolerance(0.003) == pytest.approx(SAFETY * 0.003)
    assert tolerance(MOST / SAFETY) is None
    assert deviation(Number(2.0, 4.0), Number(2.1, 9.0)) == pytest.approx(0.025)
    assert deviation(Number(0.0, 0.0), Number(0.1, 0.1)) is None
    assert deviation(None, Number(1.0, 1.0)) is None


def test_a_mean_whose_entries_cancel_is_compared_only_beside_the_mean_size():
    numbers = {
        Meaning("a", "mean"): Number(0.01, 1.0),
        Meaning("a", "geometric mean"): Number(0.5, 0.5),
        Meaning("a", "mean size"): Number(1.0, 1.0),
    }
    beside = compared(numbers, {"a, mean": 0.001})
    assert {name: entry["value"] for name, entry in beside.items()} == {"a, mean": 0.01, "a, mean size": 1.0}
    assert list(compared(numbers, {"a, mean": 0.001, "a, mean size": 0.1})) == ["a, geometric mean"]


def test_the_first_statistic_that_chance_leaves_alone_is_compared():
    numbers = {
        Meaning("a", "mean"): Number(-5.0, 6.0),
        Meaning("a", "geometric mean"): Number(4.0, 4.0),
        Meaning("a", "median"): Number(3.0, 3.0),
        Meaning("a", "mean size"): Number(6.0, 6.0),
        Meaning("ista.b", "mean"): Number(1.0, 1.0),
        Meaning("ista.b", "median"): Number(1.0, 1.0),
        Meaning("c, verdict"): "supported",
    }
    assert compared(numbers, {"a, mean": 0.001, "ista.b, mean": None, "ista.b, median": 0.5}) == {
        "a, mean": {"value": -5.0, "tolerance": pytest.approx(0.012)},
        "a, mean size": {"value": 6.0, "tolerance": pytest.approx(0.012)},
        "ista.b, mean": {"value": 1.0, "tolerance": None},
        "c, verdict": {"value": "supported"},
    }
    found = compared(numbers, {"a, mean": 0.1, "a, geometric mean": 0.002, "a, mean size": 0.1})
    assert found["a, geometric mean"] == {"value": 4.0, "tolerance": pytest.approx(4.0 * MOST / 2)}
    assert not {"a, mean", "a, median", "a, mean size"} & found.keys()


def test_no_number_of_a_method_whose_rounding_was_amplified_is_held_closer_than_most_that_moved():
    """Chance decides which of them one pair of runs leaves alone; an error of 2 % is found all the same."""
    columns = ("adam.loss", "adam.norm", "adam.accuracy", "ista.loss", "ista.accuracy")
    numbers = {Meaning(name, "mean"): Number(1.0, 1.0) for name in columns} | {Meaning("c, measured"): Number(1.0, 1.0)}
    moved = {"adam.loss, mean": 1e-3, "adam.norm, mean": 1e-4, "ista.loss, mean": AMPLIFIED / 2}
    found = {name: entry["tolerance"] for name, entry in compared(numbers, moved).items()}
    assert found == {
        "adam.loss, mean": pytest.approx(SAFETY * 1e-3),
        "adam.norm, mean": pytest.approx(SAFETY * 5.5e-4),
        "adam.accuracy, mean": pytest.approx(SAFETY * 5.5e-4),
        "ista.loss, mean": pytest.approx(SAFETY * AMPLIFIED / 2),
        "ista.accuracy, mean": LEAST,
        "c, measured": LEAST,
    }
    far = compared(numbers, {"adam.loss, mean": 1.0, "adam.norm, mean": 2.0})
    assert far["adam.loss, mean"]["tolerance"] is None
    assert far["adam.accuracy, mean"]["tolerance"] == pytest.approx(MOST / 2)


def test_the_reference_was_measured_on_four_processors_and_three_root_seeds():
    measured = read_measured(ROOT / "reference/deviations.json")
    seen = {(pair["root_seed"], pair["other_processor"]) for pair in measured.runs if pair["scale"] == "smoke"}
    seeds = {seed for seed, _ in seen}
    assert len(seeds) >= 3
    assert seen >= {(seed, name) for seed in seeds for name in OTHER_PROCESSORS}
    assert any(pair["scale"] == "laptop" for pair in measured.runs)


@pytest.mark.parametrize("scale", ["laptop", "smoke"])
def test_each_compared_number_finds_two_percent(scale):
    """A number of the reference that is wrong by 2 % is outside its tolerance; all but a few are compared."""
    values = json.loads((ROOT / f"reference/{scale}/values.json").read_text())
    numbers = [entry for file in values.values() for entry in file.values() if "tolerance" in entry]
    held = [entry for entry in numbers if entry["tolerance"] is not None]
    assert len(held) > 0.95 * len(numbers)
    # A mean of entries of both signs is relative to their mean size, which is compared too.
    loose = [
        f"{file}: {name}"
        for file, entries in values.items()
        for name, entry in entries.items()
        if entry.get("tolerance") and entry["tolerance"] >= MOST * abs(entry["value"]) and not _size(entries, name)
    ]
    assert loose == []


def _size(entries, name):
    """Whether the mean size of a column is compared."""
    return entries.get(name.replace(", mean", ", mean size"), {}).get("tolerance")


@pytest.mark.parametrize("scale", ["laptop", "smoke"])
def test_every_table_has_numbers_that_are_compared(scale):
    """No table is left to chance as a whole."""
    values = json.loads((ROOT / f"reference/{scale}/values.json").read_text())
    for file, numbers in values.items():
        assert any(entry.get("tolerance") is not None for entry in numbers.values()), file
