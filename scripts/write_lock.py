"""Write pylock.toml: every distribution of constraints.txt with the hashes of its files, for Linux and our Pythons."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from ndgm.pipeline.programs import argument_parser
from ndgm.store.files import write_atomically

COMPILE = (
    *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--format", "pylock.toml"),
    *("--constraint", "constraints.txt", "--all-extras", "pyproject.toml"),
)
FITS = re.compile(r"-(?:py3|py2\.py3|cp311-cp311|cp312-cp312|cp313-cp313|cp3\d+-abi3)-(?:none-any|.*manylinux.*)\.whl$")


def main() -> None:
    """Run the program."""
    arguments = argument_parser(__doc__, "out").parse_args()
    if not shutil.which(COMPILE[0]):
        sys.exit(f"error: {COMPILE[0]}: not found; `pip install uv` brings it")
    found = subprocess.run(COMPILE, text=True, stdout=subprocess.PIPE)
    if found.returncode:
        sys.exit("error: uv has not resolved constraints.txt: it says why above")
    pinned = {
        re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower()
        for line in Path("constraints.txt").read_text(encoding="utf-8").splitlines()
    }
    lines = ['lock-version = "1.0"', 'created-by = "scripts/write_lock.py"', 'requires-python = ">=3.11,<3.14"']
    for package in tomllib.loads(found.stdout)["packages"]:
        if package["name"] in pinned:  # what other systems want besides is not
            lines += ["", "[[packages]]", *lines_of(package)]
    with write_atomically(arguments.out) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def lines_of(package: dict) -> list[str]:
    """Lines of one distribution: its wheels, or its sources where it has no wheel."""
    lines = [f"{key} = {json.dumps(package[key])}" for key in ("name", "version", "marker") if key in package]
    wheels = [wheel for wheel in package.get("wheels", []) if FITS.search(wheel["url"])]
    if not wheels:
        return [*lines, f"sdist = {file(package['sdist'])}"]
    return [*lines, "wheels = [", *(f"    {file(wheel)}," for wheel in wheels), "]"]


def file(found: dict) -> str:
    """Address, size and hash of a file."""
    sha256 = found["hashes"]["sha256"]
    return f'{{ url = "{found["url"]}", size = {found["size"]}, hashes = {{ sha256 = "{sha256}" }} }}'


if __name__ == "__main__":
    main()
