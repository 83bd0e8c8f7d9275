"""pylock.toml names the files of the versions in constraints.txt, each with its hash."""

import re
import tomllib
from importlib.metadata import distributions

from copies import ROOT
from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename
from test_packaging import DECLARED, PROJECT, VERSIONS, canonical

LOCK = tomllib.loads((ROOT / "pylock.toml").read_text(encoding="utf-8"))
LOCKED = {package["name"]: package for package in LOCK["packages"]}
FILES = [
    (name, file)
    for name, package in LOCKED.items()
    for file in [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
]


def test_it_is_of_the_form_that_installers_read() -> None:
    """PEP 751, for the Pythons that the project asks for."""
    assert (LOCK["lock-version"], LOCK["requires-python"]) == ("1.0", PROJECT["requires-python"])


def test_its_versions_are_those_of_the_constraints() -> None:
    """Each is, no pin is without a requirement that leads to it, and none is missing that something here asks for.

    The lock holds what the project and its extras lead to, on every system: eight pins of a package that had left the
    project stayed among the constraints.
    """
    assert {name: package["version"] for name, package in LOCKED.items()} == VERSIONS
    asked = {canonical(Requirement(line).name) for line in DECLARED}
    # The rest is of optional extras, and of PyTorch for cards.
    here = [one for one in distributions() if canonical(one.name) in LOCKED]
    assert len(here) > len(LOCKED) / 2
    for one in here:
        for line in one.requires or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                asked.add(canonical(requirement.name))
    assert asked <= LOCKED.keys()


def test_every_file_has_a_hash_and_comes_from_the_index_of_all() -> None:
    """No mirror of one machine, and no local build."""
    for name, file in FILES:
        assert re.fullmatch(r"[0-9a-f]{64}", file["hashes"]["sha256"]) and file["size"] > 0, name
        assert file["url"].startswith("https://files.pythonhosted.org/packages/"), name
        assert "+" not in file["url"].rpartition("/")[2] and "%2B" not in file["url"], name


def test_compiled_wheels_are_there_for_every_python() -> None:
    """PyTorch's, on processors of two kinds."""
    wheels = [parse_wheel_filename(file["url"].rpartition("/")[2])[3] for name, file in FILES if name == "torch"]
    tags = {(tag.interpreter, tag.platform.rpartition("_x")[0] or tag.platform) for wheel in wheels for tag in wheel}
    for minor in (11, 12, 13):
        assert len([tag for tag in tags if tag[0] == f"cp3{minor}"]) == 2
