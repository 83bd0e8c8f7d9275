"""The figure style: bytes, files and what the drawing functions draw."""

import os
import subprocess
import sys

import matplotlib
import matplotlib.font_manager
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from ndgm.paper import drawing
from ndgm.paper.labels import APART


@pytest.fixture(autouse=True)
def style():
    """As in a figure's notebook; what matplotlib was set to comes back."""
    with matplotlib.rc_context():
        drawing.style()
        yield


@pytest.fixture
def figure(monkeypatch, tmp_path):
    monkeypatch.setenv("NDGM_RESULTS", str(tmp_path))
    return draw()


def draw():
    figure, axes = plt.subplots(figsize=(drawing.COLUMN_WIDTH, 2))
    drawing.prediction(axes, [1, 2, 3], [1, 2, 3])
    drawing.measured(axes, [1, 2], [1, 2], [0.9, 1.9], [1.2, 2.2], method="subgradient")
    axes.set(xlabel=r"$\lambda/\lambda_{\max}$", ylabel="norm")
    return figure


def test_the_same_drawing_is_the_same_bytes(figure, monkeypatch, tmp_path):
    once = drawing.save(figure, "demo")
    monkeypatch.setenv("NDGM_RESULTS", str(tmp_path / "other"))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    again = drawing.save(draw(), "demo")
    for kind in ("pdf", "svg", "png"):
        first, second = (getattr(saved, kind).read_bytes() for saved in (once, again))
        assert first == second
        assert not any(word in first for word in (b"CreationDate", b"Producer", b"Matplotlib", b"dc:date"))
    drawn = [name for name in os.listdir(tmp_path / "figures") if not name.startswith(".")]
    assert sorted(drawn) == ["demo.pdf", "demo.png", "demo.svg"]


def test_a_figure_keeps_the_width_it_was_given(figure):
    assert f'width="{72 * drawing.COLUMN_WIDTH:g}pt"' in drawing.save(figure, "demo").svg.read_text()


def test_a_figure_is_saved_under_the_name_of_its_notebook(figure, monkeypatch, tmp_path):
    monkeypatch.setenv("NDGM_FIGURE", "other")
    with pytest.raises(ValueError, match=r"save\(figure, 'demo'\) stands in the notebook of the figure other"):
        drawing.save(figure, "demo")
    assert not (tmp_path / "figures").exists()
    monkeypatch.setenv("NDGM_FIGURE", "demo")
    assert drawing.save(figure, "demo").pdf.exists()


def test_a_figure_in_another_style_is_not_saved(figure, tmp_path):
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        with pytest.raises(RuntimeError, match=r"figure demo: call style\(\) before drawing"):
            drawing.save(figure, "demo")
    assert not (tmp_path / "figures").exists()


def test_nothing_half_written_is_left(figure, monkeypatch, tmp_path):
    def fail(path, **_):
        path.write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        drawing.save(figure, "demo")
    assert os.listdir(tmp_path / "figures") == []


def test_results_have_a_default(monkeypatch, tmp_path):
    monkeypatch.delenv("NDGM_RESULTS", raising=False)
    assert str(drawing.results()) == "results/laptop"
    for folder, found in [("figures", "results/laptop"), ("results/mine/notebooks", "results/mine")]:
        (tmp_path / folder).mkdir(parents=True)
        monkeypatch.chdir(tmp_path / folder)
        assert drawing.results().resolve() == tmp_path / found


def test_fonts_come_with_matplotlib():
    font = matplotlib.font_manager.findfont("STIXGeneral", fallback_to_default=False)
    assert font.startswith(matplotlib.get_data_path())


def test_drawing_does_not_wait_for_torch():
    program = "import ndgm.paper.drawing, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_intervals_end_where_they_should():
    _, axes = plt.subplots()
    drawn = drawing.measured(axes, [1, 2], [1, 2], [0.9, 1.9], [1.2, 2.2], method="ista")
    ends = [segment[:, 1].tolist() for segment in drawn[2][0].get_segments()]
    np.testing.assert_allclose(ends, [[0.9, 1.2], [1.9, 2.2]])


def test_a_label_stands_at_the_last_finite_point_in_the_colour_of_its_line():
    _, axes = plt.subplots()
    (line,) = axes.plot([1, 2, 3], [4, 5, np.nan], color="#123456")
    label = drawing.label_line_end(axes, line, "here")
    assert label.xy == (2, 5)
    assert label.get_color() == "#123456"


def test_labels_of_lines_that_end_together_keep_apart_in_order(monkeypatch, tmp_path):
    monkeypatch.setenv("NDGM_RESULTS", str(tmp_path))
    figure, axes = plt.subplots(figsize=(drawing.COLUMN_WIDTH, 2))
    heights = {"c": 1.02, "a": 1.0, "b": 1.01, "far": 3.0}
    lines = {text: axes.plot([1, 2], [0, height])[0] for text, height in heights.items()}
    labels = dict(zip(lines, drawing.label_line_ends(axes, lines), strict=True))
    drawing.save(figure, "labels")
    figure.draw_without_rendering()
    at = {text: label.get_window_extent().y0 * 72 / figure.dpi for text, label in labels.items()}
    # As far apart as asked, to half a point by which these letters differ in height.
    assert at["b"] - at["a"] > APART - 0.5 and at["c"] - at["b"] > APART - 0.5
    assert labels["far"].xyann == (3, 0)


def test_a_figure_is_laid_out_once(figure, monkeypatch):
    calls = []
    monkeypatch.setattr(drawing, "_lay_out", calls.append)
    for _ in range(3):
        drawing.label_line_ends(figure.axes[0], {"end": figure.axes[0].lines[0]})
    drawing.save(figure, "demo")
    assert calls == [figure]


def test_the_last_bits_of_the_layout_are_not_left_to_chance(tmp_path, monkeypatch):
    # Two runs named the clip paths of one figure differently, after positions that differed by 1e-16.
    monkeypatch.setenv("NDGM_RESULTS", str(tmp_path))
    written = []
    for shift in (0.0, 3e-16):
        figure, axes = plt.subplots()
        monkeypatch.setattr(
            drawing, "_lay_out", lambda _, axes=axes, shift=shift: axes.set_position([0.1 + shift, 0.2, 0.7, 0.7])
        )
        axes.plot([0, 1], [0, 2])
        written.append(drawing.save(figure, "bits").svg.read_bytes())
    assert written[0] == written[1]


def test_what_is_left_out_is_said_in_the_notebook_and_in_the_svg(figure, capsys):
    saved = drawing.save(figure, "demo", ["heavy_ball", "adam & co", "heavy_ball"])
    line = f"{drawing.LEFT_OUT}: heavy_ball; adam & co."
    assert capsys.readouterr().out == f"{line}\n"
    assert line.replace("&", "&amp;") in saved.svg.read_text()


def test_a_drawing_that_lacks_nothing_says_nothing(figure, capsys):
    saved = drawing.save(figure, "demo")
    assert capsys.readouterr().out == ""
    assert "description" not in saved.svg.read_text()


def test_absent_names_keep_their_order():
    assert drawing.absent(["b", "a", "c"], ["c"], of="cycles") == ["b (cycles)", "a (cycles)"]
    assert drawing.absent(["a"], ["a", "b"]) == []


def test_rows_with_a_level_that_no_row_has_are_none():
    index = pd.MultiIndex.from_tuples([("x", 1, "a"), ("y", 1, "b")], names=["design", "kink", "method"])
    table = pd.DataFrame({"mean": [1.0, 2.0]}, index)
    assert drawing.rows_with(table, design="y", kink=1)["mean"].to_dict() == {"b": 2.0}
    assert drawing.rows_with(table, design="z").empty
    assert list(drawing.rows_with(table, design="z").index.names) == ["kink", "method"]


def test_lines_without_a_point_get_no_label(figure):
    axes = figure.axes[0]
    (nothing,) = axes.plot([], [])
    (gap,) = axes.plot([1, 2], [np.nan, np.nan])
    assert drawing.label_line_ends(axes, {"nothing": nothing, "gap": gap}) == []


def test_an_empty_panel_says_why(figure):
    drawing.leave_empty(figure.axes[0], "no runs", "a title")
    assert [text.get_text() for text in figure.axes[0].texts] == ["no runs"]
    assert not figure.axes[0].axison
