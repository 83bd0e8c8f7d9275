"""Tables of claims as the syntax tree has them are those that the imported claims read."""

import subprocess
import sys
from importlib import import_module

import pytest

from ndgm.decide.claim import CLAIMS
from ndgm.groups import GROUPS
from ndgm.pipeline.claim_tables import claim_tables, misdeclared
from ndgm.pipeline.jobs import FIGURES


@pytest.mark.parametrize("group", [group.name for group in GROUPS])
def test_the_syntax_tree_says_what_the_registry_says(group):
    import_module(f"ndgm.claims.{group}")
    assert claim_tables(group) == {name: one.experiments for name, one in CLAIMS.items() if one.group == group}


def test_functions_that_are_no_claims_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr("ndgm.pipeline.claim_tables.CLAIMS", tmp_path)
    (tmp_path / "toy.py").write_text(
        "@claim(figure='toy', kind='finding', test=order())\ndef toy_norm(toy_runs: Table, toy_exact: Table): ...\n"
        "@cache\ndef cached(runs): ...\ndef helper(runs): ...\nCLAIM = 1\n"
    )
    assert claim_tables("toy") == {"toy_norm": ("toy_runs", "toy_exact")}


def test_neither_pandas_nor_torch_is_imported():
    program = (
        "import sys; from ndgm.pipeline.claim_tables import claim_tables; claim_tables('adaptive');"
        "sys.exit(any(name in sys.modules for name in ('pandas', 'torch', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": "src"}).returncode == 0


@pytest.mark.parametrize("group", [group.name for group in GROUPS])
def test_every_claim_has_a_name_a_statement_and_a_figure(group):
    assert misdeclared(group, FIGURES) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("toy_b", "toy_a", "line 7: toy_a: line 3 has a claim of this name, too"),
        ("toy_b", "other_b", "line 7: other_b: its name has small letters, digits and _, and begins with toy_"),
        ("toy_b", "toy_B", "line 7: toy_B: its name has small letters, digits and _, and begins with toy_"),
        ('FIGURE = "toy_norm"', 'FIGURE = "toy_nrom"', "line 3: toy_a: there is no figure toy_nrom; did you mean"),
        ('figure="toy_norm", ', "", "line 7: toy_b: there is no figure without a name"),
        ('"""B."""', "...", "line 7: toy_b: its docstring is what documents state, and is missing"),
        (
            'figure="toy_norm"',
            'figure="toy_nrom"',
            "line 7: toy_b: there is no figure toy_nrom; did you mean",
        ),
    ],
)
def test_a_slip_in_a_claim_is_one_line_before_anything_runs(before, after, said, tmp_path, monkeypatch):
    monkeypatch.setattr("ndgm.pipeline.claim_tables.CLAIMS", tmp_path)
    source = (
        'FIGURE = "toy_norm"\n@claim(figure=FIGURE, kind="finding", test=order())\ndef toy_a(runs):\n    """A."""\n\n'
        '@claim(figure="toy_norm", kind="finding", test=order())\ndef toy_b(runs):\n    """B."""\n'
    )
    assert before in source
    (tmp_path / "toy.py").write_text(source.replace(before, after))
    (line,) = misdeclared("toy", ["toy_norm"])
    assert line.startswith(f"{tmp_path}/toy.py: {said}")
