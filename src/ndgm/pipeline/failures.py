"""What went wrong in jobs of a run, in one line each."""

import re
from pathlib import Path


def last_lines(*said: Path) -> list[str]:
    """Last line of the log of each failed job, after the name of the log.

    Args:
        *said: Snakemake's own logs, which name the logs of failed jobs.
    """
    text = "".join(map(_text, said))
    logs = dict.fromkeys(re.findall(r"^ +log: (.*) \(check log file\(s\) for error details\)$", text, re.MULTILINE))
    lines = {log: _text(Path(log)).splitlines() for log in logs if Path(log).is_file()}
    return [f"{log}: {of_log[-1]}" for log, of_log in lines.items() if of_log]


def _text(log: Path) -> str:
    """What stands in a log; a job that was killed may have left half a character at its end."""
    return log.read_text(encoding="utf-8", errors="replace")
