"""What a run is asked for and there is not, in one line each."""

from collections.abc import Iterable, Mapping

from ndgm.groups import Figure
from ndgm.pipeline.jobs import TABLES
from ndgm.store.names import meant


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
