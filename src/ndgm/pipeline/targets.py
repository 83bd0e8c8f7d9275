"""What a run is asked for and there is not, in one line each."""

import re
from collections.abc import Collection, Iterable, Mapping

from ndgm.groups import Figure
from ndgm.pipeline.jobs import DOCUMENTS, FIGURES, JOBS, TABLES, Config, figures, parts, result, table_files
from ndgm.store.names import meant

FOLDERS = {
    "": "document",
    "runs": "table",
    "exact": "table",
    "weights": "table with weights",
    "data": "data",
    "figures": "figure",
    "notebooks": "notebook",
    "captions": "caption",
    "claims": "claim",
}
"""What stands in each folder of a run; the first is the run's own."""


def results(config: Config, claims: Mapping[str, Iterable[str]]) -> list[str]:
    """Every result that a run can be asked for, under the results of its scale.

    Args:
        config: That of the run.
        claims: Claims by group.
    """
    drawn = figures(config)
    weights = [
        result(job, each, "weights", ".npz").format(part=part)
        for job in JOBS.values()
        if job.weights
        for each in job.experiments
        for part in parts(job, config)
    ]
    return [
        *(f"data/{owner}/{name}.npz" for owner, names in config["samples"].items() for name in names),
        *(table for file in table_files(config) for table in (file, file.removesuffix(".parquet") + ".json")),
        *weights,
        *(f"claims/{name}.json" for group, of_group in claims.items() for name in (group, *of_group)),
        *(f"figures/{name}.{suffix}" for name in drawn for suffix in ("pdf", "svg", "png")),
        *(f"notebooks/{name}.{suffix}" for name in drawn for suffix in ("ipynb", "html")),
        *(f"captions/{name}.rst" for name in drawn),
        *(f"{document}.{suffix}" for document in DOCUMENTS for suffix in ("pdf", "html")),
        "claims.json",
    ]


def no_result(scale: str, known: Iterable[str]) -> str:
    """Pattern of the files under `results` that look like results and are none of the `known` ones of a scale."""
    folders = "|".join(f"{folder}/.+" if folder else "[^/]+" for folder in FOLDERS)
    return rf"(?!{re.escape(scale)}/(?:{'|'.join(map(re.escape, known))})$)[^/.]+/(?:{folders})"


def said_of_no_result(file: str, scale: str, known: Collection[str], config: Config) -> str:
    """A line on a file under `results` that is no result of a run: what it lacks, and what may have been meant.

    Args:
        file: The file, such as `smoke/runs/adaptive_laso.parquet`.
        scale: That of the run.
        known: Results of the run, as `results` gives them.
        config: That of the run.
    """
    of_scale, _, name = file.partition("/")
    if of_scale != scale:
        return f"results/{file} is no result of this run, whose scale is {scale}: say --config scale={of_scale}"
    folder, _, rest = name.partition("/") if "/" in name else ("", "", name)
    stem, suffix = _parted(rest)
    drawn_from = FIGURES[stem].tables if folder in ("figures", "notebooks", "captions") and stem in FIGURES else ()
    if absent := [table for table in drawn_from if not table_files(config, table)]:
        return f"there is no {FOLDERS[folder]} {stem} in this run: its config has nothing for {absent[0]}"
    here = [rest for above, _, rest in (each.rpartition("/") for each in known) if above == folder]
    if folder == "data":  # whose files stand in folders of their owners
        here = [each.removeprefix("data/") for each in known if each.startswith("data/")]
    if alike := [_parted(each)[0] for each in here if _parted(each)[1] == suffix]:
        return f"there is no {FOLDERS[folder]} {stem} in this run; {meant(stem, sorted(alike))}"
    return f"there is no {FOLDERS[folder]} {rest} in this run; {meant(rest, sorted(here))}"


def _parted(file: str) -> tuple[str, str]:
    """A file's name without its suffix, and the suffix."""
    stem, dot, suffix = file.rpartition(".")
    return (stem, dot + suffix) if dot else (file, "")


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
    """A name that there is not, and those that may have been meant."""
    return f"{name}; {meant(name, sorted(known))}"
