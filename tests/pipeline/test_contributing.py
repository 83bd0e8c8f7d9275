"""Each recipe of CONTRIBUTING.md is followed as it stands, in a copy of the repository in which smoke was run.

A block of a recipe says after its language which file it belongs to, and where: `new` is a whole file, `end` its end,
`into NAME` the end of the literal that a module assigns to NAME, `before TEXT` and `after TEXT, TEXT` are beside a line
that begins so, after a line that begins with the text before. Lines of a `diff` replace each other, and those of `bash`
are run.
"""

import ast
import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from copies import ROOT

from ndgm.pipeline.registries import REGISTRIES
from ndgm.pipeline.settings import load

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
RECIPES = {title.rpartition(" ")[2]: text for title, text in SECTIONS.items() if title.startswith("Add a")}
SMOKE = "results/smoke"


def blocks(recipe: str) -> list[tuple[str, str, str, str]]:
    """Language, file, place and content of each block of a recipe."""
    found = re.findall(r"^```(\w+)(?: (\S+))?(?: (.+?))?\n(.*?)^```$", RECIPES[recipe], re.MULTILINE | re.DOTALL)
    assert found
    return found


def put(text: str, place: str, content: str) -> str:
    """A file's text with the content of a block where it belongs."""
    how, _, anchors = place.partition(" ")
    apart = "\n\n" if content.startswith(("@", "def ", "class ")) else ""  # between definitions, as everybody has them
    if how == "new":
        return content
    if how == "end":
        return text + apart + content
    lines = text.splitlines(keepends=True)
    if how == "into":
        literals = [node for node in ast.parse(text).body if isinstance(node, ast.Assign | ast.AnnAssign)]
        (line,) = [node.end_lineno - 1 for node in literals if anchors in ast.unparse(node).partition("=")[0]]
    else:
        line = -1
        for anchor in anchors.split(", "):
            line = next(i for i in range(line + 1, len(lines)) if lines[i].strip().startswith(anchor))
        line += how == "after"
    return "".join([*lines[:line], content, apart, *lines[line:]])


def follow(recipe: str, folder: Path) -> str:
    """Do what a recipe says; returns what its commands printed."""
    write(recipe, folder)
    commands = [content.splitlines() for language, *_, content in blocks(recipe) if language == "bash"]
    return "\n".join(run(folder, command) for command in sum(commands, []))


def write(recipe: str, folder: Path) -> None:
    """Write all that a recipe says into the files that it names."""
    for language, file, place, content in blocks(recipe):
        path = folder / file
        if language == "bash":
            continue
        if language == "diff":
            old, new = ("".join(line[1:] for line in content.splitlines(True) if line[0] == sign) for sign in "-+")
            text = path.read_text(encoding="utf-8")
            assert old.strip("\n") in text, f"{file} has no {old}"
            path.write_text(text.replace(old.strip("\n"), new.strip("\n"), 1), encoding="utf-8")
        else:
            assert path.exists() == (place != "new"), f"{file}: {place}"
            path.write_text(
                put(path.read_text(encoding="utf-8") if path.exists() else "", place, content), encoding="utf-8"
            )


def run(folder: Path, command: str) -> str:
    """Run a command with the modules of the copy; returns what it printed."""
    environment = os.environ | {"PYTHONPATH": str(folder / "src")}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def clean(recipe: str, folder: Path) -> None:
    """Programs that a recipe wrote in pass the linters."""
    files = " ".join({file for _, file, *_ in blocks(recipe) if file.endswith(".py")})
    run(folder, f"ruff check --quiet {files} && ruff format --check --quiet {files}")


def test_add_a_method(smoke_copy: Path) -> None:
    """It is trained in one experiment, and has a colour and a marker."""
    follow("method", smoke_copy)
    runs = pd.read_parquet(smoke_copy / SMOKE / "runs/l1_paradox_lasso_diabetes.parquet")
    clipped = runs[runs["method"] == "clipped"]
    assert len(clipped) and np.isfinite(clipped["l1_norm"]).all()
    run(smoke_copy, "python -c \"from ndgm.paper.colours import COLOURS; print(COLOURS['clipped'])\"")
    clean("method", smoke_copy)


def test_add_an_activation(smoke_copy: Path) -> None:
    """The tests of the registry find it and hold it against autograd."""
    assert re.search(r"\d+ passed", follow("activation", smoke_copy))
    clean("activation", smoke_copy)


def test_an_activation_with_a_wrong_derivative_is_caught(smoke_copy: Path) -> None:
    """The tests that the recipe promises see a factor of two."""
    module = smoke_copy / "src/ndgm/engine/activations.py"
    entry = next(content for *_, content in blocks("activation") if "softsign" in content)
    wrong = entry.replace("-2 *", "-1 *")
    module.write_text(put(module.read_text(encoding="utf-8"), "into ACTIVATIONS", wrong), encoding="utf-8")
    with pytest.raises(AssertionError, match="softsign"):
        run(smoke_copy, "pytest -n0 tests/unit/engine/test_activations.py -k softsign")


def test_add_a_claim(smoke_copy: Path) -> None:
    """It is decided alone, with the p values of its siblings from the reference."""
    follow("claim", smoke_copy)
    (entry,) = json.loads((smoke_copy / SMOKE / "claims/l1_paradox_momentum.json").read_text())
    assert entry["verdict"] in ("supported", "refuted", "inconclusive")
    # Smoke has too few seeds for a test of order, and says so.
    assert (entry["kind"], entry["compared"], entry["gap"]) in (
        ("finding", "other arm", None),
        ("finding", "other arm", "too few seeds to decide: 4 of 5 needed"),
    )
    clean("claim", smoke_copy)


def test_add_a_figure(smoke_copy: Path) -> None:
    """It is drawn, with its notebook and its page."""
    follow("figure", smoke_copy)
    assert "<svg" in (smoke_copy / SMOKE / "figures/l1_paradox_zeros.svg").read_text()
    assert "<svg" in (smoke_copy / SMOKE / "notebooks/l1_paradox_zeros.html").read_text()
    clean("figure", smoke_copy)


def test_add_an_experiment(smoke_copy: Path) -> None:
    """Its table is made, with a record beside it."""
    follow("experiment", smoke_copy)
    runs = pd.read_parquet(smoke_copy / SMOKE / "runs/l1_paradox_starts_diabetes.parquet")
    assert set(runs["length"]) == {1.0, 10.0, 100.0}
    assert set(runs["experiment"]) == {"l1_paradox_starts"}
    assert (smoke_copy / SMOKE / "runs/l1_paradox_starts_diabetes.json").exists()
    clean("experiment", smoke_copy)


def test_add_a_group(smoke_copy: Path) -> None:
    """Its claim is decided, its figure drawn, and it stands in the lists that are made from the manifest."""
    follow("group", smoke_copy)
    (entry,) = json.loads((smoke_copy / SMOKE / "claims/hovering_length.json").read_text())
    assert entry["verdict"] == "supported"
    assert "<svg" in (smoke_copy / SMOKE / "figures/hovering.svg").read_text()
    for document in ("CLAIMS.md", "README.md"):
        assert "What is left of one kink" in (smoke_copy / document).read_text(encoding="utf-8")
    assert "train_hovering" in run(smoke_copy, "snakemake --list-rules")
    clean("group", smoke_copy)


def test_add_a_scale(smoke_copy: Path) -> None:
    """All of it is planned, into a folder of its own."""
    said = follow("scale", smoke_copy)
    assert "results/afternoon/paper.pdf" in said
    assert not (smoke_copy / "results/afternoon").exists()


def test_add_a_design(smoke_copy: Path) -> None:
    """It is a case of the law's table at every step and penalty; an edit of its file is noticed."""
    follow("design", smoke_copy)
    target = "results/own/runs/l1_paradox_designs.parquet"
    runs = pd.read_parquet(smoke_copy / target)
    own, settings = runs[runs["design"] == "own"], load("own", smoke_copy / "config")["l1_paradox"]["designs"]
    assert len(own) == len(settings["penalties_over_max"]) * len(settings["step_sizes_times_lipschitz"]) == 8
    assert own["single_case"].all() and (own["dimension"] == 3).all()
    assert {"phase_discrepancy", "mean_l1_norm", "law_second_order_l1_norm"} <= {*own}
    table = smoke_copy / "own.csv"
    table.write_text(table.read_text().replace("9.1", "9.2"))
    assert "make_samples" in run(smoke_copy, f"snakemake --cores 1 --dry-run {target} --config scale=own")


LISTS = [variable for _, variable in REGISTRIES.values()] + ["GROUPS", "JOBS", "FIGURES", "DOCUMENTS", "CLAIMS"]
READS = re.compile(rf"\b(ROOT|{'|'.join(LISTS)}|paper_of_a_run|small_jobs)\b|import load\b|\(smoke\b")
"""How a file of tests comes by the registries, the manifest, the documents and the config."""
WHOLE = ("paper", "pipeline")
"""Rooms that know of all that is registered, by the table of rooms."""
ONE_BY_ONE = ("claims", "engine", "experiments")
"""Rooms to which recipes add, and whose tests take one method, claim or experiment after the other, for minutes."""
SLOW = ("test_imports_are_silent.py", "test_notebooks.py", "test_settings_at_random.py", "test_settings_faults.py")
"""Tests that start kernels and programs, or try hundreds of configs."""
WITHOUT_A_RUN = ("test_cut_runs.py", "test_manifest.py", "test_readme.py")
"""Tests of the workflow that read all documents or all of the manifest, and need no finished run."""


@pytest.mark.elsewhere
def test_all_recipes_together_leave_the_tests_green(smoke_copy: Path) -> None:
    """Tests loop over registries and documents, and find each addition: a recipe names all that it takes.

    All unit tests that read those take part, but for rooms that have nothing of them: each file whole, or in rooms of
    `ONE_BY_ONE` the additions and what holds for a whole room. What is `SLOW` stays out: one core takes about a minute.
    """
    for recipe in RECIPES:
        write(recipe, smoke_copy)
    run(smoke_copy, "python scripts/write_rule_history.py --repository . --out reference/rules.json")
    run(smoke_copy, "python scripts/write_claims.py --repository .")
    assert_green(smoke_copy)


def assert_green(folder: Path) -> None:
    """The tests that additions may break pass in a copy with all of them, none of its files left out."""
    unit = folder / "tests/unit"
    reads = [path for path in sorted(unit.rglob("test_*.py")) if READS.search(path.read_text(encoding="utf-8"))]
    ours = {file for recipe in RECIPES for _, file, *_ in blocks(recipe) if Path(file).match("tests/unit/*/test_*.py")}
    one_by_one = [path for path in reads if path.relative_to(unit).parts[0] in ONE_BY_ONE]
    one_by_one += [folder / file for file in sorted(ours)]
    whole = [*(path for path in reads if path.relative_to(unit).parts[0] in WHOLE), *unit.glob("test_*.py")]
    whole += [unit / "claims/test_registered_claims.py", *(folder / "tests/pipeline" / name for name in WITHOUT_A_RUN)]
    assert set(SLOW) <= {path.name for path in whole}
    whole = [path for path in whole if path.name not in SLOW]
    additions = "softsign or clipped or momentum or l1_paradox_starts or hovering or manifest"
    for files, chosen in ((whole, "not test_a_command and not program"), (one_by_one, additions)):
        names = sorted({path.relative_to(folder).as_posix() for path in files})
        said = run(folder, f"pytest -n0 -p no:cacheprovider -rA -k '{chosen}' {' '.join(names)}")
        passed = set(re.findall(r"^PASSED (\S+?)::", said, re.MULTILINE))
        assert files is not whole or passed == set(names)
    assert ours <= passed and len(ours) > 2


def test_recipes_are_short() -> None:
    """Recipes take as many places as the head of CONTRIBUTING says: none is forgotten there, and none comes on top.

    Counted are the places that a run needs. Blocks under `tests/` and `paper/`, which make test asks for besides, stand
    in the head after a semicolon.
    """
    files = {recipe: [file for language, file, *_ in blocks(recipe) if language != "bash"] for recipe in RECIPES}
    places = {
        name: [file for file in each if not file.startswith(("tests/", "paper/"))] for name, each in files.items()
    }
    engine, config = "src/ndgm/engine/methods.py", "config/laptop.yaml"
    assert places["method"] == [engine, engine, config]
    assert {name: len(places[name]) for name in ("activation", "claim", "figure", "scale")} == {
        "activation": 1,
        "claim": 1,
        "figure": 3,
        "scale": 1,
    }
    head = dict(re.findall(r"^\| \[an? (\w+)\]\(#add-.*?\) \| (.*) \|$", TEXT, re.MULTILINE))
    assert {name for name, row in head.items() if ";" in row} == {name for name in files if files[name] != places[name]}


def test_every_block_has_a_place() -> None:
    """Outside of bash each names a file, and those without a language are commands that test_readme.py runs."""
    for recipe in RECIPES:
        for language, file, place, _ in blocks(recipe):
            assert bool(file) == (language != "bash"), (recipe, language)
            assert bool(place) == (language not in ("bash", "diff")), (recipe, file)
