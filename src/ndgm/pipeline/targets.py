"""What a run is asked for and what went wrong in it, in one line each."""

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ndgm.groups import Figure
from ndgm.pipeline.jobs import TABLES


def unknown_tables(claims: Mapping[str, Mapping[str, Iterable[str]]], figures: Iterable[Figure]) -> list[str]:
    """Tables that a claim or a figure reads and no job of the manifest makes, a line for each.

    Args:
        claims: Tables that claims read, by group and claim.
        figures: Figures of the manifest.
    """
    read = [
        (f"src/ndgm/claims/{group}.py: {claim}", table)
        for group, tables_of in claims.items()
        for claim, tables in tables_of.items()
        for table in tables
    ]
    read += [(f"src/ndgm/groups.py: figure {figure.name}", table) for figure in figures for table in figure.tables]
    return [f"{reader}: there is no table {unknown(table, TABLES)}" for reader, table in read if table not in TABLES]


def unknown(name: str, known: Iterable[str]) -> str:
    """A name that there is not, and those that may have been meant, three at most; all of them where none is near."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return f"{name}; did you mean {' or '.join(near)}?" if near else f"{name}; there are {', '.join(known)}"


def last_lines(*said: Path) -> list[str]:
    """Last line of the log of each failed job, after the name of the log.

    Args:
        *said: Snakemake's own logs, which name the logs of failed jobs.
    """
    text = "".join(file.read_text(encoding="utf-8") for file in said)
    logs = dict.fromkeys(re.findall(r"^ +log: (.*) \(check log file\(s\) for error details\)$", text, re.MULTILINE))
    lines = {log: Path(log).read_text(encoding="utf-8").splitlines() for log in logs if Path(log).is_file()}
    return [f"{log}: {of_log[-1]}" for log, of_log in lines.items() if of_log]
