"""The set-up of `.venv` on machines of other kinds, played by small programs in the place of Python, uv and pip."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from copies import ROOT
from servers import free_port

TOOLS = ("cat", "chmod", "grep", "make", "mkdir", "rm", "sh", "sleep", "tail")
FITS = """#!/bin/sh
# A Python that fits, whose environments have a pip that says what it was asked for.
case $1 in
-c) exit 0 ;;
esac
{make_venv}
"""
MAKE_VENV = """rm -rf .venv; mkdir -p .venv/bin; echo {name} >.venv/made_by
cat >.venv/bin/python <<'EOF'
#!/bin/sh
case $1 in
scripts/check_index.py) {asks} ;;
esac
echo "{name} 3.12.1 $4"
EOF
cat >.venv/bin/pip <<'EOF'
#!/bin/sh
echo "$@" >>.venv/asked
{pip}
EOF
chmod +x .venv/bin/python .venv/bin/pip
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with the project's set-up, and a folder `bin` with all programs that there are."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "scripts").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    scripts = (f"scripts/{name}" for name in ("set_up.sh", "check_index.py", "gather_wheels.sh"))
    for file in ("Makefile", *scripts, "constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def program(machine: Path, name: str, text: str) -> None:
    """Put a program on the machine's PATH."""
    (machine / "bin" / name).write_text(text)
    (machine / "bin" / name).chmod(0o755)


def python(machine: Path, name: str, pip: str = "exit 0", asks: str = "exit 0") -> None:
    """Put a Python that fits on the machine, what its pip does, and what it does when indexes are asked."""
    program(machine, name, FITS.format(make_venv=MAKE_VENV.format(name=name, pip=pip, asks=asks)))


def set_up(machine: Path, *variables: str) -> tuple[int, str]:
    """Exit code, and the last line but make's own, of the set-up."""
    code, lines = said_by_set_up(machine, *variables)
    return code, lines[-1] if lines else ""


def said_by_set_up(machine: Path, *variables: str, **environment: str) -> tuple[int, list[str]]:
    """Exit code, and all lines but make's own, of the set-up."""
    done = subprocess.run(
        ["make", ".venv/ready", *variables],
        cwd=machine,
        env={"PATH": str(machine / "bin"), **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    lines = [line for line in done.stdout.splitlines() if not line.startswith("make: ")]
    assert "No such file" not in done.stdout and "not found" not in done.stdout
    return done.returncode, lines


def asked(machine: Path) -> str:
    """What pip was asked for."""
    return (machine / ".venv/asked").read_text()


@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3.13", "python3", "python"])
def test_any_name_of_a_python_that_fits_is_found(machine: Path, name: str) -> None:
    """And `.venv/ready` remembers it, so that a second call has nothing to do."""
    program(machine, "python3.11", "#!/bin/sh\nexit 1\n")  # one without venv, as Debian's
    python(machine, name)
    assert set_up(machine)[0] == 0
    assert (machine / ".venv/ready").read_text() == f"{name} 3.12.1 cuda\n"
    assert "-c constraints.txt" in asked(machine) and "--no-index" not in asked(machine)
    assert set_up(machine)[0] == set_up(machine, f"PYTHON={name}")[0] == 0
    assert asked(machine).count("\n") == 1


def test_setup_does_nothing_else_and_says_what_is_next(machine: Path) -> None:
    """A make without a target is still the paper."""
    python(machine, "python3.11")
    program(machine, "printf", '#!/bin/sh\nprintf "$@"\n')  # make calls it without a shell
    assert set_up(machine, "setup") == (0, "next    . .venv/bin/activate")
    makefile = (machine / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^(\w+):", makefile, re.MULTILINE)[1] == "paper"


def test_another_python_makes_it_anew(machine: Path) -> None:
    """Nothing of the first one's is left; without a name the second one's stays."""
    python(machine, "python3.11")
    python(machine, "python3.13")
    assert set_up(machine)[0] == set_up(machine, "PYTHON=python3.13")[0] == set_up(machine)[0] == 0
    assert (machine / ".venv/made_by").read_text() == "python3.13\n" and asked(machine).count("\n") == 1


def test_a_set_up_that_failed_is_begun_anew_by_the_next(machine: Path) -> None:
    """With whatever Python."""
    python(machine, "python3.12", pip="exit 1")
    assert set_up(machine, "PYTHON=python3.12")[0] != 0
    python(machine, "python3.11")
    assert set_up(machine)[0] == 0 and (machine / ".venv/made_by").read_text() == "python3.11\n"


def test_uv_brings_a_python(machine: Path) -> None:
    """Where there is none that fits."""
    program(machine, "python3", "#!/bin/sh\nexit 1\n")
    program(
        machine, "uv", f'#!/bin/sh\necho "$@" >uv_asked\n{MAKE_VENV.format(name="uv", pip="exit 0", asks="exit 0")}'
    )
    assert set_up(machine)[0] == 0
    assert (machine / "uv_asked").read_text().split()[-3:] == ["--python", "3.11", ".venv"]


def test_no_python(machine: Path) -> None:
    """One line says what to install."""
    code, line = set_up(machine)
    assert code != 0 and line.startswith("error: there is no Python 3.11 to 3.13 with venv, and no uv: install one (")
    program(machine, "python3.10", "#!/bin/sh\nexit 1\n")
    for name in ("python3.10", "python3.14"):
        assert set_up(machine, f"PYTHON={name}")[1] == f"error: PYTHON={name} is no Python 3.11 to 3.13 with venv"


def test_the_build_of_pytorch(machine: Path) -> None:
    """Without CUDA by one variable, which says with CUDA too; its other values are a fault."""
    python(machine, "python3.11")
    fault = "error: TORCH=rocm: cpu for the build without CUDA, or cuda for the one with it"
    assert set_up(machine, "TORCH=rocm")[1] == fault
    assert not (machine / ".venv").exists()
    assert set_up(machine, "TORCH=cpu")[0] == 0
    alone, rest = asked(machine).splitlines()
    assert "--no-deps --index-url https://download.pytorch.org/whl/cpu torch==" in alone and "torchvision==" in alone
    assert "whl/cpu" not in rest and rest.endswith("-e .[test]")
    assert (machine / ".venv/ready").read_text() == "python3.11 3.12.1 cpu\n"
    assert set_up(machine, "TORCH=rocm")[1] == fault


@pytest.mark.parametrize(("first", "other", "torches"), [("", "cpu", (0, 1)), ("cpu", "cuda", (1, 0))])
def test_another_build_of_pytorch_makes_it_anew(
    machine: Path, first: str, other: str, torches: tuple[int, int]
) -> None:
    """`make paper TORCH=cpu` kept the build with CUDA; where none is named, what there is stays."""
    python(machine, "python3.11")
    for build, alone in zip((first, other), torches, strict=True):
        assert set_up(machine, f"TORCH={build}")[0] == 0
        assert asked(machine).count("whl/cpu torch==") == alone and asked(machine).count("\n") == 1 + alone
        before = asked(machine)
        for named in ((), ("TORCH=",), (f"TORCH={build}",), (f"TORCH={build}", "PYTHON=python3.11")):
            assert set_up(machine, *named) == (0, "") and asked(machine) == before


def test_the_build_of_pytorch_stays_when_it_is_made_anew(machine: Path) -> None:
    """For other versions, with another Python, or by force: nobody who went without CUDA gets its 4 GB unasked."""
    python(machine, "python3.11")
    python(machine, "python3.13")
    assert set_up(machine, "TORCH=cpu")[0] == 0
    os.utime(machine / "constraints.txt", (time.time() + 60,) * 2)
    for named, name in ((), "python3.11"), (("PYTHON=python3.13",), "python3.13"), (("--always-make",), "python3.11"):
        (machine / ".venv/asked").unlink()
        assert set_up(machine, *named)[0] == 0 and "whl/cpu torch==" in asked(machine)
        assert (machine / ".venv/ready").read_text() == f"{name} 3.12.1 cpu\n"


@pytest.mark.parametrize("indent", ["", "  "])
def test_wheels_from_a_folder(machine: Path, indent: str) -> None:
    """No index is asked; a folder that there is not, and a wheel that it lacks, are one line."""
    error = f"{indent}ERROR: No matching distribution found for torch"
    python(machine, "python3.11", pip=f"echo 'WARNING: retrying' >&2; echo '{error}' >&2; exit 1")
    line = "error: WHEELHOUSE=wheels: no such folder; make wheelhouse makes one"
    assert set_up(machine, "WHEELHOUSE=wheels")[1] == line
    (machine / "wheels").mkdir()
    code, line = set_up(machine, "WHEELHOUSE=wheels")
    assert code != 0 and line.startswith("error: pip: No matching distribution found for torch (.venv/pip.log has ")
    assert "--no-index --find-links wheels" in asked(machine)
    assert not (machine / ".venv/ready").exists() and os.listdir(machine / "wheels") == []


@pytest.fixture
def server() -> Iterator[Callable[[bool], str]]:
    """Addresses of indexes on this machine: one that never answers, and one that nobody listens to."""
    listeners = []

    def address(listens: bool) -> str:
        if not listens:
            return f"http://127.0.0.1:{free_port()}"
        listeners.append(socket.create_server(("127.0.0.1", 0)))
        return f"http://127.0.0.1:{listeners[-1].getsockname()[1]}"

    yield address
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize(("listens", "why"), [(False, "Connection refused"), (True, "no answer")])
@pytest.mark.parametrize("torch", ["", "cpu"])
def test_an_index_that_does_not_answer(
    machine: Path, server: Callable[[bool], str], torch: str, listens: bool, why: str
) -> None:
    """It ends the set-up in half a minute and one line, not after pip has asked it in vain for every package."""
    silent = server(listens)
    own = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": silent}
    if torch:  # pip's own index is a folder then
        makefile = machine / "Makefile"
        makefile.write_text(makefile.read_text().replace("https://download.pytorch.org/whl/cpu", silent))
        own["PIP_INDEX_URL"] = machine.as_uri()
        asking = machine / "scripts/check_index.py"  # with less patience: the other case waits as long as a user
        asking.write_text(asking.read_text().replace('"--timeout", "8"', '"--timeout", "1"'))
    python(machine, "python3.11", asks=f'exec {sys.executable} "$@"')
    begun = time.monotonic()
    code, lines = said_by_set_up(machine, f"TORCH={torch}", **own)
    assert code != 0 and len(lines) == 2 and time.monotonic() - begun < 40
    if torch:
        remedy = "make it with TORCH=cuda, or with WHEELHOUSE=…, a folder of wheels"
        assert lines[-1] == f"error: {silent}/torch/: {why}; {remedy}"
    else:
        assert (
            lines[-1] == f"error: {silent}/setuptools/: {why}; without a network, WHEELHOUSE=… names a folder of wheels"
        )
    assert not (machine / ".venv/asked").exists()


@pytest.mark.parametrize(("held", "build", "other"), [("2.13.0", "cuda", "cpu"), ("2.13.0+cpu", "cpu", "cuda")])
def test_the_build_of_pytorch_in_a_folder_of_wheels(machine: Path, held: str, build: str, other: str) -> None:
    """No index is asked; TORCH may name the build that the folder has, and the other one is one line."""
    python(machine, "python3.11", asks="exit 1")
    wheels = machine / "wheels"
    wheels.mkdir()
    (wheels / f"torch-{held}-cp311-cp311-manylinux_2_28_x86_64.whl").touch()
    code, line = set_up(machine, "WHEELHOUSE=wheels", f"TORCH={other}")
    why = f"not the build of WHEELHOUSE=wheels; make wheelhouse TORCH={other} gathers it"
    assert code != 0 and line == f"error: TORCH={other}: {why}" and not (machine / ".venv").exists()
    for named in ((), (f"TORCH={build}",)):
        assert set_up(machine, "WHEELHOUSE=wheels", *named)[0] == 0
        assert (machine / ".venv/ready").read_text() == f"python3.11 3.12.1 {build}\n"
        assert "whl/cpu" not in asked(machine) and asked(machine).count("\n") == 1
        shutil.rmtree(machine / ".venv")


@pytest.mark.parametrize(("build", "first"), [("cuda", []), ("cpu", ["torch", "torchvision"])])
def test_a_wheelhouse_has_the_build_of_pytorch_that_the_environment_has(
    machine: Path, build: str, first: list[str]
) -> None:
    """That without CUDA is put into it first, from its own index; and no wheel of another build stays in it."""
    python(machine, "python3.11")
    program(machine, "echo", "#!/bin/sh\n")  # make calls it without a shell
    (machine / "wheelhouse").mkdir()
    for name in ("torch-2.13.0", "torch-2.13.0+cpu", "torchvision-0.28.0", "tqdm-4.68.0"):
        (machine / f"wheelhouse/{name}-py3-none-any.whl").touch()
    assert set_up(machine, "wheelhouse", f"TORCH={build}")[0] == 0
    gathered = [line.split() for line in asked(machine).splitlines() if line.startswith("wheel ")]
    assert [word.partition("==")[0] for line in gathered[:-1] for word in line if "==" in word] == first
    assert all("https://download.pytorch.org/whl/cpu" in line and "--no-deps" in line for line in gathered[:-1])
    assert gathered[-1][-1] == ".[elsewhere,kubernetes,slurm,test]" and "--find-links" in gathered[-1]
    assert "--index-url" not in gathered[-1] and len(gathered) == 1 + bool(first)
    assert os.listdir(machine / "wheelhouse") == ["tqdm-4.68.0-py3-none-any.whl"]


def test_a_sign_of_life(machine: Path) -> None:
    """Once in 60 seconds, which are short ones here, with what pip said last; none where pip is quick."""
    (machine / "bin/sleep").unlink()
    program(machine, "sleep", f"#!/bin/sh\nexec {shutil.which('sleep')} 0.005\n")
    python(machine, "python3.11", pip=f"echo Collecting torch; echo '  Downloading torch'; {shutil.which('sleep')} 2")
    code, lines = said_by_set_up(machine)
    assert code == 0 and lines[1] == "pip, after 1 min: Downloading torch" and len(lines) < 12
    python(machine, "python3.12")
    assert len(said_by_set_up(machine, "PYTHON=python3.12")[1]) == 1
