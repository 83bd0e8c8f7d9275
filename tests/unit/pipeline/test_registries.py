"""Names read from the source of the registries, against the registries themselves."""

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import ndgm
from ndgm.engine.activations import ACTIVATIONS, activation
from ndgm.pipeline import registries
from ndgm.pipeline.registries import REGISTRIES, asks, has_kinks, names

METHODS = """
from other import Elsewhere
class Twice:
    asks = ("subgradient",)
    def step(self): ...
class Typed:
    limit: int
    asks: ClassVar[tuple[str, ...]] = ("smooth_gradient", "shrink")
METHODS: dict[str, object] = {"one": Twice(), "two": Typed(limit=3), "three": Elsewhere(), **MORE, "four": made}
"""


@pytest.fixture
def made_up_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package whose engine is two files."""
    (tmp_path / "engine/deeper").mkdir(parents=True)
    (tmp_path / "engine/methods.py").write_text(METHODS)
    (tmp_path / "engine/deeper/other.py").write_text("\nclass Elsewhere:\n    asks = ('lowest',)\n")
    monkeypatch.setattr(registries, "files", lambda package: tmp_path)
    remember = (registries.asks, registries._entries, registries._texts)
    for function in remember:
        function.cache_clear()
    yield
    for function in remember:
        function.cache_clear()


def modules_of(room: str) -> list[ModuleType]:
    """Every module of a room, imported."""
    package = importlib.import_module(f"ndgm.{room}")
    return [
        importlib.import_module(found.name) for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]


@pytest.mark.parametrize("registry", REGISTRIES)
def test_the_names_are_the_keys(registry: str) -> None:
    """In the order of the registry that Python imports."""
    room, variable = REGISTRIES[registry]
    found = {tuple(getattr(module, variable)) for module in modules_of(room) if hasattr(module, variable)}
    assert found == {names(registry)}


def test_what_a_method_asks_for_is_read(made_up_engine: None) -> None:
    """From a class beside the registry or in another module, with a type or without."""
    assert names("methods") == ("one", "two", "three", "four")
    assert asks("one") == {"subgradient"}
    assert asks("two") == {"smooth_gradient", "shrink"}
    assert asks("three") == {"lowest"}
    with pytest.raises(
        ValueError, match=r"METHODS\['four'\] is no call of a class of ndgm.engine with a literal `asks`"
    ):
        asks("four")


@pytest.mark.parametrize("name", [*ACTIVATIONS, "softplus_3", "softplus_0.5"])
def test_kinks_are_those_of_the_activation(name: str) -> None:
    """Read from the source, against the registry that Python imports."""
    assert has_kinks(name) == bool(activation(name).kinks)


def test_an_activation_that_is_not_there() -> None:
    """Its name is said."""
    with pytest.raises(ValueError, match="no entry 'relu6' with a literal `kinks`"):
        has_kinks("relu6")


def test_a_registry_that_is_not_there(made_up_engine: None) -> None:
    """The room and the name are said."""
    with pytest.raises(ValueError, match="no module of ndgm.engine has a dict literal ACTIVATIONS"):
        names("activations")


def test_pytorch_is_not_loaded() -> None:
    """Snakemake checks the config at every start, which PyTorch would double."""
    code = (
        "import sys; from ndgm.pipeline.settings import faults; faults({}, ['config/laptop.yaml'], {});"
        "print(sorted({'torch', 'numpy', 'pandas', 'scipy', 'sklearn'} & sys.modules.keys()))"
    )
    root = Path(ndgm.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env={"PYTHONPATH": "src"}, text=True, capture_output=True
    )
    assert done.stdout == "[]\n", done.stderr
