"""Markdown for GitHub, as pandoc reads it, and lines of functions."""

import pytest
from bs4 import BeautifulSoup

from ndgm.paper.github_markdown import formulas, function_lines, markdown_table
from ndgm.paper.typesetting import convert
from ndgm.store.files import InputError


def on_github(text):
    return BeautifulSoup(convert(text, "gfm", "html5", "--mathml"), "html.parser")


def test_a_bar_ends_no_cell():
    rows = [["size |w|", r"$\|w\|_1$"], ["$|x_i|$", "–"]]
    found = [[cell.get_text() for cell in row("td")] for row in on_github(markdown_table(["a", "b"], rows))("tr")[1:]]
    assert [len(row) for row in found] == [2, 2] and found[0][0] == "size |w|" and found[1][1] == "–"


def test_formulas_are_set_and_other_text_is_as_it_was():
    assert formulas(r"norm $\|w\|_1$ of *w*") == r"norm $`\Vert w\Vert _1`$ of *w*"
    assert len(on_github(formulas(r"$a_1*b$ and $c*d_1$"))("math")) == 2


def test_a_function_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("import ast\n\n\ndef here():\n    pass\n")
    lines = function_lines(path)
    assert lines["here"] == 4
    with pytest.raises(InputError, match="no function there"):
        lines["there"]
    with pytest.raises(InputError, match="no such file"):
        function_lines(tmp_path / "other.py")
