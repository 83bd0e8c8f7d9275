"""Config files, read strictly: what Snakemake would answer with a traceback, or take in silence, is one line."""

import os
import stat
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ndgm.store.files import InputError

Settings = dict[str, Any]


def read_config(file: Path) -> Settings:
    """The settings that a file holds.

    Args:
        file: YAML, which reads JSON too, but numbers such as 1e-05.

    Raises:
        InputError: naming the file, if it cannot be read, is not UTF-8, not YAML or no mapping, or gives a key twice.
    """
    try:
        if stat.S_ISFIFO(file.stat().st_mode):
            raise OSError(None, "a pipe, which would be waited for", str(file))
        found, twice = deepcopy(_parsed(file.read_text(encoding="utf-8")))
    except OSError as fault:
        reason = "no such file" if isinstance(fault, FileNotFoundError) else fault.strerror
        raise InputError(f"{file}: {reason}") from None
    except UnicodeDecodeError as fault:
        line = fault.object[: fault.start].count(b"\n") + 1
        raise InputError(f"{file}: line {line} is not UTF-8; write it anew in that encoding") from None
    except (yaml.YAMLError, ValueError, RecursionError) as fault:
        raise InputError(f"{file}: not YAML ({' '.join(str(fault).split())})") from None
    if not isinstance(found, dict):
        raise InputError(f"{file}: holds no settings")
    if twice:
        key, first, second = twice
        raise InputError(f"{file}: line {second}: {key} is given a second time, after line {first}")
    return found


@cache  # a start of Snakemake asks several times for each file
def _parsed(text: str) -> tuple[Any, tuple[str, int, int] | None]:
    """What a YAML text holds, and the first key that it gives twice."""
    loader = yaml.CSafeLoader(text)
    tree = loader.get_single_node()
    twice = next(_twice(tree), None)
    return loader.construct_document(tree) if tree else None, twice


def unreadable(files: Iterable[str | Path]) -> str:
    """What is wrong with the first file that cannot be taken for settings, in a line; nothing where all can."""
    try:
        for file in files:
            read_config(Path(os.path.relpath(file)))
    except InputError as fault:
        return str(fault)
    return ""


def _twice(tree: yaml.Node | None) -> Iterator[tuple[str, int, int]]:
    """Keys that a mapping gives twice, of which YAML takes the last: the key and both lines."""
    waiting, seen = [tree], set()  # an alias leads to a node again, and one inside of its own anchor for ever
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        waiting += [value for _, value in pairs] + (node.value if isinstance(node, yaml.SequenceNode) else [])
        lines: dict[str, int] = {}
        for name, line in [(key.value, key.start_mark.line + 1) for key, _ in pairs if isinstance(key.value, str)]:
            if name in lines:
                yield name, lines[name], line
            lines[name] = line
