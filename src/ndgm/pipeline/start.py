"""What would end in a traceback of Snakemake's own, before the workflow is read: found first, in one line."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ndgm.pipeline.config_files import unreadable

ONCE = {
    "--config": lambda word: word.startswith("-C") or word.partition("=")[0] == "--config",
    "--configfile": lambda word: word.partition("=")[0] in ("--configfile", "--configfiles"),
}
"""Options of Snakemake of which the last alone counts, and how to tell each."""


def twice(words: Sequence[str]) -> str:
    """The first option that a command line gives twice though it counts once; nothing where there is none."""
    return next((option for option, is_one in ONCE.items() if sum(map(is_one, words)) > 1), "")


def unfit(files: Iterable[str | Path], variables: Mapping[str, str]) -> str:
    """The first fault of config files and of folders that Snakemake writes to; nothing where there is none.

    Args:
        files: Config files that are about to be read.
        variables: Environment of the run.
    """
    if fault := unreadable(files):
        return fault
    cache = variables.get("XDG_CACHE_HOME") or Path(variables.get("HOME") or "~").expanduser() / ".cache"
    places = {
        Path(".snakemake"): "Snakemake keeps its records there",
        Path(cache, "snakemake"): "Snakemake keeps copies there; set XDG_CACHE_HOME to a folder of yours",
    }
    for place, why in places.items():
        if fault := unwritable(place, why):
            return fault
    return ""


def unwritable(place: Path, why: str) -> str:
    """What keeps a folder from being written to, or from being made; nothing where that can be done.

    Args:
        place: The folder.
        why: What it is written to for.
    """
    there = next(folder for folder in [place, *place.parents] if os.path.exists(folder))
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return ""
    return f"{there}: not a folder that can be written to, and {why}"
