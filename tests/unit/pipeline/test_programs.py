"""The frame of programs: arguments, a log, and faults in one line."""

import os
import signal
import subprocess
import sys
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


INTERRUPTED = """
import os, signal, sys, time
from ndgm.pipeline.programs import argument_parser, program

with program(argument_parser("A program.").parse_args(["--log", sys.argv[2]]), goes_on=sys.argv[3] == "True") as say:
    say("first")
    os.kill(os.getpid(), signal.Signals[sys.argv[1]])
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("goes_on", "kept"),
    [
        (True, "what was finished is kept; the same command goes on from there"),
        (False, "the same command begins anew"),  # one that writes once, at its end, used to promise the former
    ],
)
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_an_interruption_is_one_line_and_the_exit_code_of_its_signal(
    tmp_path: Path, name: str, code: int, goes_on: bool, kept: str
) -> None:
    """The line says what the same command does then, in the log too."""
    log = tmp_path / "program.log"
    command = [sys.executable, "-c", INTERRUPTED, name, str(log), str(goes_on)]
    ours = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
    done = subprocess.run(command, text=True, capture_output=True, timeout=30, env=ours)
    line = f"interrupted by {name}: {kept}"
    assert (done.returncode, done.stderr) == (code, f"first\n{line}\n")
    assert log.read_text() == done.stderr


def test_handlers_of_signals_are_given_back(tmp_path: Path) -> None:
    """A test runner has its own."""
    before = signal.getsignal(signal.SIGINT)
    run(tmp_path, None)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_log_that_cannot_be_written_is_named_and_the_program_ends_as_it_would(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """A full disk cuts off the log last of all, and that was a traceback."""
    (tmp_path / "logs").write_text("a file")
    run(tmp_path, None)
    assert capsys.readouterr().err.endswith(
        f"{tmp_path}/logs/program.log: File exists: what was said here is not kept\n"
    )
