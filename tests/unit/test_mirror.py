"""`tests/unit` mirrors `src/ndgm`: who reads a module finds its tests, and who reads a test finds what it tests."""

from pathlib import Path

import pytest

import ndgm

SOURCES, TESTS = Path(ndgm.__file__).parent, Path(__file__).parent
ROOMS = sorted(path.parent.name for path in SOURCES.glob("*/__init__.py"))

OF_A_WHOLE_ROOM = {
    "claims/test_registered_claims": "what holds for every claim, whatever its module",
    "engine/test_examples": "examples in the docstrings of every module",
    "engine/test_gpu": "every kind of run on a CUDA device, and nothing of it elsewhere",
    "experiments/test_experiments": "every experiment of the manifest",
    "experiments/test_on_a_device": "every experiment of the manifest, as a device would refuse it",
    "paper/test_paper_source": "the text of the paper, which lies outside of the package",
}
"""Tests that name no module, each with what they test."""


def modules(room: str) -> set[str]:
    """Modules of a room by their place in it, and its files of data, such as a schema."""
    found = (path for path in (SOURCES / room).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    places = (path.relative_to(SOURCES).with_suffix("") for path in found if path.name != "__init__.py")
    return {str(place.with_name(place.name.replace(".", "_"))) for place in places}


def files_of_tests(room: str) -> set[str]:
    """Files of tests of a room by their place in it."""
    return {str(path.relative_to(TESTS).with_suffix("")) for path in (TESTS / room).rglob("test_*.py")}


def belongs(test: str, module: str) -> bool:
    """Whether the test stands where the module does and its name begins with the module's."""
    folder, _, name = module.rpartition("/")
    return test == f"{folder}/test_{name}" or test.startswith(f"{folder}/test_{name}_")


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_has_a_file_of_tests(room: str) -> None:
    programs = {module for module in modules(room) if (SOURCES / f"{module}.py").exists()}
    assert [module for module in programs if not any(belongs(test, module) for test in files_of_tests(room))] == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_file_of_tests_names_a_module(room: str) -> None:
    strays = {test for test in files_of_tests(room) if not any(belongs(test, module) for module in modules(room))}
    assert strays == {test for test in OF_A_WHOLE_ROOM if test.startswith(f"{room}/")}


def test_every_folder_of_tests_is_a_room() -> None:
    assert {path.parent.name for path in TESTS.glob("*/test_*.py")} == set(ROOMS)
