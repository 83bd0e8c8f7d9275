"""One manifest, and one registry of each kind: nothing else keeps a list of their names, and no file is missing."""

import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from copies import ROOT

from ndgm.groups import GROUPS
from ndgm.pipeline.jobs import FIGURES, JOBS
from ndgm.pipeline.registries import REGISTRIES, names

MANIFEST = {
    *(group.name for group in GROUPS),
    *JOBS,
    *FIGURES,
    *(each.table for job in JOBS.values() for each in job.experiments),
}
# Names of one kind, and how many of them make a list. Two or three methods side by side are a comparison, which is a
# claim's own rule; all names of a registry are a list, however few they are.
KINDS = {"manifest": (MANIFEST, 2)} | {kind: (set(names(kind)), min(4, len(names(kind)))) for kind in REGISTRIES}
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for room in ("benchmarks", "examples", "figures", "scripts", "src", "tests", "workflow")
    for ending in ("py", "smk", "yaml", "json")
    for path in (ROOT / room).rglob(f"*.{ending}")
)
# Lists that stay, each with its reason, by the beginning of `file: kind: first word of the statement`.
STAY = {
    r"src/ndgm/groups\.py: manifest": "it is the manifest",
    **{
        rf"src/ndgm/{room}/\S+: {kind}: {variable}:": "it is the registry"
        for kind, (room, variable) in REGISTRIES.items()
    },
    r"src/ndgm/theory/edge_of_stability\.py: scalar_functions: SCALARS:": "closed forms; a test holds its names",
    r"src/ndgm/experiments/convergence\.py: \w+: LAST_AND_AVERAGE:": "which methods take the steps of which rule",
    r"src/ndgm/claims/\S+: \w+: (KINKED_AND_SMOOTH|ONCE_DIFFERENTIABLE|BENT):": "a rule names what it compares",
    r"src/ndgm/paper/colours\.py: methods: (COLOURS|MARKERS):": "looks chosen by hand; others follow from the name",
    r"figures/\S+: (?!manifest)": "a figure names the curves that it shows, and leaves out those that a run lacks",
    r"benchmarks/lasso\.py: methods: METHODS_TIMED:": "rows whose other side is written by hand",
    r"tests/pipeline/cut_runs\.py: manifest: FACTORS:": "test_cut_runs.py asks for each entry",
    r"tests/pipeline/(changed_configs|test_change_one_thing)\.py: (?!manifest)": "names that a config may have besides",
    r"tests/unit/\S+: (?!manifest)": "truths from outside, by name; a test of each registry misses one for a new entry",
    r"tests/unit/claims/\S+: manifest": "made-up tables, by the names that claims take them by",
    r"tests/unit/pipeline/test_settings\w*\.py: manifest": "made-up configs have blocks that are called as groups are",
}


def lists_of_names(text: str, known: set[str], least: int) -> Iterator[tuple[str, int, set[str]]]:
    """Lists, sets, tuples and dictionaries that hold so many names: the first word of the statement, line and names.

    What is called or indexed names things one by one; a list of such calls is a list all the same. A text that is
    nothing but names, such as "adam|ista", is as many names.
    """
    open_brackets: list[tuple[int, str, set[str]]] = []
    before, statement = "", ""
    for token in tokens(text):
        if token.type in (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT):
            continue
        statement = statement or token.string
        if token.type == tokenize.NEWLINE:
            statement = ""
        elif token.string in ("(", "[", "{"):
            called = re.fullmatch(r"\w+|[\])]", before) and before not in LITERAL_AFTER
            open_brackets.append((token.start[0], "call" if called else "literal", set()))
        elif token.string in (")", "]", "}"):
            line, kind, found = open_brackets.pop()
            if kind == "literal" and len(found) >= least:
                yield statement, line, found
            elif open_brackets:
                open_brackets[-1][2].update(found)
        elif open_brackets:
            words = [before] if token.string == "=" else re.split(r"[\s,|]+", _content(token))
            open_brackets[-1][2].update(words if known.issuperset(words) else ())
        before = token.string


@cache
def tokens(text: str) -> list[tokenize.TokenInfo]:
    """What a Python file or a part of a workflow is made of."""
    return list(tokenize.generate_tokens(io.StringIO(text).readline))


LITERAL_AFTER = ("in", "dict", "return", "yield", "and", "or", "not", "if", "else")


def _content(token: tokenize.TokenInfo) -> str:
    """Content of a text."""
    return token.string.strip("\"'") if token.type == tokenize.STRING else ""


def lists_in_yaml(text: str, known: set[str], least: int) -> Iterator[tuple[str, int, set[str]]]:
    """Lists in YAML or JSON, and the mappings of more than a list of keys: as for Python."""
    waiting = [("", yaml.compose(text))]
    while waiting:
        key, node = waiting.pop()
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        items = node.value if isinstance(node, yaml.SequenceNode) else []
        waiting += [(name.value, value) for name, value in pairs] + [(key, item) for item in items]
        # A block of the config is called as its group is, and its keys are no list of groups.
        named = items if known is MANIFEST else [*items, *(name for name, _ in pairs)]
        found = {each.value for each in named if isinstance(each, yaml.ScalarNode)} & known
        if len(found) >= least:
            yield key, node.start_mark.line + 1, found


def lists_in(file: str) -> list[str]:
    """Every list of names in a file, as `file: kind: first word of the statement: names`."""
    look = lists_of_names if file.endswith((".py", ".smk")) else lists_in_yaml
    text = (ROOT / file).read_text(encoding="utf-8")
    return [
        f"{file}: {kind}: {word}: line {line}: {', '.join(sorted(found))}"
        for kind, (known, least) in KINDS.items()
        for word, line, found in look(text, known, least)
    ]


@cache
def all_lists() -> list[str]:
    """Every list of names in the repository."""
    return [line for file in FILES for line in lists_in(file)]


@pytest.mark.parametrize("room", sorted({"/".join(file.split("/")[:3]) for file in FILES}))
def test_there_is_no_second_list(room: str) -> None:
    """It would have to be kept up by hand."""
    found = [line for line in all_lists() if line.startswith(room) and not any(re.match(kept, line) for kept in STAY)]
    assert found == [], "made from the manifest or the registry, it would not be forgotten"


@pytest.mark.parametrize("kept", STAY)
def test_a_list_that_stays_is_there(kept: str) -> None:
    """An exemption ends with its list."""
    assert any(re.match(kept, line) for line in all_lists())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('f("adaptive", "l1_paradox")', []),
        ('x = [\n    "adaptive",\n    "l1_paradox",\n]', ["x: line 1"]),
        ('y = 1\nx = {"adaptive": 1, "convergence": 2}', ["x: line 2"]),
        ('x = dict(adaptive=1, convergence=2)', ["x: line 1"]),
        ('x: list = ["adaptive convergence".split()]', ["x: line 1"]),
        ('for x in ("adaptive|convergence",): pass', ["for: line 1"]),
        ('x = [Case("adaptive"), Case("convergence")]', ["x: line 1"]),
        ('x = [("adaptive", 1), ("convergence", 2)]', ["x: line 1"]),
        ('x = y["adaptive"]["convergence"]', []),
        ('x = ["adaptive", "other"]', []),
    ],
)  # fmt: skip
def test_a_second_list_is_found(text: str, found: list[str]) -> None:
    """Of any kind, over several lines, also in pieces; but not what is named in a call."""
    assert [f"{word}: line {line}" for word, line, _ in lists_of_names(text, *KINDS["manifest"])] == found


@pytest.mark.parametrize("kind", REGISTRIES)
def test_a_second_list_is_found_for_each_registry(kind: str) -> None:
    """In Python, in YAML as a list or as keys, and in JSON; two names side by side are none."""
    known, least = KINDS[kind]
    some = sorted(known)[:least]
    for look, text in [
        (lists_of_names, f"x = {some}"),
        (lists_in_yaml, f"x: {some}"),
        (lists_in_yaml, f"x: {dict.fromkeys(some, 1)}"),
        (lists_in_yaml, f'{{"x": {{"enum": {some}}}}}'.replace("'", '"')),
    ]:
        ((_, line, found),) = look(text, known, least)
        assert (line, found) == (1, set(some)), text
        assert list(look(text.replace(some[0], "other"), known, least)) == []


def test_each_module_of_an_experiment_is_in_the_manifest() -> None:
    """A module that defines an experiment, by what its functions take, belongs to a job."""
    modules = {path.stem for path in (ROOT / "src/ndgm/experiments").glob("*.py") if TAKES.search(path.read_text())}
    assert modules == {module for job in JOBS.values() for module in job.modules}


TAKES = re.compile(r"^def \w+\(settings: Settings, inputs: Inputs\) -> (Plan|pd\.DataFrame|Found):", re.MULTILINE)


def test_the_manifest_is_read_in_milliseconds() -> None:
    """It imports nothing but the standard library, and neither does what Snakemake makes of it."""
    code = (
        "import sys; before = set(sys.modules); import ndgm.pipeline.jobs, ndgm.data.sources;"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src", text=True, capture_output=True, check=True)
    assert done.stdout.split() == ["ndgm"]


PROGRAMS = [*sorted(file for file in FILES if file.startswith("scripts/")), "benchmarks/bench.py", "benchmarks/full.py"]


def test_a_program_runs_nothing_on_import() -> None:
    """Only its definitions are there; what one says, or lacks, stands below its name."""
    code = f"import runpy\nfor each in {PROGRAMS}: assert 'main' in runpy.run_path(each, run_name='imported'), each"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONPATH": "src"}, text=True, capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nothing_is_pickled() -> None:
    """A pickle runs code when it is read, and its bytes are not promised by anybody."""
    wanted = re.compile(r"\bc?pickle\b|\bjoblib\b|\btorch\.(save|load)\b|allow_pickle=True|\bshelve\b|\bmarshal\b")
    sources = [Path(file) for file in FILES if file.startswith(("src/", "scripts/"))]
    assert [str(path) for path in sources if wanted.search((ROOT / path).read_text())] == []


def test_a_group_that_trains_networks_is_named_so() -> None:
    """Its modules, and no others, build what a network minimises."""
    for group in GROUPS:
        modules = {module for job in group.jobs for module in job.modules}
        texts = [(ROOT / f"src/ndgm/experiments/{module}.py").read_text(encoding="utf-8") for module in modules]
        assert group.networks == any("import Networks" in text for text in texts), group.name
