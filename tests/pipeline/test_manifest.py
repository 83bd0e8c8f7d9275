"""One manifest: nothing else keeps a list of groups, experiments or figures, and no file is missing from it."""

import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

from ndgm.groups import GROUPS
from ndgm.pipeline.jobs import FIGURES, JOBS

NAMES = {
    *(group.name for group in GROUPS),
    *JOBS,
    *FIGURES,
    *(each.table for job in JOBS.values() for each in job.experiments),
}
# Made-up tables stand for those that claims take by their names, which is how claims say what they read; and made-up
# configs have blocks, some of which have the name of a group.
EXEMPT = ("src/ndgm/groups.py", "tests/unit/claims/", "tests/unit/pipeline/test_settings")
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for room in ("workflow", "scripts", "src", "tests")
    for path in [*(ROOT / room).rglob("*.py"), *(ROOT / room).rglob("*.smk")]
)


def lists_of_names(text: str) -> Iterator[tuple[int, set[str]]]:
    """Lists, sets, tuples and dictionaries that hold two or more names of the manifest, by their line."""
    open_brackets: list[tuple[int, str, set[str]]] = []
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.string in ("(", "[", "{") and token.type == tokenize.OP:
            # What is called or indexed names things one by one.
            kind = "call" if re.fullmatch(r"\w+|[\])]", before) and before != "in" else "literal"
            open_brackets.append((token.start[0], kind, set()))
        elif token.string in (")", "]", "}") and token.type == tokenize.OP:
            line, kind, found = open_brackets.pop()
            if kind == "literal" and len(found) > 1:
                yield line, found
        elif token.type == tokenize.STRING and open_brackets and (name := token.string.strip("\"'")) in NAMES:
            open_brackets[-1][2].add(name)
        if token.type not in (tokenize.NL, tokenize.COMMENT):
            before = token.string


@pytest.mark.parametrize("file", [file for file in FILES if not file.startswith(EXEMPT)])
def test_there_is_no_second_list(file: str) -> None:
    """It would have to be kept up by hand."""
    found = [f"{file}:{line}: {', '.join(sorted(names))}" for line, names in lists_of_names((ROOT / file).read_text())]
    assert found == [], "made from GROUPS, this would not be forgotten"


def test_a_second_list_is_found() -> None:
    """Of any kind, over several lines, also as the keys of a dictionary; but not what is named in a call."""
    text = """f("adaptive", "l1_paradox")
x = [
    "adaptive",
    "l1_paradox",
]
y = {"adaptive": 1, "convergence": 2}
"""
    assert [line for line, _ in lists_of_names(text)] == [2, 6]


def test_each_figure_has_a_notebook_and_a_caption_and_there_are_no_others() -> None:
    """The manifest is complete."""
    assert {path.stem for path in (ROOT / "figures").glob("*.py")} == set(FIGURES)
    captions = {path.stem for path in (ROOT / "workflow/report").glob("*.rst")}
    assert captions == {*FIGURES, "figure"}


def test_each_module_of_an_experiment_is_in_the_manifest() -> None:
    """A module that defines an experiment, by what its functions take, belongs to a job."""
    modules = {path.stem for path in (ROOT / "src/ndgm/experiments").glob("*.py") if TAKES.search(path.read_text())}
    assert modules == {module for job in JOBS.values() for module in job.modules}


TAKES = re.compile(r"^def \w+\(settings: Settings, inputs: Inputs\) -> (Experiment|pd\.DataFrame):", re.MULTILINE)


def test_the_manifest_is_read_in_milliseconds() -> None:
    """It imports nothing but the standard library, and neither does what Snakemake makes of it."""
    code = (
        "import sys; before = set(sys.modules); import ndgm.pipeline.jobs, ndgm.data.sources;"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src", text=True, capture_output=True, check=True)
    assert done.stdout.split() == ["ndgm"]


@pytest.mark.parametrize("program", sorted(path.name for path in (ROOT / "scripts").glob("*.py")))
def test_a_program_runs_nothing_on_import(program: str) -> None:
    """Only its definitions are there."""
    code = f"import runpy; assert 'main' in runpy.run_path('scripts/{program}', run_name='imported')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONPATH": "src"}, text=True, capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nothing_is_pickled() -> None:
    """A pickle runs code when it is read, and its bytes are not promised by anybody."""
    wanted = re.compile(r"\bc?pickle\b|\bjoblib\b|\btorch\.(save|load)\b|allow_pickle=True|\bshelve\b|\bmarshal\b")
    sources = [Path(file) for file in FILES if file.startswith(("src/", "scripts/"))]
    assert [str(path) for path in sources if wanted.search((ROOT / path).read_text())] == []
