"""Files are written whole or not at all, to the same bytes, and a damaged one is named in one line."""

import json
import os

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from ndgm.store.files import InputError, read_json, rounded, write_atomically, write_json
from ndgm.store.run_tables import last_rows, read_experiment, read_table, read_tables, write_table


def small_table(experiment="toy", design="a", runs=6):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "experiment": experiment,
            "design": design,
            "run": np.repeat(np.arange(runs), 3),
            "step": np.tile([10, 20, 40], runs),
            "l1_norm": rng.standard_normal(3 * runs),
            "mean_l1_norm": np.tile([np.nan, np.nan, 1.5], runs),
        }
    )


def test_a_file_appears_whole_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "new folder" / "result.txt"
    with write_atomically(path) as temporary:
        assert temporary.parent == path.parent and temporary.suffix == path.suffix
        temporary.write_text("half")
        assert not path.exists()
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert [file.name for file in path.parent.iterdir()] == ["result.txt"]


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
def test_a_fault_keeps_the_old_file_and_leaves_nothing_behind(tmp_path, fault):
    path = tmp_path / "result.txt"
    path.write_text("old")
    with pytest.raises(fault), write_atomically(path) as temporary:
        temporary.write_text("half")
        raise fault
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["result.txt"]
    with pytest.raises(fault), write_atomically(tmp_path / "never.txt"):
        raise fault
    assert not (tmp_path / "never.txt").exists()


def test_what_a_killed_program_left_is_overwritten(tmp_path):
    with write_atomically(tmp_path / "result.txt") as temporary:
        temporary.write_text("new")
    temporary.write_text("left by a killed program, longer than the new file")
    with write_atomically(tmp_path / "result.txt") as temporary:
        temporary.write_text("newer")
    assert [file.name for file in tmp_path.iterdir()] == ["result.txt"]
    assert (tmp_path / "result.txt").read_text() == "newer"


def test_tables_and_json_have_fixed_bytes(tmp_path):
    values = {"b": [1, 0.1 + 0.2, None, "ηλ"], "a": {"y": np.float64(2.0), "x": np.int64(3), "t": True}}
    for name in ("one", "two"):
        write_table(tmp_path / f"{name}.parquet", small_table())
        write_json(tmp_path / f"{name}.json", values)
        values = dict(reversed(values.items()))
    for suffix in ("parquet", "json"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()


def test_a_written_table_is_read_back_by_pandas_too(tmp_path):
    path, table = tmp_path / "toy.parquet", small_table()
    write_table(path, table)
    pd.testing.assert_frame_equal(read_table(path), table, check_exact=True)
    pd.testing.assert_frame_equal(pd.read_parquet(path), table, check_exact=True)
    # Versions of libraries in the file's metadata would change its bytes.
    assert pq.read_schema(path).metadata is None


def test_json_is_read_back_with_twelve_digits(tmp_path):
    write_json(
        tmp_path / "values.json", {"third": 1 / 3, "huge": np.inf, "none": np.nan, "text": "λ", "n": np.int64(7)}
    )
    text = (tmp_path / "values.json").read_text(encoding="utf-8")
    assert "λ" in text and text.endswith("}\n")
    assert json.loads(text) == {"third": 0.333333333333, "huge": None, "none": None, "text": "λ", "n": 7}
    assert rounded({"a": (1.0, True), "b": 123456.789}, digits=3) == {"a": [1.0, True], "b": 123000.0}


def test_a_damaged_table_is_an_input_error_that_names_the_file(damaged, tmp_path):
    # Without checksums of pages, a changed byte gave other numbers and no error.
    path, table = tmp_path / "runs.parquet", small_table(runs=40)
    write_table(path, table)
    refused, whole = 0, path.read_bytes()
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    for content in damaged(whole):
        path.write_bytes(content)
        try:
            found = read_table(path)
        except InputError as fault:
            assert str(path) in str(fault) and "\n" not in str(fault)
            refused += 1
        else:
            # The footer, where names and types of columns stand, has no checksum.
            if content[footer:] == whole[footer:]:
                pd.testing.assert_frame_equal(found, table, check_exact=True)
    assert refused > 100


def test_missing_or_damaged_json_is_an_input_error_that_names_the_file(damaged, tmp_path):
    path = tmp_path / "claims.json"
    with pytest.raises(InputError, match="claims.json: no such file"):
        read_json(path)
    write_json(path, {"a": [1, 2, 3]})
    whole = path.read_bytes()
    for content in [b"", *(whole[:length] for length in range(1, len(whole) - 1)), b"\xff\xfe", b"text"]:
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"claims\.json: truncated or corrupted"):
            read_json(path)


def test_a_missing_table_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="none.parquet: no such file"):
        read_table(tmp_path / "none.parquet")
    os.mkdir(tmp_path / "folder.parquet")
    with pytest.raises(InputError, match="folder.parquet"):
        read_table(tmp_path / "folder.parquet")


def test_tables_of_one_experiment_are_stacked(tmp_path):
    paths = []
    for experiment, design in [("lasso", "b"), ("noise", "a"), ("lasso", "a")]:
        paths.append(tmp_path / "runs" / f"{experiment}_{design}.parquet")
        write_table(paths[-1], small_table(experiment, design))
    tables = read_tables(paths)
    assert tables.keys() == {"lasso", "noise"}
    assert tables["lasso"]["design"].unique().tolist() == ["b", "a"]
    assert tables["lasso"].index.tolist() == list(range(36))
    by_name = read_experiment(tmp_path, "lasso")
    assert by_name["design"].unique().tolist() == ["a", "b"] and len(by_name) == 36


def test_an_experiment_is_read_from_one_file_or_several_and_not_mixed_with_a_longer_name(tmp_path):
    files = {
        "runs/networks_digits": ("networks", "digits"),
        "runs/networks_teacher": ("networks", "teacher"),
        "runs/networks_floors_digits": ("networks_floors", "digits"),
        "runs/networks_floors": ("networks_floors", "x"),
        "exact/networks": ("networks", "exact"),
        "exact/net": ("net", "short"),
        "runs/more_networks": ("more_networks", "other"),
    }
    for name, (experiment, design) in files.items():
        write_table(tmp_path / f"{name}.parquet", small_table(experiment, design))
    expected = {
        "networks": ["exact", "digits", "teacher"],
        "networks_floors": ["x", "digits"],
        "net": ["short"],
        "more_networks": ["other"],
    }
    for experiment, designs in expected.items():
        found = read_experiment(tmp_path, experiment)
        assert found["design"].unique().tolist() == designs and len(found) == 18 * len(designs)
        assert found["experiment"].unique().tolist() == [experiment] and found.index.is_unique


def test_a_table_that_nobody_named_is_not_read(tmp_path, monkeypatch):
    # What a design left behind that is no longer in the config was drawn with the others.
    for design in ("a", "b"):
        (tmp_path / "runs").mkdir(exist_ok=True)
        write_table(tmp_path / f"runs/lasso_{design}.parquet", small_table("lasso", design))
    monkeypatch.setenv("NDGM_TABLES", f"{tmp_path}/runs/lasso_b.parquet:{tmp_path}/runs/other.parquet")
    assert read_experiment(tmp_path, "lasso")["design"].unique().tolist() == ["b"]


def test_last_rows_are_those_of_each_run_of_each_design():
    both = pd.concat([small_table(design="a"), small_table(design="b")], ignore_index=True)
    short = both.drop(index=both.index[(both["run"] == 2) & (both["step"] == 40)])
    ends = last_rows(short)
    assert len(ends) == 12 and not ends.duplicated(["design", "run"]).any()
    assert ends["step"].tolist() == [40, 40, 20, 40, 40, 40] * 2


def test_an_experiment_without_tables_is_one_clear_error(tmp_path):
    with pytest.raises(InputError, match=f"{tmp_path}: no table of lasso"):
        read_experiment(tmp_path, "lasso")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda table: table.iloc[:0], "expected a table with rows, and it has none"),
        (lambda table: table.drop(columns="experiment"), "expected a column experiment, and there are only "),
        (
            lambda table: table.assign(experiment="noise"),
            "expected the table of its own experiment, and it is of noise",
        ),
    ],
    ids=["no rows", "no experiment", "another experiment"],
)
def test_the_right_format_and_the_wrong_content(tmp_path, change, expected):
    """No rows were an IndexError, and other columns a KeyError."""
    path = tmp_path / "lasso_b.parquet"
    write_table(path, change(small_table("lasso", "b")))
    with pytest.raises(InputError, match=f"^{path}: {expected}.*; remove"):
        read_tables([path])


def test_a_table_of_another_run_is_not_taken_for_the_one_that_was_written(tmp_path):
    write_table(tmp_path / "lasso.parquet", small_table())
    small_table(runs=9).to_parquet(tmp_path / "lasso.parquet")
    with pytest.raises(InputError, match="lasso.parquet: changed or damaged: expected the content that was written"):
        read_table(tmp_path / "lasso.parquet")
