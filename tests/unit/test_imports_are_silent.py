"""No module of `ndgm` changes anything outside itself when it is imported."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Run in a fresh interpreter, with the sources' folder. What our modules import from others comes first: some of those
# packages do set filters and variables, and they are not ours.
PROGRAM = r"""
import ast, importlib, locale, logging, os, random, signal, sys, threading, warnings
from pathlib import Path

sources = Path(sys.argv[1])
files = sorted((sources / "ndgm").rglob("*.py"))
for file in files:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import | ast.ImportFrom) and "ndgm" not in ast.unparse(node):
            exec(ast.unparse(node), {})

import matplotlib, numpy, pandas, torch


def state():
    return {
        "os.environ": dict(os.environ),
        "folder": os.getcwd(),
        "sys.path": list(sys.path),
        "modules of others": {name: id(module) for name, module in sys.modules.items() if not name.startswith("ndgm")},
        "sys hooks": (sys.excepthook, sys.displayhook, sys.stdout, sys.stderr, len(sys.meta_path), len(sys.path_hooks)),
        "warning filters": list(warnings.filters),
        "logging": (logging.root.level, list(logging.root.handlers)),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "threads": threading.active_count(),
        "locale": locale.setlocale(locale.LC_ALL),
        "random": (random.getstate(), str(numpy.random.get_state()), torch.get_rng_state().numpy().tobytes()),
        "numpy errors": numpy.geterr(),
        "numpy printing": numpy.get_printoptions(),
        "pandas printing": (pandas.get_option("display.width"), pandas.get_option("display.precision")),
        "matplotlib.rcParams": dict(matplotlib.rcParams),
        "torch defaults": (
            torch.get_default_dtype(),
            torch.get_default_device(),
            torch.get_num_threads(),
            torch.get_deterministic_debug_mode(),
            torch.is_grad_enabled(),
            torch.get_float32_matmul_precision(),
            torch.backends.cuda.matmul.allow_tf32,
            torch.backends.cudnn.allow_tf32,
        ),
    }


state()  # some of these packages load more of themselves when they are first asked
before = state()
for file in files:
    module = ".".join(file.relative_to(sources).with_suffix("").parts).removesuffix(".__init__")
    importlib.import_module(module)
    after = state()
    for name, value in before.items():
        if after[name] != value:
            print(f"{module} changes {name}")
    before = after
"""


def test_an_import_changes_nothing(tmp_path: Path) -> None:
    """Environment, folder, warnings, logging, random numbers, and what the large packages are set to."""
    assert changes(ROOT / "src", tmp_path) == []


def test_a_change_is_caught(tmp_path: Path) -> None:
    """One line that sets something, in a module that is else empty, is named with its module."""
    lines = {
        "variable": 'import os\nos.environ["A"] = "b"',
        "style": 'import matplotlib\nmatplotlib.rcParams["font.size"] = 8',
        "precision": "import torch\ntorch.set_default_dtype(torch.float64)",
        "filters": 'import warnings\nwarnings.simplefilter("ignore")',
        "missing": 'import sys\nsys.modules["nothing"] = None',
        "seed": "import numpy\nnumpy.random.seed(1)",
    }
    (tmp_path / "ndgm").mkdir()
    (tmp_path / "ndgm/__init__.py").touch()
    for name, line in lines.items():
        (tmp_path / f"ndgm/{name}.py").write_text(f"{line}\n")
    assert changes(tmp_path, tmp_path) == [
        "ndgm.filters changes warning filters",
        "ndgm.missing changes modules of others",
        "ndgm.precision changes torch defaults",
        "ndgm.seed changes random",
        "ndgm.style changes matplotlib.rcParams",
        "ndgm.variable changes os.environ",
    ]


def changes(sources: Path, folder: Path) -> list[str]:
    """What the modules of `ndgm` under `sources` change when they are imported, a line each."""
    program = [sys.executable, "-c", PROGRAM, str(sources)]
    done = subprocess.run(program, cwd=folder, env={"PYTHONPATH": str(sources)}, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
