"""Config files, read strictly."""

import os
from pathlib import Path

import pytest

from ndgm.pipeline.config_files import read_config, unreadable
from ndgm.store.files import InputError


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file is called as people call it."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"seeds: 1\nsteps: 2\nseeds: 3\n", "line 3: seeds is given a second time, after line 1"),
        (b"a:\n  seeds: 1\nb:\n  - {seeds: 1, seeds: 1}\n", "line 4: seeds is given a second time, after line 4"),
        (b'{"a": 1, "a": 2}', "line 1: a is given a second time, after line 1"),
        ("# größer\nseeds: 1\n".encode("latin-1"), "line 1 is not UTF-8; write it anew in that encoding"),
        (b"a: [1", "not YAML ("),
        (b"a: %s" % (b"9" * 5000), "not YAML ("),
        (b"a: *none", "not YAML ("),
        (b"a: %s1%s" % (b"[" * 2000, b"]" * 2000), "not YAML ("),
        (b"- 1", "holds no settings"),
        (b"", "holds no settings"),
        (b"# nothing yet", "holds no settings"),
    ],
)
def test_a_file_that_is_no_config(content: bytes, fault: str) -> None:
    """One line names the file and, where there is one, the line in it."""
    Path("mine.yaml").write_bytes(content)
    with pytest.raises(InputError, match="^mine.yaml: ") as found:
        read_config(Path("mine.yaml"))
    line = str(found.value)
    assert line.startswith(f"mine.yaml: {fault}") and "\n" not in line
    assert unreadable(["mine.yaml"]) == line


def test_a_file_that_is_not_there() -> None:
    """Nor a folder of its name."""
    assert unreadable(["mine.yaml"]) == "mine.yaml: no such file"
    Path("mine.yaml").mkdir()
    assert unreadable(["mine.yaml"]) == "mine.yaml: Is a directory"


def test_a_file_that_is_one() -> None:
    """What it says; one key may stand in several mappings, and be merged from another."""
    Path("mine.yaml").write_text("a: &a {seeds: 1}\nb: {<<: *a, seeds: 2}\n", encoding="utf-8")
    assert read_config(Path("mine.yaml")) == {"a": {"seeds": 1}, "b": {"seeds": 2}}
    assert unreadable(["mine.yaml"]) == ""


def test_who_changes_what_was_read_changes_no_later_reading() -> None:
    """Texts are parsed once."""
    Path("mine.yaml").write_text("a: {seeds: [1]}\n", encoding="utf-8")
    read_config(Path("mine.yaml"))["a"]["seeds"].append(2)
    assert read_config(Path("mine.yaml")) == {"a": {"seeds": [1]}}


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "a: &a {b: *a}\n", "a: &a [1, &b [*a, *b]]\n"])
def test_an_alias_inside_of_its_own_anchor_comes_to_an_end(text: str) -> None:
    """YAML allows it, and the schema has no such settings."""
    Path("mine.yaml").write_text(text, encoding="utf-8")
    assert set(read_config(Path("mine.yaml"))) == {"a"}


def test_what_is_no_file_is_not_waited_for() -> None:
    """A pipe has nothing to read until somebody writes."""
    os.mkfifo("mine.yaml")
    assert unreadable(["mine.yaml"]) == "mine.yaml: a pipe, which would be waited for"
    assert unreadable(["a" * 300]) == f"{'a' * 300}: File name too long"
