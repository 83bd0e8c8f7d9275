"""What went wrong in jobs of a run, in one line each."""

from pathlib import Path

import pytest

from ndgm.pipeline.failures import last_lines


def test_the_last_line_of_each_failed_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once each, with the name of the log; a log that is empty or missing has none, and half a character is shown."""
    monkeypatch.chdir(tmp_path)
    Path("one.log").write_text("begun\nerror: no space\n")
    Path("torn.log").write_bytes("error: Gauß".encode()[:-1])
    Path("empty.log").touch()
    names = ("one", "empty", "gone", "one", "torn")
    said = [f"    log: {name}.log (check log file(s) for error details)" for name in names]
    Path("snakemake.log").write_bytes("\n".join(["Error in rule train:", *said, "Exiting"]).encode() + b"\xff")
    assert last_lines(Path("snakemake.log")) == ["one.log: error: no space", "torn.log: error: Gau\ufffd"]
