"""The environment that all programs of the pipeline share; some get a few variables more."""

import os
from pathlib import Path

FIXED = {
    "SOURCE_DATE_EPOCH": "1705363200",  # 16 January 2024: the day of the paper whose claims are tested
    "PYTHONHASHSEED": "0",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "MPLBACKEND": "Agg",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    # On more threads sums, of PyTorch too, are taken in another order, and end elsewhere.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # What a user has set up for other work stays outside: an empty variable is as good as none.
    "MATPLOTLIBRC": os.devnull,
    **dict.fromkeys(["PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONOPTIMIZE", "PYTHONDEVMODE", "PYTHONINSPECT"], ""),
    "BASH_ENV": "",
}


def environment(sources: Path) -> dict[str, str]:
    """Environment variables of a program.

    Args:
        sources: Folder of our modules. A copy of the repository runs its own, also where another checkout is installed.
    """
    # A path with a colon would be two; from where programs run it has none.
    folder = os.path.relpath(sources) if os.pathsep in str(sources) else str(sources)
    inherited = os.environ.get("PYTHONPATH")
    return os.environ | FIXED | {"PYTHONPATH": os.pathsep.join(filter(None, [folder, inherited]))}
