"""What a run is asked for and there is not, in one line each."""

import re

import pytest

from ndgm.groups import GROUPS, Figure
from ndgm.pipeline.claim_tables import claim_tables
from ndgm.pipeline.jobs import FIGURES, TABLES
from ndgm.pipeline.settings import load
from ndgm.pipeline.targets import FOLDERS, no_result, results, said_of_no_result, unknown, unknown_tables

CLAIMS = {group.name: claim_tables(group.name) for group in GROUPS}


def test_every_claim_and_figure_reads_tables_that_there_are() -> None:
    """Those of the manifest."""
    assert unknown_tables({group.name: claim_tables(group.name) for group in GROUPS}, FIGURES.values()) == []


def test_a_table_that_there_is_not() -> None:
    """The file and the claim or figure that reads it are named, and the nearest table."""
    name = TABLES[0]
    one, other = unknown_tables({"toy": {"toy_norm": (name, name + "s")}}, [Figure("toy", (name, "x" + name))])
    assert one.startswith(f"src/ndgm/claims/toy.py: toy_norm: there is no table {name}s; did you mean {name}")
    assert other.startswith(f"src/ndgm/groups.py: figure toy: there is no table x{name}; did you mean {name}")


def test_a_name_that_there_is_not() -> None:
    """With those that may have been meant, and with all where none is near."""
    assert unknown("adm", ["adam", "sign"]) == "adm; did you mean adam?"
    assert unknown("conclusion", ["adam", "sign"]) == "conclusion; there are adam, sign"


@pytest.mark.parametrize("scale", ["smoke", "laptop", "full"])
def test_every_result_is_what_its_misspelt_name_may_have_meant(scale: str) -> None:
    """In every folder of a run, of every table, claim, figure and document; and no result itself is taken for one."""
    config = load(scale)
    known = results(config, CLAIMS)
    assert len(known) == len(set(known)) and {name.rpartition("/")[0].partition("/")[0] for name in known} == {*FOLDERS}
    pattern = re.compile(no_result(scale, known))
    for name in known:
        assert not pattern.fullmatch(f"{scale}/{name}")
        folder, _, rest = name.partition("/") if "/" in name else ("", "", name)
        stem, dot, suffix = rest.rpartition(".")
        misspelt = f"{stem[:-2]}{stem[-1]}"
        file = f"{scale}/{folder}/{misspelt}{dot}{suffix}" if folder else f"{scale}/{misspelt}{dot}{suffix}"
        assert pattern.fullmatch(file)
        line = said_of_no_result(file, scale, known, config)
        word, _, meant = line.removeprefix("there is no ").partition(f" {misspelt} in this run; did you mean ")
        assert word == FOLDERS[folder] and stem in meant.rstrip("?").split(" or "), line


def test_what_is_no_result_for_another_reason() -> None:
    """Another suffix, a table that is divided into parts, a figure that only another scale has, and another scale."""
    config = load("smoke")
    known = results(config, CLAIMS)

    def said(file: str) -> str:
        assert re.fullmatch(no_result("smoke", known), file)
        return said_of_no_result(file, "smoke", known, config)

    absent = next(name for name in FIGURES if f"figures/{name}.svg" not in known)
    drawn = next(name for name in FIGURES if f"figures/{name}.svg" in known)
    assert said(f"smoke/figures/{absent}.svg").startswith(f"there is no figure {absent} in this run: its config has ")
    line = f"there is no figure {drawn}.jpg in this run; did you mean {drawn}.png or {drawn}.svg or {drawn}.pdf?"
    assert said(f"smoke/figures/{drawn}.jpg") == line
    assert said("smoke/exact/l1_paradox_exact.parquet").endswith(" or l1_paradox_exact_correlated?")
    line = "results/laptop/paper.pdf is no result of this run, whose scale is smoke: say --config scale=laptop"
    assert said("laptop/paper.pdf") == line


@pytest.mark.parametrize("file", ["smoke/logs/verify.log", "smoke/shards/a.1", "report.html", "smoke"])
def test_other_files_are_left_to_snakemake(file: str) -> None:
    """Logs, parts of a job, and what stands beside the scales."""
    assert not re.fullmatch(no_result("smoke", ["claims.json"]), file)
