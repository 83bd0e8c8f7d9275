"""Commands that documents name end well, and what README says of the claims is what the reference says.

A command is run as it stands, in a clone in which the smoke scale was run, unless INSTEAD has another for it: that of a
smaller scale or of other files, a dry run of the same command, which looks at its targets and options, the help of its
program, or a look at a file. What SKIPPED names is skipped with the reason.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from copies import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PLATFORMS = (ROOT / "PLATFORMS.md").read_text(encoding="utf-8")
DOCUMENTS = {"README": README, "CONTRIBUTING": CONTRIBUTING, "PLATFORMS": PLATFORMS}
ALL = "".join(DOCUMENTS.values())
VERDICTS = {
    claim["id"]: claim["verdict"]
    for claim in json.loads((ROOT / "reference/laptop/claims.json").read_text(encoding="utf-8"))
}
DRY_RUN = "SNAKEMAKE='.venv/bin/snakemake --cores all --dry-run'"
# Without the network pip still reads the project and the constraints; which extras there are is held below.
PIP_DRY_RUN = "pip install --dry-run --no-index --no-deps --no-build-isolation"
# What takes minutes, or what no test may do, is run as far as it can be; the reason stands beside it.
INSTEAD = {
    "make paper": f"make paper {DRY_RUN}",  # laptop scale takes minutes
    "make paper verify": "make --dry-run paper verify",
    "make verify": "make --dry-run verify",  # test_verify.py verifies a smoke run
    "make report": "make --dry-run report",  # test_reruns.py writes that of a smoke run
    "make test": "make --dry-run test",  # this is it
    "make elsewhere": "make --dry-run elsewhere",  # it starts tests, too
    "make bench": "make --dry-run bench",  # takes minutes
    "make seeds": "make --dry-run seeds",  # an hour of laptop runs; test_run_seeds.py drives its logic
    "make paper TORCH=cpu": "make --dry-run paper TORCH=cpu",  # test_set_up.py sets up with it
    "make paper WHEELHOUSE=wheelhouse": "make --dry-run paper WHEELHOUSE=wheelhouse",  # so it does from a folder
    "make wheelhouse": "make --dry-run wheelhouse",  # downloads as much as a set-up
    "make wheelhouse TORCH=cpu": "make --dry-run wheelhouse TORCH=cpu",  # so it gathers them
    "make --always-make setup": "make --dry-run --always-make setup",  # so it makes .venv anew
    "make lock": "make --dry-run lock",  # needs uv; test_lock.py holds what it wrote
    "make container": "make --dry-run container",  # needs an engine; test_container.py follows its steps
    "make container TARGET=smoke": "make --dry-run container TARGET=smoke",
    # Laptop scale takes minutes, and the claim is there where the recipe was followed: this one reads the same table.
    "snakemake --cores all results/laptop/claims/l1_paradox_momentum.json": (
        "snakemake --cores all --dry-run results/laptop/claims/l1_paradox_slope.json"
    ),
    "open results/smoke/paper.html  # on Linux, xdg-open": "test -s results/smoke/paper.html",  # no test has a browser
    ". .venv/bin/activate": "test -d .venv/bin",  # an environment of another kind has none
    "make torture": "make --dry-run torture",  # takes an hour; test_kills.py does a part of it
    "make gpu": "make --dry-run gpu",  # needs a CUDA device; test_check_gpu.py drives its logic
    "snakemake --cores all": "snakemake --cores all --dry-run",  # laptop scale takes minutes
    # A reference is compared on processors of its kind; test_verify.py verifies a run with a reference of its own.
    "snakemake --cores all verify --config scale=smoke": "snakemake --cores all verify --dry-run --config scale=smoke",
    "pip install -c constraints.txt -e '.[certify]'": f"{PIP_DRY_RUN} -c constraints.txt -e '.[certify]'",
    "pip install -c constraints.txt -e '.[slurm]'": f"{PIP_DRY_RUN} -c constraints.txt -e '.[slurm]'",
    "pip install -c constraints.txt -e '.[kubernetes]'": f"{PIP_DRY_RUN} -c constraints.txt -e '.[kubernetes]'",
    "python scripts/accept_reference.py --results results/laptop --reference reference/laptop": (
        "python scripts/accept_reference.py --results results/smoke --reference reference/mine"
    ),
    "python scripts/measure_deviations.py --scale smoke --root-seeds 1 7 20240116 --out reference/deviations.json": (
        "python scripts/measure_deviations.py --help"  # takes an hour
    ),
    "python scripts/measure_deviations.py --scale smoke --tables l1_paradox_noise --out reference/deviations.json": (
        "python scripts/measure_deviations.py --help"  # makes tables four times; test_verify.py makes them once
    ),
    (
        "python scripts/measure_deviations.py --scale laptop --reference reference/laptop"
        " --out reference/deviations.json"
    ): "python scripts/measure_deviations.py --help",  # wants a run of the laptop scale
    "python scripts/run_seeds.py --groups l1_paradox adaptive --out reference/laptop/seeds.json": (
        "python scripts/run_seeds.py --help"  # runs much of the laptop scale five times
    ),
}

SKIPPED = {
    "pip install -r pylock.toml": "needs a newer pip; test_lock.py holds the file",
    "conda env create -f environment.yml": "needs conda; test_packaging.py reads the file as conda does",
    "snakemake --workflow-profile profiles/slurm --config scale=smoke": "needs Slurm; test_slurm.py runs it on one",
    "snakemake --workflow-profile profiles/kubernetes --config scale=smoke": (
        "needs plugins and a bucket; test_kubernetes.py plans it"
    ),
    "snakemake --cores all --software-deployment-method apptainer": "needs apptainer; the text says that nobody tried",
}


def commands() -> list[str]:
    """Lines of the blocks without a language, and code spans that begin with a program's name.

    Blocks of CONTRIBUTING that have a language belong to its recipes, which test_contributing.py follows.
    """
    blocks = re.findall(r"^```([^\n]*)\n(.*?)^```$", ALL, re.MULTILINE | re.DOTALL)
    lines = [line for language, block in blocks if not language for line in block.splitlines() if line]
    prose = re.sub(r"^```.*?^```", "", ALL, flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`((?:make|snakemake|python|pip|conda) [^`]+)`", prose)
    return sorted({*lines, *spans})


def set_up(folder: Path) -> Path:
    """A clone that is set up, so that make installs nothing: the programs are those of this environment."""
    (folder / ".venv").mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (folder / ".venv" / name).symlink_to(Path(sys.prefix) / name)
    (folder / ".venv/ready").touch()
    return folder


@pytest.fixture(scope="module")
def shared_copy(smoke_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the finished smoke run for all commands that change nothing."""
    folder = tmp_path_factory.mktemp("shared") / "repository"
    return set_up(shutil.copytree(smoke_run, folder, copy_function=shutil.copy))


def changes_nothing(command: str) -> bool:
    """Whether what is run instead of a command makes no file."""
    instead = INSTEAD.get(command, "")
    return instead.startswith("test ") or "--dry-run" in instead or "--help" in instead


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_documents(command: str, request: pytest.FixtureRequest) -> None:
    """It, or what stands in its place, ends well; where it is run as it stands, with the last line README promises."""
    if command in SKIPPED:
        pytest.skip(SKIPPED[command])
    if changes_nothing(command):
        folder = request.getfixturevalue("shared_copy")
    else:
        folder = set_up(request.getfixturevalue("smoke_copy"))
    done = subprocess.run(
        ["bash", "-c", INSTEAD.get(command, command)],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    if command not in INSTEAD and command in LAST_LINES:
        assert done.stdout.splitlines()[-1] == LAST_LINES[command]


def test_only_commands_of_the_documents_are_replaced_or_skipped() -> None:
    """Each in one way; and nothing that always ends well stands in the place of a command."""
    assert [command for command in [*INSTEAD, *SKIPPED] if command not in commands()] == []
    assert not INSTEAD.keys() & SKIPPED.keys()
    assert {"true", ":", ""} & set(INSTEAD.values()) == set()


def test_extras_that_documents_install_are_there() -> None:
    """Pip says nothing of one that is not, and installs the rest."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = {name for group in re.findall(r"-e '\.\[([\w,]+)\]'", ALL) for name in group.split(",")}
    assert named and named <= extras.keys()


LAST_LINES = dict(re.findall(r"^\| `([^`]+)` \|.*\| `([^`]+)` \|$", README, re.MULTILINE))


def test_every_command_of_the_table_says_what_to_expect() -> None:
    """What the last line is made of stands in the Makefile or in what is run."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    assert {command.partition(" ")[2] for command in LAST_LINES} <= targets
    for line in LAST_LINES.values():
        assert line.startswith("…") or f"{line}'" in makefile, line


@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS)
def test_targets_stand_before_config(text: str) -> None:
    """Snakemake's `--config` takes everything that follows it."""
    for line in re.findall(r"snakemake [^`\n]*--config ([^`\n]*)", text):
        assert re.fullmatch(r"(\w+=\S+\s*)+", line), line


def test_the_readme_fits_on_a_few_screens() -> None:
    """At most 8 KB, one picture, and five sentences of what came out."""
    assert len(README.encode()) <= 8192
    assert README.count("![") == 1
    assert len(re.findall(r"^\d\. ", outcome(), re.MULTILINE)) == 5


def outcome() -> str:
    """What README says came out."""
    return re.search(r"<!-- outcome -->\n(.*)<!-- /outcome -->", README, re.DOTALL)[1]


def test_what_came_out_is_what_the_reference_says() -> None:
    """Every sentence leads to claims, by their verdicts."""
    for number, sentence in enumerate(re.split(r"^\d\. ", outcome(), flags=re.MULTILINE)[1:], start=1):
        links = re.findall(r"\[(\w+)\]\(CLAIMS\.md#(\w+)\)", sentence)
        assert links, f"sentence {number} names no claim"
        for verdict, claim in links:
            assert VERDICTS[claim] == verdict, f"sentence {number}: {claim}"


def test_a_word_of_ours_is_explained_where_it_first_stands() -> None:
    """It is set in italics there; what the paper alone needs is not used."""
    text = README.partition("\n")[2]  # below the title
    for word in ("kink", "NDGM", "claim", "scale", "identities"):
        assert re.search(rf"\b{word}\b(?!s)", text, re.IGNORECASE).start() == text.index(f"*{word}*") + 1, word
    assert re.findall("companion|finding", README, re.IGNORECASE) == []


def test_variables_that_ask_for_more_tests_are_documented() -> None:
    """Each that tests read, but for those by which the pipeline speaks to its own programs; and no other."""
    names = {room: set() for room in ("src", "tests")}
    for room, found in names.items():
        for file in (ROOT / room).rglob("*.py"):
            found |= set(re.findall(r"\bNDGM_[A-Z]\w*", file.read_text(encoding="utf-8")))
    asked = names["tests"] - names["src"]
    assert len(asked) >= 3 and asked == set(re.findall(r"`(NDGM_\w+)=1 make (?:test|elsewhere)`", ALL))


def test_paths_exist() -> None:
    """What they name is there; test_claims_document.py follows their links."""
    rooms = "config|src|scripts|figures|workflow|reference|examples|tests"
    paths = re.findall(rf"`((?:{rooms})/[\w./]+\.\w+)`", ALL)
    assert [name for name in paths if not (ROOT / name).exists()] == []


def test_numbers_of_what_came_out_are_those_of_the_claims() -> None:
    """Each with a decimal point stands in CLAIMS.md's row of numbers of the claim that is linked next, or last."""
    sections = re.split(r"^#### (\w+)\n", (ROOT / "CLAIMS.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    tables = {
        claim: re.search(r"^\| --- .*\n(.*)$", section, re.MULTILINE)
        for claim, section in zip(sections[1::2], sections[2::2], strict=True)
    }
    held = 0
    for sentence in re.split(r"^\d\. ", outcome(), flags=re.MULTILINE)[1:]:
        links = [(each.start(), each[1]) for each in re.finditer(r"CLAIMS\.md#(\w+)", sentence)]
        for number in re.finditer(r"\d+\.\d+", sentence):
            claim = next((claim for start, claim in links if start > number.start()), links[-1][1])
            assert re.search(rf"(?<![\d.]){re.escape(number[0])}(?![\d.]*\d)", tables[claim][1]), (number[0], claim)
            held += 1
    assert held >= 4
