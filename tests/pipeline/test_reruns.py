"""What runs again, and what does not: the checks that need a finished smoke run."""

import hashlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import SMOKE, run_snakemake

LONGEST_RUN = "runs/l1_paradox_lasso_diabetes_quadratic.parquet"
AFTER_TRAINING = {"decide_claims", "draw_figure", "write_paper"}


def hashes(folder: Path) -> dict[str, str]:
    """Every file of the smoke run but logs and benchmarks, by its content."""
    results = folder / "results/smoke"
    files = {path.relative_to(results): path for path in results.rglob("*") if path.is_file()}
    return {
        str(name): hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in files.items()
        if name.parts[0] not in ("logs", "benchmarks")
    }


def rules_to_run(folder: Path, *configfiles: str) -> set[str]:
    """The rules that would run now, by Snakemake's own summary."""
    summary = run_snakemake(folder, "--summary", *SMOKE, *configfiles).stdout
    rows = [line.split("\t") for line in summary.splitlines() if line.count("\t") == 5]
    return {row[2] for row in rows if row[5] == "update pending"}


def touch_everything(folder: Path) -> None:
    """Give every file the time of now."""
    subprocess.run(["find", ".", "-type", "f", "-exec", "touch", "{}", "+"], cwd=folder, check=True)


def test_same_bytes_in_another_folder_on_another_number_of_cores(smoke_run: Path, other_smoke_run: Path) -> None:
    """Every file is the same: tables, JSON, PDF, SVG, PNG, HTML and notebooks."""
    one, other = hashes(smoke_run), hashes(other_smoke_run)
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []
    kinds = {".npz", ".parquet", ".json", ".pdf", ".svg", ".png", ".ipynb", ".html", ".rst"}
    assert {Path(name).suffix for name in one} == kinds


def processor_time(*command: str, folder: Path) -> tuple[float, str]:
    """Seconds that a command spends on the processor, and what it says; the clock would also count other programs."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    pipes = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    said = subprocess.run([sys.executable, *command], cwd=folder, check=True, **pipes).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, said


@pytest.mark.parametrize("touched", [False, True], ids=["clone", "touched"])
def test_nothing_to_do(smoke_copy: Path, touched: bool) -> None:
    """A clone that kept `.snakemake`, also with every file touched: nothing runs, and that takes no time.

    To load Snakemake takes 0.85 s on an idle machine, where 2.5 s are granted: so the limit is thrice that.
    """
    if touched:
        touch_everything(smoke_copy)
    start, _ = processor_time("-c", "import snakemake.cli", folder=smoke_copy)
    taken, said = processor_time("-m", "snakemake", "--cores", "all", *SMOKE, folder=smoke_copy)
    assert "Nothing to be done" in said
    assert taken < 3 * start


@pytest.mark.parametrize(
    ("file", "rules"),
    [
        ("src/ndgm/settings.py", set()),
        ("src/ndgm/manuscript.py", {"write_paper"}),
        ("paper/paper.md", {"write_paper"}),
        ("figures/l1_paradox_noise.py", {"draw_figure", "write_paper"}),
        ("src/ndgm/drawing.py", {"draw_figure", "write_paper"}),
        ("scripts/decide_claims.py", {"decide_claims", "write_paper"}),
        ("scripts/l1_paradox_noise.py", {"train_l1_paradox_noise", *AFTER_TRAINING}),
    ],
)
def test_an_edit_reruns_what_depends_on_it(smoke_copy: Path, file: str, rules: set[str]) -> None:
    """A new line at the end of a module, a program or a text."""
    with (smoke_copy / file).open("a") as text:
        text.write("\n# edited\n")
    assert rules_to_run(smoke_copy) == rules


def test_two_swapped_settings_are_noticed(smoke_copy: Path, tmp_path: Path) -> None:
    """The same numbers in other places: what uses them runs again."""
    mine = tmp_path / "mine.yaml"
    mine.write_text("l1_paradox: {noise: {batch_sizes: [4, 1]}}")
    rules = rules_to_run(smoke_copy, str(mine))
    assert rules == {"train_l1_paradox_noise", *AFTER_TRAINING}


def killed_in_training(folder: Path, whole_group: bool) -> str:
    """Start the run anew, kill it with SIGKILL while it trains, and give what was said."""
    (folder / "results/smoke" / LONGEST_RUN).unlink()
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *SMOKE]
    pipes = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    run = subprocess.Popen(command, cwd=folder, start_new_session=True, **pipes)
    jobs: list[psutil.Process] = []
    while run.poll() is None and not jobs:
        time.sleep(0.05)
        children = psutil.Process(run.pid).children(recursive=True)
        jobs = [child for child in children if child.cmdline()[1:2] == ["scripts/l1_paradox_lasso.py"]]
    assert jobs, run.communicate()[0]
    time.sleep(2.5)  # until it has loaded what it needs, and trains
    assert jobs[0].is_running(), "the job was done before it could be killed: make it longer"
    if whole_group:
        os.killpg(run.pid, signal.SIGKILL)
    else:
        jobs[0].kill()
    return run.communicate()[0]


def test_a_killed_job(smoke_copy: Path) -> None:
    """After SIGKILL on a training job the next run completes to the same bytes."""
    before = hashes(smoke_copy)
    assert "train_l1_paradox_lasso" in killed_in_training(smoke_copy, whole_group=False)
    assert run_snakemake(smoke_copy, "--cores", "2", *SMOKE).returncode == 0
    assert hashes(smoke_copy) == before


def test_a_killed_run(smoke_copy: Path) -> None:
    """After SIGKILL on everything Snakemake asks for `--unlock`; the next run completes to the same bytes."""
    before = hashes(smoke_copy)
    killed_in_training(smoke_copy, whole_group=True)
    assert "--unlock" in run_snakemake(smoke_copy, "--cores", "2", *SMOKE).stdout
    assert run_snakemake(smoke_copy, "--unlock", *SMOKE).returncode == 0
    assert run_snakemake(smoke_copy, "--cores", "2", *SMOKE).returncode == 0
    assert hashes(smoke_copy) == before


def test_training_asks_for_the_gpu(repository: Path, tmp_path: Path) -> None:
    """With `device: cuda` every training job asks for one GPU; with `cpu` none does."""
    rules = repository / "workflow/rules/l1_paradox.smk"
    text = rules.read_text()
    try:
        # Without its sentence a job shows its resources.
        rules.write_text(re.sub(r"    message:\n.*\n", "", text))
        for device, asked in [("cuda", "gpu=1"), ("cpu", "gpu=0")]:
            plan = run_snakemake(repository, "--dry-run", *SMOKE, "--config", f"device={device}").stdout
            assert plan.count("rule train_") == plan.count(asked) > 0, plan
    finally:
        rules.write_text(text)


def test_report(smoke_copy: Path) -> None:
    """Snakemake's report is written without a network and holds every caption."""
    done = run_snakemake(smoke_copy, "--report", "report.html", *SMOKE)
    assert done.returncode == 0, done.stdout
    assert (smoke_copy / "report.html").stat().st_size > 100_000


def test_verify(smoke_copy: Path) -> None:
    """A run equals the reference made from it; a changed reference value is reported by file, name and rule."""
    paths = ["--results", "results/smoke", "--reference", "reference/smoke"]
    accept = [sys.executable, "scripts/accept_reference.py", *paths]
    subprocess.run(accept, cwd=smoke_copy, env={**os.environ, "PYTHONPATH": "src"}, check=True, capture_output=True)
    assert run_snakemake(smoke_copy, "verify", "--cores", "1", *SMOKE).returncode == 0
    reference = smoke_copy / "reference/smoke/values.json"
    values = json.loads(reference.read_text())
    changed = next(name for name in values["claims.json"] if name.endswith(".deviation"))
    values["claims.json"][changed]["value"] += 1000
    reference.write_text(json.dumps(values))
    done = run_snakemake(smoke_copy, "verify", "--cores", "1", *SMOKE)
    assert done.returncode != 0
    assert re.search(rf"claims.json: {changed}.*\(made by rule decide_claims\)", done.stdout), done.stdout
