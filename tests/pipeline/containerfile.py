"""The steps of Containerfile in a bare system below a folder, for machines that have no engine for containers."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from copies import ROOT, copy_repository

CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")
"""Where Debian has them, below the root."""


def steps() -> list[tuple[str, str]]:
    """Instructions of Containerfile, each with what follows it."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def missing() -> str:
    """What keeps the steps from being followed here; nothing where they can be."""
    if os.geteuid():
        return "a bare system wants root"
    return "" if shutil.which("debootstrap") else "no debootstrap: apt-get install debootstrap"


def settings_of_pip() -> dict[str, str]:
    """Where pip finds packages on this machine, which a bare system does not know."""
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


@contextmanager
def bare_system(folder: Path, release: str) -> Iterator[None]:
    """A Debian of packages that every Debian has, with this machine's network, and its folder of wheels if it has one.

    Raises:
        subprocess.CalledProcessError: if its packages cannot be had.
    """
    command = ["debootstrap", "--variant=minbase", release, str(folder), "http://deb.debian.org/debian"]
    subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")
    seen = [Path("/proc"), Path("/dev")]
    seen += [Path(value) for name, value in settings_of_pip().items() if Path(value).exists() and name != "PIP_CERT"]
    try:
        for place in seen:
            inside = folder / place.relative_to("/")
            inside.mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "--bind", place, inside], check=True)
        yield
    finally:
        for place in reversed(seen):
            with suppress(FileNotFoundError):
                subprocess.run(["umount", folder / place.relative_to("/")], check=True)


def follow(folder: Path, arguments: dict[str, str], entry: str) -> subprocess.CompletedProcess:
    """Follow the steps, and then run the entry point with a command.

    Args:
        folder: Of the bare system.
        arguments: In the place of the build's.
        entry: What is said to the entry point, in the place of `CMD`.
    """
    user, place, known = "root", "/", {}
    for name, rest in steps():
        if name == "RUN":
            done = run(folder, user, place, known, rest)
            if done.returncode:
                return done
            if "ca-certificates" in rest:  # from here on pip can be told of this machine's
                known |= settings_of_pip()
                if certificates := known.get("PIP_CERT"):
                    shutil.copy(certificates, folder / CERTIFICATES)
                    known["PIP_CERT"] = f"/{CERTIFICATES}"
        elif name == "USER":
            user = rest
        elif name == "WORKDIR":
            place = rest
        elif name == "COPY":
            copy_repository(folder / place.lstrip("/"))
            run(folder, "root", "/", {}, f"chown -R {user}: {place}")
        elif name == "ARG":
            key, _, value = rest.partition("=")
            known[key] = arguments.get(key, value)
        elif name == "ENTRYPOINT":
            return run(folder, user, place, known, shlex.join([*json.loads(rest), *entry.split()]))
    raise ValueError("Containerfile has no entry point")


def run(folder: Path, user: str, place: str, known: dict[str, str], command: str) -> subprocess.CompletedProcess:
    """A shell's line in the bare system."""
    variables = [f"{name}={shlex.quote(value)}" for name, value in known.items()]
    home = "/root" if user == "root" else f"/home/{user}"
    line = f"cd {place} && export HOME={home} {' '.join(variables)} && {command}"
    login = [
        "chroot",
        f"--userspec={user}",
        folder,
        "env",
        "-i",
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        "sh",
        "-c",
        line,
    ]
    return subprocess.run(login, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
