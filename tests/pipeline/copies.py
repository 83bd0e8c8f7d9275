"""Copies of the repository, and what a finished smoke run in one of them has made."""

import hashlib
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HISTORY = ROOT / "reference/rules.json"
MADE = (".venv", ".git", "results", ".snakemake", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info")
SMOKE_RESULTS = Path("results/smoke")
NOT_COMPARED = ("logs", "benchmarks")


def copy_repository(folder: Path) -> Path:
    """A copy of the working tree, without what was made from it."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*MADE))
    return folder


def hashes(folder: Path) -> dict[str, str]:
    """Every file of the smoke run but logs and benchmarks, by its content."""
    results = folder / SMOKE_RESULTS
    files = {path.relative_to(results): path for path in sorted(results.rglob("*")) if path.is_file()}
    return {
        str(name): hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in files.items()
        if name.parts[0] not in NOT_COMPARED
    }
