"""Measure how far other processors move the numbers of a run. Run by hand, never by the pipeline; takes an hour.

For each root seed it runs the scale in copies of the repository: as it is, and in the environments of
`ndgm.pipeline.processor.OTHER_PROCESSORS`. With `--tables` it takes the finished run of the scale, and makes only these
tables again in each environment, with what is made of them. With `--reference` it runs nothing: on a processor that is
not that of the reference, the finished run is held against it. What is found is folded into the file: the largest
deviation counts.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from ndgm.pipeline.deviations import Measured, read_measured, write_measured
from ndgm.pipeline.jobs import table_files
from ndgm.pipeline.processor import OTHER_PROCESSORS
from ndgm.pipeline.programs import argument_parser, program
from ndgm.pipeline.settings import load
from ndgm.store.files import InputError, read_json

ROOT = Path(__file__).parents[1]
MADE = (".venv", ".git", "results", ".snakemake", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info")
"""What was made from the repository, and is not copied."""


def main() -> None:
    """Run the program."""
    parser = argument_parser(__doc__, "out")
    parser.add_argument("--scale", required=True)
    instead = parser.add_mutually_exclusive_group(required=True)
    instead.add_argument("--root-seeds", type=int, nargs="+")
    instead.add_argument("--tables", nargs="+")
    instead.add_argument("--reference", type=Path)
    parser.add_argument("--processors", nargs="+", choices=OTHER_PROCESSORS, default=list(OTHER_PROCESSORS))
    arguments = parser.parse_args()
    with program(arguments) as say:
        scale, measured = arguments.scale, read_measured(arguments.out)
        own_root_seed, finished = load(scale)["root_seed"], Path("results", scale)
        if arguments.reference:
            measured = measured.with_reference(scale, own_root_seed, finished, arguments.reference)
            write_measured(arguments.out, measured)
            say(f"{scale}, {arguments.reference}: {_said(measured)}")
            return
        for root_seed in arguments.root_seeds or [own_root_seed]:
            with TemporaryDirectory() as folder:
                run = finished if arguments.tables else _run(Path(folder, "here"), scale, root_seed, {})
                for name in arguments.processors:
                    copy = Path(folder, name)
                    if arguments.tables:
                        _copy_without(arguments.tables, finished, copy / finished, root_seed)
                    other = _run(copy, scale, root_seed, OTHER_PROCESSORS[name])
                    measured = measured.with_runs(scale, root_seed, name, run, other)
                    shutil.rmtree(copy)
                    write_measured(arguments.out, measured)
                    say(f"{scale}, root seed {root_seed}, {name}: {_said(measured)}")


def _copy_without(tables: list[str], finished: Path, copy: Path, root_seed: int) -> None:
    """Copy a finished run, each file as old as the others, but for some tables.

    Raises:
        InputError: naming what is not there, or was made with another root seed.
    """
    files = {table: table_files(load(finished.name), table) for table in tables}
    if unknown := [table for table in tables if not files[table]]:
        raise InputError(f"{finished}: no table {unknown[0]} at this scale")
    wanted = ["claims.json", *(file for each in files.values() for file in each)]
    if missing := [file for file in wanted if not (finished / file).exists()]:
        raise InputError(f"{finished / missing[0]}: not there; the run of the scale has to be finished first")
    for record in ((finished / file).with_suffix(".json") for file in wanted[1:]):
        made_with = read_json(record)["settings"].get("root_seed", root_seed)
        if made_with != root_seed:
            raise InputError(f"{record}: made with the root seed {made_with}, and that of the scale is {root_seed}")
    shutil.copytree(finished, copy)
    for file in wanted[1:]:
        (copy / file).unlink()
    now = time.time()
    for path in copy.rglob("*"):  # to the last digit: what is newer than what is made of it would be made again
        os.utime(path, (now, now))


def _run(folder: Path, scale: str, root_seed: int, environment: dict[str, str]) -> Path:
    """Results of a run in a copy of the repository: the claims and all tables, also those that only figures read."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*MADE), dirs_exist_ok=True)
    targets = [f"results/{scale}/{file}" for file in ("claims.json", *table_files(load(scale)))]
    command = [sys.executable, "-m", "snakemake", "--cores", "all", *targets]
    done = subprocess.run(
        [*command, "--config", f"scale={scale}", f"root_seed={root_seed}"],
        cwd=folder,
        env=os.environ | environment,
        text=True,
        capture_output=True,
    )
    if done.returncode:
        raise InputError(f"{folder}: {done.stderr[-500:]}")
    return folder / "results" / scale


def _said(measured: Measured) -> str:
    moved = sum(map(len, measured.deviations.values()))
    fragile = sum(map(len, measured.verdicts.values()))
    return f"{moved:,} numbers moved so far, and {fragile} verdicts"


if __name__ == "__main__":
    main()
