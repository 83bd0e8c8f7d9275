"""The frame of programs: arguments, a log, and faults in one line."""

from pathlib import Path

import pytest

from ndgm.pipeline.programs import argument_parser, function_of, program
from ndgm.store.files import InputError


def test_arguments() -> None:
    """Settings are JSON; paths are required, lists take one path or more, or any number."""
    parser = argument_parser("A program.", "data", many=("out",), any_number=("reads",))
    found = parser.parse_args(["--settings", '{"seeds": 2}', "--data", "a.npz", "--out", "b", "c"])
    assert (found.settings, found.data, found.out, found.reads) == (
        {"seeds": 2},
        Path("a.npz"),
        [Path("b"), Path("c")],
        [],
    )
    for missing in (["--out", "b"], ["--data", "a.npz"]):
        with pytest.raises(SystemExit):
            parser.parse_args(missing)


def test_settings_from_a_file(tmp_path: Path) -> None:
    """As on the command line, whose length has a limit."""
    (tmp_path / "settings.json").write_text('{"seeds": 2}')
    parser = argument_parser("A program.", "settings")
    assert parser.parse_args(["--settings", str(tmp_path / "settings.json")]).settings == {"seeds": 2}


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ([], "the following arguments are required: --settings"),
        (["--settings", "nope.json"], "argument --settings: nope.json: No such file or directory"),
        (["--settings", "{"], "argument --settings: {: not JSON ("),
    ],
)
def test_settings_that_are_not_there(settings: list[str], fault: str, capsys: pytest.CaptureFixture) -> None:
    """A program that needs them says so in its last line."""
    with pytest.raises(SystemExit):
        argument_parser("A program.", "settings").parse_args(settings)
    assert f"error: {fault}" in capsys.readouterr().err.splitlines()[-1]


def run(folder: Path, fault: Exception | None) -> Path:
    """A program that says two lines and ends with a fault; gives its log."""
    log = folder / "logs/program.log"
    arguments = argument_parser("A program.").parse_args(["--log", str(log)])
    with program(arguments) as say:
        say("first")
        if fault:
            raise fault
        say("last")
    return log


def test_what_is_said_stands_in_the_log(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """And on standard error."""
    assert run(tmp_path, None).read_text() == capsys.readouterr().err == "first\nlast\n"


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (InputError("a.npz: no such file"), "error: a.npz: no such file"),
        (PermissionError(13, "Permission denied", "results"), "error: results: Permission denied"),
        (OSError("no space"), "error: no space"),
        (
            InputError("results/smoke/runs/adaptive_lasso.parquet: truncated"),
            "error: results/smoke/runs/adaptive_lasso.parquet: truncated (rule train_adaptive makes it)",
        ),
    ],
)
def test_a_fault_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture, fault: Exception, line: str) -> None:
    """Exit code 1, and the log has the line too."""
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, fault)
    assert ended.value.code == 1
    assert (tmp_path / "logs/program.log").read_text() == capsys.readouterr().err == f"first\n{line}\n"


def test_a_fault_of_ours_is_not_hidden(tmp_path: Path) -> None:
    """Only faults of input and of the file system are lines; the log is written all the same."""
    with pytest.raises(ZeroDivisionError):
        run(tmp_path, ZeroDivisionError())
    assert (tmp_path / "logs/program.log").read_text() == "first\n"


def test_a_function_by_its_name() -> None:
    """`module.function` in a room."""
    assert function_of("data", "regression.diabetes").__name__ == "diabetes"
