"""Speed side by side with what a user would write, and with the machine's own limit, in one process on one thread.

Everything that is compared is timed in turn, in rounds, because the rates of a shared machine swing by a third from
minute to minute. The limit is the rate of the bare matrix product of the same shape and type; where what a step reads
and writes takes as long as its product, the bound counts both. Each row is written as soon as it is measured.
"""

import statistics
import time
from importlib import import_module
from pathlib import Path

import pandas as pd

from ndgm.experiments.determinism import deterministic_torch
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.files import write_json

ROUNDS = 9
LONGEST = 20
"""Jobs that are listed, the longest first."""
# Imported when their rows are wanted: the peers of `curvature` are not found on every machine.
MODULES = {"cpu": ("lasso", "networks", "deep_signals", "two_layer", "curvature"), "cuda": ("networks", "lasso")}


def interleaved(*functions) -> list[float]:
    """Median seconds of each function over rounds in which each is called once; one round before is not counted."""
    seconds = [[] for _ in functions]
    for _ in range(ROUNDS + 1):
        for function, taken in zip(functions, seconds, strict=True):
            begin = time.perf_counter()
            function()
            taken.append(time.perf_counter() - begin)
    return [statistics.median(taken[1:]) for taken in seconds]


def printed(row) -> str:
    """A row of the table for people."""
    numbers = "{ours:10.4g} {theirs:10.4g} {ratio:8,.4g}" if row["ours"] else "not measured"
    limit, bound = (
        "" if fraction is None else f"{fraction:.0%}"
        for fraction in (row["fraction_of_limit"], row.get("fraction_of_bound"))
    )
    return f"{numbers.format(**row):>30} {limit:>9} {bound:>9}  {row['name']} [{row['unit']}]"


def longest_jobs(benchmarks: Path) -> pd.DataFrame:
    """The longest jobs of a run, and all jobs together, from what Snakemake measured of each.

    Jobs have one thread, so that seconds by the clock bound those of the processor; Snakemake samples the latter, and
    finds a small part of them.

    Args:
        benchmarks: The folder `results/<scale>/benchmarks`; an empty table where nothing has run.

    Returns:
        `seconds` by the clock and `share` of all of them, indexed by job, the longest first and the sum last.
    """
    files = sorted(benchmarks.rglob("*.tsv"))
    jobs = [file.relative_to(benchmarks).with_suffix("").as_posix() for file in files]
    seconds = pd.Series([pd.read_csv(file, sep="\t")["s"].iloc[-1] for file in files], jobs, dtype=float)
    table = pd.DataFrame({"seconds": seconds, "share": seconds / seconds.sum()})
    whole = table.sum().to_frame(f"all {len(table)} jobs").T
    return pd.concat([table.nlargest(LONGEST, "seconds"), whole]) if files else table


def main() -> None:
    """Run the program."""
    parser = argument_parser(__doc__, "out")
    parser.add_argument(
        "--devices", nargs="+", choices=list(MODULES), default=list(MODULES), help="whose rows are measured"
    )
    parser.add_argument(
        "--benchmarks",
        type=Path,
        default=Path("results/laptop/benchmarks"),
        help="of the run whose longest jobs are listed",
    )
    arguments = parser.parse_args()
    with program(arguments):
        spent = longest_jobs(arguments.benchmarks)
        print("Where the time of the last run went" if len(spent) else f"no run yet: nothing in {arguments.benchmarks}")
        for job, row in spent.iterrows():
            print(f"{row['seconds']:10.1f} s {row['share']:6.1%}  {job}")
        print(flush=True)
        deterministic_torch("cpu")
        rows = []
        print(f"{'ours':>10} {'theirs':>10} {'ratio':>8} {'of limit':>9} {'of bound':>9}")
        for device in arguments.devices:
            for name in MODULES[device]:
                for row in import_module(name).rows(interleaved, device):
                    rows.append(row)
                    write_json(arguments.out, rows)
                    print(printed(row), flush=True)


if __name__ == "__main__":
    main()
