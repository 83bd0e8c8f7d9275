"""Interrupt, damage and starve runs of the smoke scale: each case ends in identical bytes, or in one clear line.

`make torture` writes how often each happened to `reference/robustness.json`, where kinds that are not tried keep their
counts. What happened otherwise is listed there and makes it fail. A seeded part of it is among the tests of
`make elsewhere`.
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
from copies import SMOKE_RESULTS, copy_repository, hashes

from ndgm.groups import GROUPS
from ndgm.pipeline.jobs import JOBS, parts, result, samples
from ndgm.pipeline.settings import load
from ndgm.store.files import read_json, write_json

CASES = {
    "torn file": 250,
    "SIGKILL": 67,
    "SIGTERM": 67,
    "SIGINT": 66,
    "torn checkpoint": 20,
    "full disk": 20,
    "no permission": 6,
    "two runs": 5,
}
"""Kinds of cases, the longest first, and how many of each the whole torture has at most."""
LONGEST = 300
"""Seconds after which a run hangs; each takes a few."""
TARGETS = (
    "data/l1_paradox/gaussian.npz",
    "exact/l1_paradox_exact_gaussian.parquet",
    "runs/adaptive_lasso.parquet",
    "runs/l1_paradox_noise_gaussian.parquet",
    "claims/adaptive.json",
    "figures/adaptive_methods.svg",
    "paper.pdf",
)
"""Results that take a second or a few to make, of each kind of job."""
TRAINED = "runs/l1_paradox_noise_gaussian.parquet"
LINE = re.compile(
    r"error: |interrupted by |locked: |results.*: not a folder|.*: (No space left on device|Permission denied)"
)
"""What a clear line looks like, at its beginning."""
SNAKEMAKE = re.compile(r"site-packages/snakemake/(persistence|logging|workflow)")
"""A traceback of Snakemake's own, where it cannot write its records; the last line is ours all the same."""
BELOW = "a line below Snakemake's own traceback: "


class Bench:
    """A copy of a finished run, in which targets are made again under bad conditions."""

    def __init__(self, finished: Path, folder: Path, rng: random.Random) -> None:
        """Copy the repository and its results with all that Snakemake knows of them."""
        self.finished, self.folder, self.rng = finished, folder, rng
        shutil.copytree(finished, folder, copy_function=shutil.copy)
        self.expected = hashes(finished)
        self.seconds: dict[str, float] = {}
        """How long each target takes, as far as it is known."""

    def restore(self) -> None:
        """Put results and Snakemake's records back as the finished run had them."""
        for name in ("results", ".snakemake"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            shutil.copytree(self.finished / name, self.folder / name, copy_function=shutil.copy)

    def remove(self, *targets: str) -> None:
        """Remove targets, so that the next run makes them again."""
        for target in targets:
            (self.folder / SMOKE_RESULTS / target).unlink(missing_ok=True)

    def start(
        self, *targets: str, unlock: bool = False, prefix: tuple[str, ...] = (), **variables: str
    ) -> subprocess.Popen:
        """Start a run for targets, as make does."""
        files = ["--", *(str(SMOKE_RESULTS / target) for target in targets)] if targets else []
        options = ["--cores", "2", "--config", "scale=smoke", *["--unlock"] * unlock, *files]
        environment = {**os.environ, "PYTHONPATH": "src", **variables}
        return subprocess.Popen(
            [*prefix, sys.executable, "scripts/run_snakemake.py", *options],
            cwd=self.folder,
            env=environment,
            start_new_session=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, *targets: str, **how) -> tuple[int, str]:
        """Make targets; give the exit code and what was said."""
        started = self.start(*targets, **how)
        said = said_by(started)
        return started.returncode, said

    def go_on(self, *targets: str) -> str:
        """Make targets after an accident, unlocking as the line says; how it ended."""
        code, said = self.run(*targets)
        if code and "locked: " in said:
            self.run(*targets, unlock=True)
            code, said = self.run(*targets)
        return f"did not go on: {last(said)}" if code else self.outcome()

    def left_running(self) -> list[str]:
        """Processes that still work in the folder."""
        working = psutil.process_iter(["cwd", "cmdline"])
        return [" ".join(each.info["cmdline"]) for each in working if each.info["cwd"] == str(self.folder)]

    def outcome(self) -> str:
        """Whether all results are those of the finished run, byte for byte."""
        found = hashes(self.folder)
        differing = [name for name, digest in self.expected.items() if found.get(name) != digest]
        return f"other bytes: {', '.join(differing[:3])}" if differing else "identical bytes"


def ends_in_a_line(said: str) -> bool:
    """Whether the last of what was said is a clear line."""
    return bool(LINE.match((said.strip().splitlines() or [""])[-1]))


def last(said: str) -> str:
    """The last line of what was said and the exception of each traceback above it, without folders."""
    exceptions = re.findall(r"^Traceback .*\n(?:[ \t].*\n)*(\S.*)", said, re.MULTILINE)
    lines = [(said.strip().splitlines() or ["nothing"])[-1], *exceptions]
    return re.sub(r"/\S*/", "", "; above it ".join(lines))[:400]


def said_by(run: subprocess.Popen) -> str:
    """All that a run said, once it and whatever holds its output has ended."""
    try:
        return run.communicate(timeout=LONGEST)[0]
    except subprocess.TimeoutExpired:
        end_all(run)
        return f"hangs: after {LONGEST} seconds it, or what it started, was still there"


def end_all(run: subprocess.Popen) -> None:
    """SIGKILL to a run and all that it started, as when the plug is pulled."""
    family = psutil.Process(run.pid).children(recursive=True) if run.poll() is None else []
    run.kill()
    for process in family:
        process.kill() if process.is_running() else None
    psutil.wait_procs(family, timeout=10)


def kills(number: signal.Signals) -> Callable[[Bench, int], Iterator[str]]:
    """Runs that get a signal at a random moment, and go on."""

    def kill(bench: Bench, count: int) -> Iterator[str]:
        for _ in range(count):
            target = bench.rng.choice(TARGETS)
            if target not in bench.seconds:
                begun = time.monotonic()
                bench.remove(target)
                bench.run(target)
                bench.seconds[target] = time.monotonic() - begun
            bench.remove(target)
            run = bench.start(target)
            time.sleep(bench.rng.uniform(0.2, bench.seconds[target]))
            if number == signal.SIGKILL:
                end_all(run)
            elif run.poll() is None:
                os.killpg(run.pid, number)
            said = said_by(run)
            clear = number == signal.SIGKILL or run.returncode == 0 or ended_clearly(run.returncode, number, said)
            left = bench.left_running()
            went_on = bench.go_on(target)
            if not clear:
                yield f"unclear: {run.returncode} {last(said)}"
            else:
                yield f"left running: {last(left[0])}" if left else went_on

    return kill


def ended_clearly(code: int, number: int, said: str) -> bool:
    """Whether a run ended as one that was interrupted should."""
    return code == 128 + number and "Traceback" not in said and last(said).startswith("interrupted by ")


def readers() -> dict[str, str]:
    """A target whose job reads a result, by a pattern of the result's name."""
    config, found = load("smoke"), {}
    for job in JOBS.values():
        for part in parts(job, config):
            first = result(job, job.experiments[0]).format(part=part)
            found |= {f"data/{name}.npz": first for name in samples(job, config, part)}
    for group in GROUPS:
        found[f"claims/{group.name}.json"] = f"{group.document}.pdf"
        for figure in group.figures:
            found |= {f"figures/{figure.name}.{kind}": f"{group.document}.pdf" for kind in ("svg", "pdf")}
            for job in JOBS.values():
                for each in job.experiments:
                    if each.table in figure.tables:
                        tables = [result(job, each).format(part=part) for part in parts(job, config)]
                        found |= dict.fromkeys(tables, f"figures/{figure.name}.svg")
    found["weights/l1_paradox_networks_minibatch.npz"] = "runs/l1_paradox_pruning.parquet"
    return found


def damaged(whole: bytes, rng: random.Random) -> bytes:
    """Bytes truncated somewhere, or with one bit flipped."""
    place = rng.randrange(len(whole))
    if rng.random() < 0.5:
        return whole[:place]
    return whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1 :]


def torn_files(bench: Bench, count: int) -> Iterator[str]:
    """Each intermediate file truncated or with a bit flipped, in turn, before a job reads it."""
    pairs = [(name, target) for name, target in readers().items() if (bench.folder / SMOKE_RESULTS / name).exists()]
    for number, (name, target) in enumerate(bench.rng.sample(pairs, min(count, len(pairs)))):
        if number:
            bench.restore()
        path = bench.folder / SMOKE_RESULTS / name
        path.write_bytes(damaged(path.read_bytes(), bench.rng))
        bench.remove(target)
        code, said = bench.run(target)
        if code:
            named = re.search(rf"error: .*{name}: ", said) and "Traceback" not in said
            yield "one line" if named else f"unclear: {name}: {last(said)}"
        else:
            found = hashes(bench.folder)
            same = all(found.get(each) == bench.expected[each] for each in bench.expected if each != name)
            yield "identical bytes" if same else f"other bytes, and no line: {name}"


def torn_checkpoints(bench: Bench, count: int) -> Iterator[str]:
    """A training job killed when some of its ensembles are finished, and one of these damaged."""
    for _ in range(count):
        bench.remove(TRAINED)
        run, kept = bench.start(TRAINED), []
        while run.poll() is None and not kept:
            time.sleep(0.02)
            kept = list((bench.folder / SMOKE_RESULTS).glob("runs/.*.checkpoints/[!.]*.checkpoint"))
        end_all(run)
        said_by(run)
        for path in kept:
            path.write_bytes(damaged(path.read_bytes(), bench.rng))
        yield f"{bench.go_on(TRAINED)}" if kept else "there was no checkpoint"


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path | None]:
    """A file system of its own with this much room; nothing where this user may not mount one."""
    folder = Path(tempfile.mkdtemp())
    mounted = not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], stderr=subprocess.DEVNULL
    ).returncode
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def full_disks(bench: Bench, count: int) -> Iterator[str]:
    """A disk with room for a part of what a run writes, results and temporary files alike; then with room enough."""
    size = sum(path.stat().st_size for path in bench.finished.rglob("*") if path.is_file()) // 2**20
    with small_disk(2 * size + 60) as disk:
        if disk is None:
            yield from ["skipped: no right to mount a small disk"] * bool(count)
            return
        on_disk = Bench(bench.finished, disk / "repository", bench.rng)
        (disk / "tmp").mkdir()
        for _ in range(count):
            targets = bench.rng.sample(TARGETS, 2)
            on_disk.remove(*targets)
            room = int(2 ** bench.rng.uniform(10, 22))
            filler = disk / "filler"
            with filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(shutil.disk_usage(disk).free - room, 1))
            code, said = on_disk.run(*targets, TMPDIR=str(disk / "tmp"))
            filler.unlink()
            traceback = "Traceback" in said
            clear = code == 0 or (ends_in_a_line(said) and (not traceback or SNAKEMAKE.search(said)))
            above = BELOW if traceback else ""
            went_on = on_disk.go_on(*targets)
            yield above + went_on if clear else f"unclear: {last(said)}"


def no_permission(bench: Bench, count: int) -> Iterator[str]:
    """A folder that may not be written to; a superuser gives that right up."""
    prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
    if prefix and not shutil.which(prefix[0]):
        yield from ["skipped: a superuser without setpriv writes everywhere"] * bool(count)
        return
    cases = [("results/smoke", TARGETS[0]), *((f"results/smoke/{Path(each).parent}", each) for each in TARGETS)]
    for place, target in bench.rng.sample(cases, min(count, len(cases))):
        bench.remove(target)
        (bench.folder / place).chmod(0o555)
        code, said = bench.run(target, prefix=prefix)
        (bench.folder / place).chmod(0o755)
        clear = code and ends_in_a_line(said) and "Traceback" not in said
        went_on = bench.go_on(target)
        yield went_on if clear else f"unclear: {place}: {last(said)}"


def two_runs(bench: Bench, count: int) -> Iterator[str]:
    """Two runs for the same targets, a moment apart."""
    for _ in range(count):
        targets = bench.rng.sample(TARGETS, 2)
        bench.remove(*targets)
        first = bench.start(*targets)
        time.sleep(bench.rng.uniform(0, 2))
        second = bench.start(*targets)
        ends = [(said_by(run), run.returncode) for run in (first, second)]
        clear = all(code == 0 or (ends_in_a_line(said) and "Traceback" not in said) for said, code in ends)
        went_on = bench.go_on(*targets)
        yield went_on if clear else f"unclear: {[last(said) for said, _ in ends]}"


KINDS: dict[str, Callable[[Bench, int], Iterator[str]]] = {
    "torn file": torn_files,
    **{number.name: kills(number) for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)},
    "torn checkpoint": torn_checkpoints,
    "full disk": full_disks,
    "no permission": no_permission,
    "two runs": two_runs,
}
GOOD = ("identical bytes", "one line")


def torture(
    finished: Path,
    seed: int,
    cases: dict[str, int],
    say: Callable[[str], object],
    seconds: Mapping[str, float] | None = None,
) -> dict[str, dict[str, int]]:
    """Count how the cases of each kind ended.

    Args:
        finished: Repository in which the smoke scale has been run.
        seed: Decides moments, files and bits.
        cases: How many of each kind.
        say: Says one line for each case.
        seconds: How long each target takes, which bounds the moments; what it lacks is measured.
    """

    def counts(kind: str) -> dict[str, int]:
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(finished, Path(folder, "repository"), random.Random(f"{seed} {kind}"))
            bench.seconds |= seconds or {}
            counted: Counter[str] = Counter()
            for number, outcome in enumerate(KINDS[kind](bench, cases[kind]), start=1):
                counted[outcome] += 1
                say(f"{kind} {number} of {cases[kind]}: {outcome}")
            return dict(sorted(counted.items()))

    with ThreadPoolExecutor(2) as pool:  # of one run most is waiting for one process
        return dict(zip(cases, pool.map(counts, cases), strict=True))


def bad(found: dict[str, dict[str, int]]) -> list[str]:
    """Cases that ended neither in identical bytes nor in one clear line; one that was skipped shows nothing."""
    # Snakemake's own records are on the same disk: where one does not fit, its traceback comes before any line of ours,
    # and nothing but the disk can change that. No other kind of case takes the room for them.
    return [
        f"{kind}: {outcome}"
        for kind, counts in found.items()
        for outcome in counts
        if (outcome.removeprefix(BELOW) if kind == "full disk" else outcome) not in GOOD
    ]


def main() -> None:
    """Run the torture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="file for the counts")
    parser.add_argument("--share", type=float, default=1, help="part of the cases, such as 0.1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--finished", type=Path, help="repository with a finished smoke run; else one is made")
    parser.add_argument("--kinds", nargs="+", choices=CASES, default=list(CASES))
    arguments = parser.parse_args()
    cases = {kind: max(round(arguments.share * CASES[kind]), 1) for kind in arguments.kinds}
    with tempfile.TemporaryDirectory() as folder:
        finished = arguments.finished or finished_run(Path(folder, "finished"))
        found = torture(finished, arguments.seed, cases, lambda line: print(line, flush=True))
    before = read_json(arguments.out)["counts"] if arguments.out.exists() else {}
    write_json(arguments.out, {"seed": arguments.seed, "counts": before | found})
    if wrong := bad(found):
        sys.exit("\n".join(["neither identical bytes nor one clear line:", *wrong]))


def finished_run(folder: Path) -> Path:
    """A copy of the repository in which the smoke scale has been run."""
    copy_repository(folder)
    command = [sys.executable, "scripts/run_snakemake.py", "--cores", "2", "--config", "scale=smoke"]
    subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": "src"}, check=True)
    return folder


if __name__ == "__main__":
    main()
