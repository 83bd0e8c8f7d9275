"""A run beside its reference: each level is reached by the change that it names, and differences are traced."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from ndgm.data.kinds import Regression, Samples
from ndgm.pipeline.verification import Level, accept, compare, report
from ndgm.store.arrays import write_data
from ndgm.store.files import InputError, write_json
from ndgm.store.run_tables import read_table, write_table

CLAIM = {
    "id": "l1_paradox_slope",
    "verdict": "supported",
    "measured": 25.1,
    "reference": 25.0,
    "interval": [25.0, 25.2],
    "margin": 0.05,
}
SETTINGS = {"root_seed": 1, "device": "cpu", "l1_paradox": {"lasso": {"seeds": 2}}}
SVG = '<svg width="10"><path d="M 1.5 2 L 30.25 4"/></svg>'


@pytest.fixture
def run(tmp_path):
    """Results with one file of each kind, and the reference accepted from them."""
    results, reference = tmp_path / "results", tmp_path / "reference"
    rng = np.random.default_rng(0)
    write_data(results / "data/lasso_a.npz", Regression(rng.standard_normal((9, 2)), rng.standard_normal(9)))
    write_data(results / "data/edge_digits.npz", Samples(rng.standard_normal((9, 2)), rng.standard_normal((9, 3))))
    runs = {"design": "a", "method": "ista", "run": range(20), "step": 5, "mean_l1_norm": rng.uniform(1, 2, 20)}
    write_table(results / "runs/l1_paradox_lasso_a.parquet", pd.DataFrame(runs))
    write_json(results / "runs/l1_paradox_lasso_a.json", {"code": "as it was"})
    write_json(results / "claims.json", [CLAIM])
    (results / "figures").mkdir()
    (results / "figures/norm.svg").write_text(SVG)
    (results / "paper.pdf").write_bytes(b"paper")
    (results / "logs").mkdir()
    (results / "logs/paper.log").write_text("said")
    accept(results, reference, SETTINGS)
    return results, reference


def level_of(findings, file):
    return next(finding.level for finding in findings if finding.file == file)


def differences(findings):
    return {finding.file: finding.differences for finding in findings if finding.differences}


def test_the_same_run_is_identical_and_logs_do_not_count(run):
    results, reference = run
    (results / "logs/paper.log").write_text("said something else")
    findings = compare(results, reference)
    assert {finding.level for finding in findings} == {Level.IDENTICAL}
    assert len(findings) == 7
    assert report(findings, {}) == ["7 files: identical bytes"]


@pytest.mark.parametrize(("factor", "level"), [(1 + 1e-5, Level.WITHIN_TOLERANCE), (1.05, Level.DIFFERS)])
def test_a_table_of_chaotic_orbits_may_move_by_one_percent(run, factor, level):
    results, reference = run
    path = results / "runs/l1_paradox_lasso_a.parquet"
    table = read_table(path)
    write_table(path, table.assign(mean_l1_norm=factor * table["mean_l1_norm"]))
    findings = compare(results, reference)
    assert level_of(findings, "runs/l1_paradox_lasso_a.parquet") == level
    rules = {"results/{scale}/data/lasso_{design}.npz": "make", "results/{scale}/runs/{experiment}.parquet": "train"}
    if level == Level.DIFFERS:
        (line,) = report(findings, rules)[:-1]
        assert line.startswith("runs/l1_paradox_lasso_a.parquet: ista.mean_l1_norm is ")
        assert line.endswith("(made by rule train)") and "off by" in line


def test_data_may_not_move_by_one_percent(run):
    results, reference = run
    write_data(results / "data/lasso_a.npz", Regression(np.ones((9, 2)), np.ones(9)))
    assert set(differences(compare(results, reference))) == {"data/lasso_a.npz"}


def test_data_of_networks_are_compared_too(run):
    # Samples of a new name were taken for a design, and no run could be made the reference.
    results, reference = run
    write_data(results / "data/edge_digits.npz", Samples(np.ones((9, 2)), np.ones((9, 3))))
    assert set(differences(compare(results, reference))) == {"data/edge_digits.npz"}


def test_a_figure_that_is_gone_leaves_no_picture_in_the_reference(run):
    results, reference = run
    (results / "figures/norm.svg").rename(results / "figures/floor.svg")
    accept(results, reference, SETTINGS)
    assert [path.name for path in (reference / "figures").iterdir()] == ["floor.svg"]


def test_a_changed_reference_value_is_named_though_the_bytes_are_identical(run):
    results, reference = run
    values = json.loads((reference / "values.json").read_text())
    values["claims.json"]["l1_paradox_slope.deviation"]["value"] += 0.5
    write_json(reference / "values.json", values)
    (line,) = differences(compare(results, reference))["claims.json"]
    assert line.startswith("l1_paradox_slope.deviation is 0.004, reference 0.504, off by 0.5")


def test_a_number_of_a_claims_table_is_compared(run):
    results, reference = run
    with_table = CLAIM | {"table": {"log_cosh": {"measured": 1.6}}}
    write_json(results / "claims.json", [with_table])
    accept(results, reference, SETTINGS)
    for value, level in ((1.601, Level.WITHIN_TOLERANCE), (1.7, Level.DIFFERS)):
        write_json(results / "claims.json", [with_table | {"table": {"log_cosh": {"measured": value}}}])
        assert level_of(compare(results, reference), "claims.json") == level
    (line,) = differences(compare(results, reference))["claims.json"]
    assert line.startswith("l1_paradox_slope.log_cosh.measured is 1.7, reference 1.6")


def test_another_verdict_differs(run):
    results, reference = run
    write_json(results / "claims.json", [CLAIM | {"verdict": "refuted"}])
    found = differences(compare(results, reference))
    assert found == {"claims.json": ("l1_paradox_slope.verdict is refuted, reference supported",)}


@pytest.mark.parametrize(
    ("drawn", "level"),
    [
        (SVG.replace("30.25", "30.26"), Level.WITHIN_TOLERANCE),
        (SVG.replace("30.25", "39.25"), Level.DIFFERS),
        (SVG.replace("L", "C"), Level.DIFFERS),
    ],
)
def test_a_figure_may_move_by_a_point(run, drawn, level):
    results, reference = run
    (results / "figures/norm.svg").write_text(drawn)
    assert level_of(compare(results, reference), "figures/norm.svg") == level


def test_a_document_may_differ_only_where_its_numbers_do(run):
    results, reference = run
    (results / "paper.pdf").write_bytes(b"another template")
    assert level_of(compare(results, reference), "paper.pdf") == Level.DIFFERS
    (results / "figures/norm.svg").write_text(SVG.replace("30.25", "30.26"))
    assert level_of(compare(results, reference), "paper.pdf") == Level.WITHIN_TOLERANCE


def test_a_record_may_differ_where_no_number_does(run):
    results, reference = run
    write_json(results / "runs/l1_paradox_lasso_a.json", {"code": "edited"})
    assert level_of(compare(results, reference), "runs/l1_paradox_lasso_a.json") == Level.WITHIN_TOLERANCE


def test_the_settings_of_a_run_stand_in_its_reference(run):
    results, reference = run
    assert json.loads((reference / "settings.json").read_text()) == SETTINGS


@pytest.mark.parametrize(("key", "value"), [("root_seed", 7), ("device", "cuda")])
def test_a_run_with_other_settings_is_no_reference(run, key, value):
    # `--config root_seed=7` writes into the folder of the scale.
    results, reference = run
    write_json(results / "runs/l1_paradox_lasso_a.json", {"settings": SETTINGS | {key: value}})
    before = (reference / "hashes.json").read_bytes()
    with pytest.raises(InputError, match=f"l1_paradox_lasso_a.json: {key} was {value}, and in the config it is"):
        accept(results, reference, SETTINGS)
    assert (reference / "hashes.json").read_bytes() == before


def test_missing_and_additional_files_differ(run):
    results, reference = run
    (results / "paper.pdf").rename(results / "paper.ps")
    found = differences(compare(results, reference))
    assert found == {"paper.pdf": ("is missing from the results",), "paper.ps": ("is not in the reference",)}


def test_no_reference_is_one_line(run):
    results, reference = run
    shutil.rmtree(reference)
    with pytest.raises(InputError, match="hashes.json: no such file"):
        compare(results, reference)
