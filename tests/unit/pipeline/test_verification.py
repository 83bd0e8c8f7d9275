"""A run beside its reference: each agreement is reached by the change that it names, and differences are traced."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ndgm.data.kinds import Regression, Samples
from ndgm.pipeline import verification
from ndgm.pipeline.deviations import check_scale
from ndgm.pipeline.jobs import FIGURES, figures, settings_of_tables
from ndgm.pipeline.settings import load
from ndgm.pipeline.verification import Agreement, accept, check_complete, compare, report
from ndgm.store.arrays import write_data
from ndgm.store.files import InputError, write_json
from ndgm.store.run_tables import read_table, write_table

ROOT = Path(__file__).parents[3]
CLAIM = {
    "id": "l1_paradox_slope",
    "verdict": "supported",
    "measured": 25.1,
    "reference": 25.0,
    "interval": [25.0, 25.2],
    "margin": 0.05,
}
SETTINGS = {"root_seed": 1, "device": "cpu", "l1_paradox": {"lasso": {"seeds": 2}}}
TABLE = "runs/l1_paradox_lasso_a.parquet"
FIGURE = next(name for name, figure in FIGURES.items() if "l1_paradox_lasso" in figure.tables)
OTHER_FIGURE = next(name for name, figure in FIGURES.items() if "l1_paradox_lasso" not in figure.tables)
HERE = {"model": "made up", "vendor": "none", "machine": "x86_64", "instructions": "AVX-512"}
ELSEWHERE = HERE | {"instructions": "AVX2 and FMA"}
# What two other processors are said to have done to the numbers of the table: chance decides the median.
DEVIATIONS = {
    TABLE: {"mean_l1_norm, mean": 1e-3, "mean_l1_norm, median": 0.1, "mean_l1_norm, geometric mean": 1e-3},
    "claims.json": {"l1_paradox_slope, measured": 1e-3},
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Results with one file of each kind, and the reference accepted from them."""
    monkeypatch.setattr(verification, "processor", lambda: HERE)
    results, reference = tmp_path / "results", tmp_path / "reference"
    rng = np.random.default_rng(0)
    write_data(results / "data/lasso_a.npz", Regression(rng.standard_normal((9, 2)), rng.standard_normal(9)))
    write_data(results / "data/edge_digits.npz", Samples(rng.standard_normal((9, 2)), rng.standard_normal((9, 3))))
    runs = {"design": "a", "method": "ista", "run": range(20), "step": 5, "mean_l1_norm": rng.uniform(1, 2, 20)}
    write_table(results / TABLE, pd.DataFrame(runs))
    write_json(results / "runs/l1_paradox_lasso_a.json", {"code": "as it was"})
    write_json(results / "claims.json", [CLAIM])
    (results / "figures").mkdir()
    for name in (FIGURE, OTHER_FIGURE):
        (results / f"figures/{name}.svg").write_text("<svg/>")
    (results / "paper.pdf").write_bytes(b"paper")
    (results / "logs").mkdir()
    (results / "logs/paper.log").write_text("said")
    accept(results, reference, SETTINGS, DEVIATIONS, {})
    return results, reference


def agreements(results, reference):
    return {each.file: each.agreement for each in compare(results, reference)}


def differences(results, reference):
    return {each.file: each.differences for each in compare(results, reference) if each.differences}


def scale_table(results, factor):
    table = read_table(results / TABLE)
    write_table(results / TABLE, table.assign(mean_l1_norm=factor * table["mean_l1_norm"]))


def test_an_equal_run_is_identical_and_logs_do_not_count(run):
    results, reference = run
    (results / "logs/paper.log").write_text("said something else")
    comparisons = compare(results, reference)
    assert {each.agreement for each in comparisons} == {Agreement.IDENTICAL}
    assert len(comparisons) == 8
    line = "made up, x86_64 with AVX-512"
    said = [f"processor: {line}", f"reference: {line}", "identical bytes (8 files: identical bytes)"]
    assert report(comparisons, reference) == said


@pytest.mark.parametrize(
    ("factor", "agreement"),
    [(1 + 1.5e-3, "WITHIN_TOLERANCE"), (1 + 2.5e-3, "DIFFERS"), (1.02, "DIFFERS"), (0.98, "DIFFERS")],
)
def test_a_number_may_move_twice_as_far_as_other_processors_moved_it(run, factor, agreement):
    results, reference = run
    scale_table(results, factor)
    comparisons = compare(results, reference)
    assert agreements(results, reference)[TABLE] == Agreement[agreement]
    lines = report(comparisons, reference)
    if agreement == "DIFFERS":
        assert lines[0].startswith(f"{TABLE}: mean_l1_norm, mean is ")
        assert lines[0].endswith("(made by rule train_l1_paradox)") and "off by" in lines[0]
        assert not any("median" in line for line in lines), "chance decides it"
        assert lines[-1].startswith("differs (")
    else:
        assert f"nearest to its tolerance: {TABLE}: mean_l1_norm, " in "\n".join(lines)
        assert "at 75 % of it" in "\n".join(lines)
        assert lines[-1].startswith("within tolerance (")
        assert "bytes: these processors compute alike, so identical bytes were expected" in lines


def test_what_no_other_processor_moved_may_not_move(run):
    results, reference = run
    write_data(results / "data/lasso_a.npz", Regression(np.ones((9, 2)), np.ones(9)))
    write_data(results / "data/edge_digits.npz", Samples(np.ones((9, 2)), np.ones((9, 3))))
    assert set(differences(results, reference)) == {"data/lasso_a.npz", "data/edge_digits.npz"}


def test_a_column_more_or_less_differs(run):
    results, reference = run
    table = read_table(results / TABLE)
    write_table(results / TABLE, table.rename(columns={"mean_l1_norm": "mean_l2_norm"}))
    said = differences(results, reference)[TABLE]
    assert "mean_l1_norm, mean is missing from the results" in said
    assert "mean_l2_norm is not in the reference" in said


def test_a_new_method_is_one_line(run):
    results, reference = run
    table = read_table(results / TABLE)
    both = pd.concat([table, table.assign(method="lion")], ignore_index=True)
    write_table(results / TABLE, both)
    accept(results, reference, SETTINGS, DEVIATIONS, {})
    write_table(results / TABLE, pd.concat([both, table.assign(method="tiger")], ignore_index=True))
    assert [line for line in differences(results, reference)[TABLE] if "not in the reference" in line] == [
        "method tiger is not in the reference"
    ]


def test_a_figure_that_is_gone_leaves_no_picture_in_the_reference(run):
    results, reference = run
    (results / f"figures/{FIGURE}.svg").unlink()
    accept(results, reference, SETTINGS, DEVIATIONS, {})
    assert [path.stem for path in (reference / "figures").iterdir()] == [OTHER_FIGURE]


def test_a_changed_reference_value_is_named_though_the_bytes_are_identical(run):
    results, reference = run
    values = json.loads((reference / "values.json").read_text())
    values["claims.json"]["l1_paradox_slope, measured"]["value"] += 0.5
    write_json(reference / "values.json", values)
    (line,) = differences(results, reference)["claims.json"]
    assert line.startswith("l1_paradox_slope, measured is 25.1, reference 25.6, off by 0.5")


def test_a_number_of_a_claims_table_is_compared(run):
    results, reference = run
    write_json(results / "claims.json", [CLAIM | {"table": {"log_cosh": {"measured": 1.6}}}])
    accept(results, reference, SETTINGS, DEVIATIONS, {})
    write_json(results / "claims.json", [CLAIM | {"table": {"log_cosh": {"measured": 1.7}}}])
    (line,) = differences(results, reference)["claims.json"]
    assert line.startswith("l1_paradox_slope, log_cosh, measured is 1.7, reference 1.6")


def test_another_verdict_differs_unless_it_is_known_to_hang_on_the_processor(run):
    results, reference = run
    write_json(results / "claims.json", [CLAIM | {"verdict": "refuted"}])
    line = "l1_paradox_slope, verdict is refuted, reference supported"
    assert differences(results, reference) == {"claims.json": (line,)}
    write_json(results / "claims.json", [CLAIM])
    accept(results, reference, SETTINGS, DEVIATIONS, {"l1_paradox_slope": ["refuted", "supported"]})
    write_json(results / "claims.json", [CLAIM | {"verdict": "refuted"}])
    comparisons = compare(results, reference)
    assert not any(each.differences for each in comparisons)
    assert f"claims.json: {line}: it hangs on the processor" in report(comparisons, reference)
    write_json(results / "claims.json", [CLAIM | {"verdict": "inconclusive"}])
    assert set(differences(results, reference)) == {"claims.json"}


def test_what_shows_numbers_may_differ_only_where_its_own_numbers_do(run):
    results, reference = run
    for file in (f"figures/{FIGURE}.svg", f"figures/{OTHER_FIGURE}.svg", "paper.pdf"):
        (results / file).write_text("drawn otherwise")
    said = ("its bytes differ, though all numbers that it shows are identical",)
    changed = {f"figures/{FIGURE}.svg": said, f"figures/{OTHER_FIGURE}.svg": said, "paper.pdf": said}
    assert differences(results, reference) == changed
    # A record holds no number: an edit of the code excuses no figure.
    write_json(results / "runs/l1_paradox_lasso_a.json", {"code": "edited"})
    assert differences(results, reference) == changed
    scale_table(results, 1 + 1e-5)
    assert differences(results, reference) == {f"figures/{OTHER_FIGURE}.svg": said}
    assert agreements(results, reference)["paper.pdf"] == Agreement.WITHIN_TOLERANCE
    scale_table(results, 1.5)
    assert set(differences(results, reference)) == {TABLE, f"figures/{OTHER_FIGURE}.svg"}


def test_on_another_kind_of_processor_only_numbers_are_promised(run, monkeypatch):
    results, reference = run
    (results / f"figures/{FIGURE}.svg").write_text("drawn otherwise")
    monkeypatch.setattr(verification, "processor", lambda: ELSEWHERE)
    assert agreements(results, reference)[f"figures/{FIGURE}.svg"] == Agreement.WITHIN_TOLERANCE
    lines = report(compare(results, reference), reference)
    assert "processor: made up, x86_64 with AVX2 and FMA" in lines
    assert not any(line.startswith("bytes:") for line in lines)
    assert lines[-1] == "within tolerance (7 files: identical bytes, 1 files: within tolerance)"


def test_a_record_may_differ_where_no_number_does(run):
    results, reference = run
    write_json(results / "runs/l1_paradox_lasso_a.json", {"code": "edited"})
    assert agreements(results, reference)["runs/l1_paradox_lasso_a.json"] == Agreement.WITHIN_TOLERANCE
    lines = report(compare(results, reference), reference)
    assert not any(line.startswith("bytes:") for line in lines)


def test_the_settings_of_a_run_stand_in_its_reference(run):
    results, reference = run
    assert json.loads((reference / "settings.json").read_text()) == SETTINGS


@pytest.fixture
def whole(tmp_path):
    """Empty files of a whole run of smoke, with the records of its tables."""
    config = load("smoke", ROOT / "config")
    documents = ("paper.pdf", "paper.html", "companions.pdf", "companions.html")
    for file in ("claims.json", *documents, *(f"figures/{name}.svg" for name in figures(config))):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    for file, settings in settings_of_tables(config).items():
        write_json((tmp_path / file).with_suffix(".json"), {"settings": settings})
        (tmp_path / file).touch()
    check_complete(tmp_path, config)
    return tmp_path, config


@pytest.mark.parametrize(
    ("key", "value"), [("root_seed", 7), ("device", "cuda"), ("ensemble_size", 3), ("seeds", None), ("new", 1)]
)
def test_a_run_with_other_settings_is_no_reference(whole, key, value):
    # `--config root_seed=7` writes into the folder of the scale.
    results, config = whole
    record = results / "runs/adaptive_lasso.json"
    settings = settings_of_tables(config)["runs/adaptive_lasso.parquet"]
    write_json(
        record, {"settings": {name: each for name, each in (settings | {key: value}).items() if each is not None}}
    )
    was, now = ("not there" if each.get(key) is None else each[key] for each in (settings | {key: value}, settings))
    with pytest.raises(InputError, match=f"adaptive_lasso.json: {key} was {was}, and in the config it is {now}"):
        check_complete(results, config)


@pytest.mark.parametrize(
    "file",
    ["claims.json", "paper.pdf", "companions.html", "runs/adaptive_lasso.parquet", "figures/l1_paradox_norm.svg"],
)
def test_a_run_that_lacks_something_is_no_reference(whole, file):
    results, config = whole
    (results / file).unlink()
    with pytest.raises(InputError, match=f"{file}: is not there; the run of the scale has to be finished first"):
        check_complete(results, config)


def test_a_record_without_settings_is_named(whole):
    results, config = whole
    write_json(results / "runs/adaptive_lasso.json", {"settings": None})
    with pytest.raises(InputError, match="adaptive_lasso.json: says no settings"):
        check_complete(results, config)


def test_a_reference_stays_one_of_its_scale(tmp_path):
    check_scale(tmp_path, "smoke")
    write_json(tmp_path / "settings.json", {"scale": "smoke"})
    check_scale(tmp_path, "smoke")
    with pytest.raises(InputError, match="the reference of the scale smoke, not of laptop"):
        check_scale(tmp_path, "laptop")


@pytest.mark.parametrize(
    ("file", "change", "fault"),
    [
        ("processor.json", lambda found: {"x": 1}, "processor.json: model: is missing"),
        ("values.json", lambda found: found | {TABLE: {"a": {"value": 1.0}}}, "a: expected a number or null as tol"),
        ("values.json", lambda found: found | {TABLE: {"a": {"value": 1.0, "tolerance": "x"}}}, "a: expected a number"),
    ],
)
def test_a_damaged_reference_is_one_line(run, file, change, fault):
    results, reference = run
    write_json(reference / file, change(json.loads((reference / file).read_text())))
    with pytest.raises(InputError, match=fault):
        compare(results, reference)


def test_missing_and_additional_files_differ(run):
    results, reference = run
    (results / "paper.pdf").rename(results / "paper.ps")
    found = differences(results, reference)
    assert found == {"paper.pdf": ("is missing from the results",), "paper.ps": ("is not in the reference",)}


@pytest.mark.parametrize("content", [{"claims.json": []}, {"claims.json": {"a, measured": 1.0}}])
def test_a_reference_with_other_content_is_one_line(run, content):
    results, reference = run
    write_json(reference / "values.json", content)
    with pytest.raises(InputError, match="values.json: claims.json: .*: expected an object with a value"):
        compare(results, reference)


def test_no_reference_and_no_results_are_one_line(run):
    results, reference = run
    with pytest.raises(InputError, match="there are no results"):
        compare(results / "nowhere", reference)
    shutil.rmtree(reference)
    with pytest.raises(InputError, match="hashes.json: no such file"):
        compare(results, reference)
