"""The example runs as it stands, and stays short."""

import os
import subprocess
import sys

from copies import ROOT


def test_the_example_decides_its_claim() -> None:
    """Forty lines, one sentence with a verdict."""
    example = ROOT / "examples/minimal.py"
    assert len(example.read_text(encoding="utf-8").splitlines()) <= 40
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    said = subprocess.run([sys.executable, example], env=environment, text=True, capture_output=True, check=True).stdout
    assert " supported: measured " in said
