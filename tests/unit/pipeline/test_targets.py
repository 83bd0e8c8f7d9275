"""What a run is asked for and what went wrong in it, in one line each."""

from pathlib import Path

import pytest

from ndgm.groups import GROUPS, Figure
from ndgm.pipeline.claim_tables import claim_tables
from ndgm.pipeline.jobs import FIGURES, TABLES
from ndgm.pipeline.targets import last_lines, unknown, unknown_tables


def test_every_claim_and_figure_reads_tables_that_there_are() -> None:
    """Those of the manifest."""
    assert unknown_tables({group.name: claim_tables(group.name) for group in GROUPS}, FIGURES.values()) == []


def test_a_table_that_there_is_not() -> None:
    """The file and the claim or figure that reads it are named, and the nearest table."""
    name = TABLES[0]
    one, other = unknown_tables({"toy": {"toy_norm": (name, name + "s")}}, [Figure("toy", (name, "x" + name))])
    assert one.startswith(f"src/ndgm/claims/toy.py: toy_norm: there is no table {name}s; did you mean {name}")
    assert other.startswith(f"src/ndgm/groups.py: figure toy: there is no table x{name}; did you mean {name}")


def test_names_that_may_have_been_meant() -> None:
    """Three at most, and all where none is near."""
    assert unknown("adm", ["adam", "sign"]) == "adm; did you mean adam?"
    assert unknown("adm", ["sign", "ista"]) == "adm; there are ista, sign"
    assert unknown("name_0", [f"name_{number}" for number in range(1, 9)]).count(" or ") == 2


def test_the_last_line_of_each_failed_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once each, with the name of the log; a log that is empty or missing has none."""
    monkeypatch.chdir(tmp_path)
    Path("one.log").write_text("begun\nerror: no space\n")
    Path("empty.log").touch()
    said = [f"    log: {name}.log (check log file(s) for error details)" for name in ("one", "empty", "gone", "one")]
    Path("snakemake.log").write_text("\n".join(["Error in rule train:", *said, "Exiting"]))
    assert last_lines(Path("snakemake.log")) == ["one.log: error: no space"]
