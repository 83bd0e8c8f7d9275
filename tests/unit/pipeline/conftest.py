"""What the tests of the config share: a folder in which it can be changed."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def in_a_folder_with_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has its own `config/`."""
    (tmp_path / "config").mkdir()
    for file in (ROOT / "config").glob("*.yaml"):
        (tmp_path / "config" / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)
