"""What Snakemake itself would answer with a traceback."""

from pathlib import Path

import pytest

from ndgm.pipeline.start import twice, unfit


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one config file."""
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("seeds: 2")


def test_nothing_is_wrong(tmp_path: Path) -> None:
    """Folders may be missing, as in a fresh clone and a fresh home."""
    assert unfit(["mine.yaml"], {"HOME": str(tmp_path / "home")}) == ""


@pytest.mark.parametrize(
    ("file", "variables", "fault"),
    [
        ("none.yaml", {}, "none.yaml: no such file"),
        (".snakemake", {}, ".snakemake: not a folder that can be written to, and Snakemake keeps its records there"),
        ("home", {"HOME": "home"}, "home: not a folder that can be written to, and Snakemake keeps copies there; set "),
        (
            "cache",
            {"XDG_CACHE_HOME": "cache"},
            "cache: not a folder that can be written to, and Snakemake keeps copies",
        ),
    ],
)
def test_one_line(tmp_path: Path, file: str, variables: dict[str, str], fault: str) -> None:
    """A file in the place of a folder, which no superuser can write into either."""
    if file != "none.yaml":
        Path(file).touch()
    line = unfit([file if file == "none.yaml" else "mine.yaml"], {"HOME": str(tmp_path), **variables})
    assert line.removeprefix(f"{tmp_path}/").startswith(fault)


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["snakemake", "--config", "a=1", "b=2", "--configfile", "a", "b"], ""),
        (["snakemake", "--config", "a=1", "--config", "b=2"], "--config"),
        (["snakemake", "-Ca=1", "--config=b=2"], "--config"),
        (["snakemake", "-C", "a=1", "-C", "b=2"], "--config"),
        (["snakemake", "--configfile", "a", "--configfiles=b"], "--configfile"),
    ],
)
def test_an_option_that_counts_once(words: list[str], option: str) -> None:
    """Of two, Snakemake would take the last in silence."""
    assert twice(words) == option
