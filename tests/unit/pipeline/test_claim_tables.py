"""Tables of claims as the syntax tree has them are those that the imported claims read."""

import subprocess
import sys
from importlib import import_module

import pytest

from ndgm.decide.claim import CLAIMS
from ndgm.groups import GROUPS
from ndgm.pipeline.claim_tables import claim_tables


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
