"""The container: its file says what it should, and its steps, followed in a bare Debian, end with the bytes of here."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from containerfile import bare_system, follow, missing, steps
from copies import ROOT, hashes

FOLLOWED = bool(os.environ.get("NDGM_CONTAINER"))
"""Whether the steps are followed, in ten minutes, with packages from the network."""


def test_the_file() -> None:
    """Debian without what nobody needs, a user who is not root, and the paper where nothing else is said."""
    said = dict(steps())
    assert said["FROM"].endswith("debian:bookworm-slim")
    assert said["USER"] != "root"
    assert json.loads(said["ENTRYPOINT"]) + json.loads(said["CMD"]) == ["make", "paper"]
    names = [name for name, _ in steps()]
    assert names.index("USER") < names.index("COPY")  # whose files are that user's


def test_what_stays_outside() -> None:
    """Everything that git ignores at the top, and git's own folder."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    of_git = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert {".git", *(name.strip("/") for name in of_git if name.startswith("/"))} <= set(ignored)


def test_the_container_of_an_editor() -> None:
    """It is the same one, and its user is that one's."""
    said = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert (ROOT / ".devcontainer" / said["build"]["dockerfile"]).resolve() == ROOT / "Containerfile"
    assert said["remoteUser"] == dict(steps())["USER"]


# An engine whose containers are a folder `inside`: as a real one, it copies nothing out of a folder that is not there.
ENGINE = """#!/bin/sh
echo "$(basename $0) $@" >>asked
case $1 in
create) echo 9d1f ;;
start) {starts} ;;
cp) exec cp -R "inside/${{2#*:}}" "$3" ;;
esac
"""


def made(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and last line of `make container`, where all programs are in the folder `bin`."""
    for file in ("Makefile", "scripts/run_container.sh", "constraints.txt", "pyproject.toml"):
        (folder / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, folder / file)
    (folder / "bin").mkdir(exist_ok=True)
    for tool in ("basename", "cat", "cp", "make", "mkdir", "sh"):
        (folder / "bin" / tool).unlink(missing_ok=True)
        (folder / "bin" / tool).symlink_to(shutil.which(tool))
    pipes = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(["make", "container", *arguments], cwd=folder, env={"PATH": str(folder / "bin")}, **pipes)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("make: ")]
    return done.returncode, lines[-1] if lines else ""


def engine(folder: Path, starts: str) -> None:
    """Put a docker on the machine, and say what a container does when it is started."""
    (folder / "bin").mkdir()
    (folder / "bin/docker").write_text(ENGINE.format(starts=starts))
    (folder / "bin/docker").chmod(0o755)


def test_without_an_engine(tmp_path: Path) -> None:
    """One line says what to install."""
    code, line = made(tmp_path)
    assert code and line == "error: there is no podman and no docker: install one (Debian, Ubuntu: podman)"


@pytest.mark.parametrize("code", [0, 1])
def test_results_come_out_of_the_container(tmp_path: Path, code: int) -> None:
    """Where it ended well; and it is put away, however it ended."""
    place = dict(steps())["WORKDIR"]
    inside = f"inside{place}/results/smoke"
    engine(tmp_path, f"mkdir -p {inside}; echo made >{inside}/paper.html; exit {code}")
    assert bool(made(tmp_path, "TARGET=smoke")[0]) == bool(code)
    assert (tmp_path / "results/smoke/paper.html").exists() == (not code)
    copied = [] if code else [f"docker cp 9d1f:{place}/results/. results"]
    assert (tmp_path / "asked").read_text().splitlines() == [
        "docker build --quiet --file Containerfile --tag ndgm .",
        "docker create ndgm smoke",
        "docker start --attach 9d1f",
        *copied,
        "docker rm --force 9d1f",
    ]


def test_results_that_are_not_there(tmp_path: Path) -> None:
    """A container that ended well without them is a fault."""
    engine(tmp_path, "exit 0")
    assert made(tmp_path)[0] and (tmp_path / "asked").read_text().splitlines()[-1] == "docker rm --force 9d1f"


MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^(\w+):.*##.*\n((?:\t.*\n)*)", MAKEFILE, re.MULTILINE))
INTO_RESULTS = {name for name, recipe in RECIPES.items() if "results/" in recipe} - {"gpu"}
"""Targets whose files are in `results/`, but for the one that wants a card and no set-up."""


@pytest.mark.parametrize("target", RECIPES)
def test_targets_in_the_container(tmp_path: Path, target: str) -> None:
    """Those that write to `results/`, as the document names them; another one is refused before anything is built."""
    engine(tmp_path, f"mkdir -p inside{dict(steps())['WORKDIR']}/results")
    code, line = made(tmp_path, f"TARGET={target}")
    assert (code == 0) == (target in INTO_RESULTS) == (tmp_path / "asked").exists()
    if code:
        why = "only results/ leaves the container: paper, smoke, verify, report or bench"
        assert line == f"error: TARGET={target}: {why}"
    text = (ROOT / "PLATFORMS.md").read_text(encoding="utf-8")
    section = text.partition("## In a container\n")[2].partition("\n## ")[0]
    named = re.findall(r"`(?:make container TARGET=)?(\w+)`", section)
    assert (target in named) == (target in INTO_RESULTS - {"paper"})  # which is made where nothing is said


@pytest.mark.skipif(not FOLLOWED, reason="ten minutes, and packages from the network: with NDGM_CONTAINER=1")
def test_its_steps_in_a_bare_system(smoke_run: Path, tmp_path: Path) -> None:
    """Smoke there has the bytes of smoke here."""
    if reason := missing():
        pytest.skip(reason)
    system = tmp_path / "system"
    try:
        with bare_system(system, "bookworm"):
            done = follow(system, {"TORCH": ""}, "smoke")
    except subprocess.CalledProcessError as fault:
        pytest.skip(f"no bare system: {fault.stdout.splitlines()[-1] if fault.stdout else fault}")
    assert done.returncode == 0, done.stdout[-3000:]
    place = system / dict(steps())["WORKDIR"].lstrip("/")
    assert hashes(place) == hashes(smoke_run)
    shutil.rmtree(system)
