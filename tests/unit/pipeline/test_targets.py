"""What a run is asked for and there is not, in one line each."""

from ndgm.groups import GROUPS, Figure
from ndgm.pipeline.claim_tables import claim_tables
from ndgm.pipeline.jobs import FIGURES, TABLES
from ndgm.pipeline.targets import unknown, unknown_tables


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
