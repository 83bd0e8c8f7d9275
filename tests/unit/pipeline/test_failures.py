"""What went wrong in jobs of a run, in one line each."""

from pathlib import Path

import pytest

from ndgm.pipeline.failures import last_lines


def failed(rule: str, log: str) -> str:
    """What Snakemake says of a failed job."""
    begins = f"Error in rule {rule}:\n" if rule else ""
    return f"{begins}    jobid: 4\n    log: {log} (check log file(s) for error details)"


def test_the_last_line_of_each_failed_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once each, with the name of the log; a log that is empty or missing has none, and half a character is shown."""
    monkeypatch.chdir(tmp_path)
    Path("one.log").write_text("begun\nerror: no space\n")
    Path("torn.log").write_bytes("error: Gauß".encode()[:-1])
    Path("empty.log").touch()
    names = ("one", "empty", "gone", "one", "torn")
    said = [failed("train", f"{name}.log") for name in names]
    Path("snakemake.log").write_bytes("\n".join([*said, "Exiting"]).encode() + b"\xff")
    assert last_lines(Path("snakemake.log")) == ["one.log: error: no space", "torn.log: error: Gau\ufffd"]


# As Slurm 22.05 says it; of memory, its node by its own accounting, by control groups, and by the kernel's.
TIME = "slurmstepd-vm: error: *** JOB 7 ON vm CANCELLED AT 2026-11-28T19:03:04 DUE TO TIME LIMIT ***"
MEMORY = (
    "slurmstepd-vm: error: StepId=2.0 exceeded memory limit (277889024 > 230686720), being killed",
    "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0. Some of the step tasks have been OOM Killed.",
    "srun: error: vm: task 0: Out Of Memory",
)


@pytest.mark.parametrize(
    ("slurm", "line"),
    [
        (TIME, "train: out of time: Slurm has ended it; ask for more, --set-resources train:runtime=…"),
        *[
            (each, "train: out of memory: Slurm has ended it; ask for more, --set-resources train:mem_mb=…")
            for each in MEMORY
        ],
        ("srun: error: vm: task 0: Killed", "slurm.log: vm: task 0: Killed"),
    ],
)
def test_what_slurm_says_of_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slurm: str, line: str) -> None:
    """The limit, and what to ask more of; else its last word, in the place of the inner Snakemake's."""
    monkeypatch.chdir(tmp_path)
    Path("own.log").touch()
    Path("slurm.log").write_text(f"Job 0: Training\n{slurm}\nWorkflowError:\nAt least one job did not complete\n")
    Path("snakemake.log").write_text(failed("train", "own.log, slurm.log"))
    assert last_lines(Path("snakemake.log")) == [line]


def test_a_fault_of_the_program_comes_before_what_slurm_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the reason why the job's step failed."""
    monkeypatch.chdir(tmp_path)
    Path("own.log").write_text("error: no space\n")
    Path("slurm.log").write_text("srun: error: vm: task 0: Exited with exit code 1\n")
    Path("snakemake.log").write_text(failed("train", "own.log, slurm.log"))
    assert last_lines(Path("snakemake.log")) == ["own.log: error: no space"]


def test_a_job_that_slurm_does_not_take(tmp_path: Path) -> None:
    """One line for all jobs of a rule."""
    message = (
        "    message: SLURM sbatch failed. The error message was 'sbatch: error: invalid partition specified: nosuch\n"
        "sbatch: error: Batch job submission failed: Invalid partition name specified'.\n    sbatch call:\n"
    )
    text = "".join(f"Error in rule make:\n{message}{failed('', 'one.log')}\n" for _ in range(2))
    (tmp_path / "snakemake.log").write_text(text)
    assert last_lines(tmp_path / "snakemake.log") == [
        "make: Slurm takes no such job: invalid partition specified: nosuch; "
        "Batch job submission failed: Invalid partition name specified"
    ]
