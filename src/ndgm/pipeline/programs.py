"""The frame of every program: arguments, a log, and faults in one line."""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from ndgm.pipeline.interruption import Interrupted, interruptible
from ndgm.store.files import InputError

RESULT = re.compile(r"results/[^/\s]+/([\w./-]+\.(?:npz|parquet|json|svg|pdf))\b")
"""A file under the results of a scale, in the words of a fault."""


def argument_parser(
    description: str | None, *paths: str, many: tuple[str, ...] = (), any_number: tuple[str, ...] = ()
) -> argparse.ArgumentParser:
    """Parser with `--settings`, `--log` and options for paths.

    Args:
        description: What the program does.
        *paths: Options with one path; where `settings` is among them, a run needs settings.
        many: Options with one path or more.
        any_number: Options with paths that may be missing.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--settings",
        type=_settings,
        default={},
        required="settings" in paths,
        help="JSON of the settings used, or a file that holds it",
    )
    parser.add_argument("--log", type=Path, help="file that repeats what is said here")
    for name in paths:
        if name != "settings":
            parser.add_argument(f"--{name}", type=Path, required=True)
    for name in many:
        parser.add_argument(f"--{name}", type=Path, nargs="+", required=True)
    for name in any_number:
        parser.add_argument(f"--{name}", type=Path, nargs="*", default=[])
    return parser


def _settings(said: str) -> Any:
    """Settings from JSON, or from a file that holds it."""
    try:
        return json.loads(said if said.lstrip()[:1] in ("{", "[") else Path(said).read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else f"not JSON ({fault})"
        raise argparse.ArgumentTypeError(f"{said}: {reason}") from None


def function_of(room: str, name: str) -> Callable[..., Any]:
    """Function `module.function` of a room, such as `convergence.kink_dial` of `experiments`; imports its module."""
    module, _, function = name.partition(".")
    return getattr(import_module(f"ndgm.{room}.{module}"), function)


def with_rule(fault: str) -> str:
    """A fault that names a result, with the rule that makes the result, so that it can be made again."""
    if not (named := RESULT.search(fault)):
        return fault
    # Imported here and by its name, because no program that works depends on the manifest.
    rule = function_of("pipeline", "jobs.rule_that_makes")(named[1])
    return f"{fault} (rule {rule} makes it)" if rule else fault


@contextmanager
def program(arguments: argparse.Namespace, *, goes_on: bool = False) -> Iterator[Callable[[str], None]]:
    """Run the body of a program, which ends with one line where it cannot go on.

    A fault of its input or of the file system gives exit code 1, SIGINT 130, SIGTERM 143, and SIGHUP 129.

    Args:
        arguments: Of the command line.
        goes_on: Whether the program, after an interruption, takes up what it had finished.

    Yields:
        A function that says one line, on standard error and in the log.
    """
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        print(line, file=sys.stderr, flush=True)

    try:
        with interruptible():
            yield say
    except Interrupted as ended:
        say(ended.line(goes_on=goes_on))
        sys.exit(ended.exit_code)
    except InputError as fault:
        say(f"error: {with_rule(str(fault))}")
        sys.exit(1)
    except OSError as fault:
        say(f"error: {fault.filename}: {fault.strerror}" if fault.filename else f"error: {fault}")
        sys.exit(1)
    finally:
        if arguments.log:
            _write_log(arguments.log, lines)


def _write_log(log: Path, lines: list[str]) -> None:
    """Write what was said to a file; where that cannot be, say so, and leave the program's own end as it is."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as fault:
        print(f"{log}: {fault.strerror}: what was said here is not kept", file=sys.stderr, flush=True)
