"""What went wrong in jobs of a run, in one line each."""

import re
from collections.abc import Iterator
from pathlib import Path

REFUSED = re.compile(r"SLURM sbatch failed\. The error message was '(.*?)'\.$", re.MULTILINE | re.DOTALL)
LOGS = re.compile(r"^ +log: (.*) \(check log file\(s\) for error details\)$", re.MULTILINE)
SLURM_SAYS = re.compile(r"^(?:slurmstepd|srun)[^:]*: error: (.*)$", re.MULTILINE)
# What Slurm says of a job that took more than it had asked for, and the resource to ask more of.
LIMITS = {
    "time": (re.compile(r"DUE TO TIME LIMIT"), "runtime"),
    "memory": (re.compile(r"exceeded .*memory limit|oom.kill|out.of.memory", re.IGNORECASE), "mem_mb"),
}


def last_lines(*said: Path) -> list[str]:
    """Last line of the log of each failed job, after the name of the log; on a cluster, what Slurm says of the job.

    Args:
        *said: Snakemake's own logs, which name the logs of failed jobs.
    """
    _, *failed = re.split(r"^Error in rule (?=\w+:$)", "".join(map(_text, said)), flags=re.MULTILINE)
    return list(dict.fromkeys(line for job in failed for line in _lines(job.partition(":")[0], job)))


def _lines(rule: str, failed: str) -> Iterator[str]:
    """What there is to say of one failed job, from what Snakemake says of it."""
    if refused := REFUSED.search(failed):
        yield f"{rule}: Slurm takes no such job: " + "; ".join(refused[1].replace("sbatch: error: ", "").splitlines())
        return
    logs = {log: _text(Path(log)) for found in LOGS.findall(failed) for log in found.split(", ") if Path(log).is_file()}
    for name, (says, resource) in LIMITS.items():
        if any(says.search(line) for text in logs.values() for line in SLURM_SAYS.findall(text)):
            yield f"{rule}: out of {name}: Slurm has ended it; ask for more, --set-resources {rule}:{resource}=…"
            return
    for log, text in logs.items():
        # A job's own log says more than Slurm's of the same job.
        if lines := SLURM_SAYS.findall(text) or text.splitlines():
            yield f"{log}: {lines[-1]}"
            return


def _text(log: Path) -> str:
    """What stands in a log; a job that was killed may have left half a character at its end."""
    return log.read_text(encoding="utf-8", errors="replace")
