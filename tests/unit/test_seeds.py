"""Where random numbers come from: `ndgm.store.provenance.generator` alone, so that every seed derives from the root."""

import ast
from pathlib import Path

import pytest

import ndgm

SOURCES = Path(ndgm.__file__).parent
MAKES_GENERATORS = SOURCES / "store/provenance.py"
DRAWS = {
    *("default_rng", "Generator", "PCG64", "RandomState", "SeedSequence", "seed", "manual_seed"),
    *("rand", "randn", "randint", "randperm", "normal_", "uniform_", "bernoulli_", "random_"),
}
"""Calls that make a generator, seed one, or draw from one that everybody shares."""

SEEDS_FOR_OTHERS = {SOURCES / "engine/attacks.py": {"manual_seed"}}
"""Modules that seed what a library draws from, in a scope of its own."""


@pytest.mark.parametrize("file", sorted(SOURCES.rglob("*.py")), ids=lambda file: str(file.relative_to(SOURCES)))
def test_no_other_module_makes_or_seeds_a_generator(file: Path) -> None:
    """The probes of eigenvalues once came from `default_rng(0)`, whatever the root seed."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = {getattr(function, "attr", getattr(function, "id", "")) for function in called} & DRAWS
    if allowed := names & SEEDS_FOR_OTHERS.get(file, set()):
        assert "fork_rng" in {getattr(function, "attr", "") for function in called}
        names -= allowed
    assert not names or file == MAKES_GENERATORS, f"{file} calls {', '.join(sorted(names))}: pass a generator in"
