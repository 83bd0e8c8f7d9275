"""The settings of a run, checked: every fault is one line that names the file, the key and what is wrong with it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ndgm.groups import GROUPS
from ndgm.pipeline.config_files import Settings, read_config
from ndgm.pipeline.schema import Faults, Key, dotted, parts_of, sample_sources, violations

DEFAULT = "laptop"
"""The scale whose settings the files of all others change."""
PICTURES = {"split_digits": 1797, "split_mnist": 5000}
"""Pictures of handwritten digits, by the source that cuts them in two."""
MOST_NAMED = 5
"""Keys that a line names before it counts the others."""


def load(scale: str, folder: Path = Path("config")) -> Settings:
    """The settings of a scale: those of its file, merged over those of the default.

    Args:
        scale: The stem of a file in the folder.
        folder: Where the files are.

    Raises:
        InputError: naming the file, if it cannot be taken for settings.
    """
    return merged(*(read_config(Path(folder) / f"{name}.yaml") for name in dict.fromkeys([DEFAULT, scale])))


def merged(*settings: Mapping[str, Any]) -> Settings:
    """Settings, each over those before it: mappings key by key, anything else replaced."""
    found: Settings = {}
    for other in settings:
        both = {
            key: merged(found[key], other[key])
            for key in found.keys() & other.keys()
            if isinstance(found[key], Mapping) and isinstance(other[key], Mapping)
        }
        found = {**found, **other, **both}
    return found


def faults(settings: Mapping[str, Any], files: list[str], command_line: Mapping[str, Any]) -> list[str]:
    """What is wrong with a config, in the order of its keys.

    Args:
        settings: The merged config.
        files: The config files that it was merged from; later files win.
        command_line: What `--config` said; it wins over all files.

    Returns:
        Lines such as `config/smoke.yaml: l1_paradox.lasso.seeds: 0 is less than 2`; none where all is well.

    Raises:
        InputError: naming the file, if one cannot be taken for settings.
    """
    found = dict(violations(settings))
    sources = _sources(files, command_line)
    for key, fault in [
        *_unknown_scale(settings),
        *_misnamed_scale(settings, sources),
        *_unfit_samples(settings),
        *_too_many_pictures(settings),
    ]:
        found.setdefault(key, fault)
    lines = [(_where_set(key, sources), found[key], key) for key in sorted(found, key=str)]
    return [f"{where}: {fault}{_nested_hint(where, fault, key)}" for where, fault, key in lines]


def missing_files(settings: Mapping[str, Any], files: list[str], command_line: Mapping[str, Any]) -> list[str]:
    """Files of data that a valid config names and that are not there, a line for each; arguments as for `faults`."""
    named = {file: key for key, file in reversed(parts_of(settings, "samples.*.*.file"))}
    missing = {file: key for file, key in named.items() if not os.path.isfile(file)}
    sources = _sources(files, command_line) if missing else {}
    return [f"{_where_set(key, sources)}: {file}: no such file; see config/README.md" for file, key in missing.items()]


def overrides(settings: Mapping[str, Any]) -> str:
    """One line for a run whose settings are not those of its scale, though its results go to the folder of the scale.

    Args:
        settings: The merged config, valid.

    Returns:
        Which keys differ, and how such a run gets a folder of its own; nothing where none differs.
    """
    scale = settings["scale"]
    # Shards change no byte of a result.
    keys = [dotted(key) for key in _differing(settings, load(scale)) if key != ("shards",)]
    if not keys:
        return ""
    named = ", ".join(keys if len(keys) <= MOST_NAMED else [*keys[:MOST_NAMED], f"{len(keys) - MOST_NAMED} more"])
    file = f"config/{scale}.yaml"
    return (
        f"results/{scale} will hold a run with {named} changed from {file}; to keep it apart, copy that file to "
        "config/mine.yaml, set `scale: mine` and these values in it, and run with --config scale=mine"
    )


def _unknown_scale(settings: Mapping[str, Any]) -> Faults:
    """A scale without a file."""
    scales = sorted(path.stem for path in Path("config").glob("*.yaml"))
    if (scale := settings.get("scale")) not in scales:
        yield ("scale",), f"there is no config/{scale}.yaml, only {', '.join(scales)}"


def _misnamed_scale(settings: Mapping[str, Any], sources: Mapping[str, Any]) -> Faults:
    """A file of a scale that says no scale or another one: its results would be called what they are not."""
    for file, said in sources.items():
        path = Path(file)
        of_this_scale = path.stem == settings.get("scale")
        if path.parent == Path("config") and said.get("scale", None if of_this_scale else path.stem) != path.stem:
            fault = f"is {said['scale']!r}" if "scale" in said else "is missing"
            yield ("scale",), f"in {file} it {fault}; write `scale: {path.stem}` there"


def _nested_hint(where: str, fault: str, key: Key) -> str:
    """What to do where `--config` gives text for a number: Snakemake reads numbers so inside of braces."""
    nested = where.startswith("command line: ") and len(key) > 1
    number = "' is not a whole number" in fault or "' is not a finite number" in fault
    return ": inside of { } --config gives text; put it into a file, after --configfile" if nested and number else ""


def _unfit_samples(settings: Mapping[str, Any]) -> Faults:
    """Entries of `samples` that a job of the manifest lacks, that have another source, or that no job reads."""
    for owner, wanted in _wanted_samples(settings).items():
        for place, entries in parts_of(settings, f"samples.{owner}"):
            if wanted and isinstance(entries, Mapping):
                yield from _unfit_entries(place, entries, wanted)


def _unfit_entries(place: Key, entries: Mapping[str, Any], wanted: Mapping[str, tuple[Key, str]]) -> Faults:
    """Entries of one owner that are wanted and lacking, that have another source, or that are not wanted."""
    for name, (key, source) in wanted.items():
        if name not in entries:
            yield key, f"there is no {name} in {dotted(place)}"
        elif source and isinstance(entries[name], Mapping) and entries[name].get("source", source) != source:
            yield (*place, name, "source"), f"{entries[name]['source']!r} is not {source}"
    for name in entries:
        if name not in wanted:
            yield (*place, name), f"nothing reads it; there are {', '.join(wanted)}"


def _wanted_samples(settings: Mapping[str, Any]) -> dict[str, dict[str, tuple[Key, str]]]:
    """Entries of `samples` that jobs read by name: for each owner and name, the key that asks for it, and its source.

    An owner all of whose entries are read has none here. An entry that is called as a source of its owner has that one.
    """

    def own(owner: str, name: str) -> str:
        return name if name in sample_sources(owner) else ""

    wanted: dict[str, dict[str, tuple[Key, str]]] = {}
    for job in (job for group in GROUPS for job in group.jobs):
        for owner, name in (pattern.split("/") for pattern in job.samples):
            read = wanted.setdefault(owner, {})
            if name == "{part}_*":
                for key, _ in parts_of(settings, f"{job.parts}.*.problems.*"):
                    part, problem = str(key[-3]), key[-1]
                    read[f"{part}_{problem}"] = (key, part)
            elif name == "{part}" and not job.parts.startswith("samples."):
                keys = {str(key[-1]): key for key, _ in parts_of(settings, f"{job.parts}.*")}
                read |= {part: (key, own(owner, part)) for part, key in keys.items()}
            elif name not in ("*", "{part}"):
                read[name] = (("samples", owner, name), own(owner, name))
    return wanted


def _too_many_pictures(settings: Mapping[str, Any]) -> Faults:
    """Networks under an L1 penalty that train on more pictures than there are."""
    left: dict[Any, int] = {}
    for key, test in parts_of(settings, "samples.l1_paradox_networks.*.test"):
        sources = [source for _, source in parts_of(settings, dotted((*key[:-1], "source")))]
        if isinstance(test, int) and sources and isinstance(sources[0], str):
            left[key[-2]] = PICTURES.get(sources[0], 0) - test
    asked = [(key, "split", count) for key, count in parts_of(settings, "l1_paradox.networks.sweeps.*.samples")]
    for key, count in parts_of(settings, "l1_paradox.weights.data.*.full_batch"):
        asked += [(key, split, count) for _, split in parts_of(settings, dotted((*key[:-1], "split")))]
    for key, split, count in asked:
        most = left.get(split, 0) if isinstance(split, str) else 0
        if isinstance(count, int) and count > most >= 1:
            yield key, f"{count} is more than the {most} pictures that are not kept for the test"


def _differing(settings: Any, other: Any, key: Key = ()) -> list[Key]:
    """Keys of what differs between two configs, as deep in them as can be."""
    if not (isinstance(settings, Mapping) and isinstance(other, Mapping)):
        return [] if settings == other else [key]
    names = dict.fromkeys([*settings, *other])
    return [found for name in names for found in _differing(settings.get(name), other.get(name), (*key, name))]


def _sources(files: list[str], command_line: Mapping[str, Any]) -> dict[str, Any]:
    """What each config file says, by its path from here, and the command line after them."""
    said = {os.path.relpath(file): read_config(Path(file)) for file in files}
    return {**said, "command line": command_line}


def _where_set(key: Key, sources: Mapping[str, Any]) -> str:
    """Where a key was set last, such as `config/smoke.yaml: l1_paradox.lasso.seeds`.

    That is the last source that has the key or, where none has, the last that has the mapping around it.
    """
    for length in range(len(key), 0, -1):
        for name, content in reversed(list(sources.items())):
            if _has(content, key[:length]):
                return f"{name}: {dotted(key)}"
    return f"{next(iter(sources))}: {dotted(key)}"


def _has(content: Any, key: Key) -> bool:
    """Whether a key stands in this source."""
    for part in key:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True
