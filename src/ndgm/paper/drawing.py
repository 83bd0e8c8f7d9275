"""The one figure style of the paper, and the only call of `savefig`.

A figure's notebook calls `style()` before it draws, draws with matplotlib and the few functions below, and ends in
`save(figure, name)`.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from numpy.typing import ArrayLike

from ndgm.paper.colours import COLOURS, INK, MARKERS, OKABE_ITO, PAPER
from ndgm.paper.labels import LineLabels
from ndgm.store.files import write_atomically

COLUMN_WIDTH = 3.3
"""Width of a column of the printed page, in inches."""

PAGE_WIDTH = 6.9
"""Width of both columns of the printed page, in inches."""

_STYLE: dict[str, Any] = {
    "font.family": ["STIXGeneral", "DejaVu Sans"],
    "mathtext.fontset": "stix",
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.titlepad": 4,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "axes.formatter.use_mathtext": True,
    "axes.formatter.min_exponent": 2,
    "axes.prop_cycle": cycler(color=OKABE_ITO),
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "errorbar.capsize": 0,
    "figure.figsize": (COLUMN_WIDTH, 2.3),
    "figure.dpi": 72,  # that of PDF and SVG, so that text is measured once for all three
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "savefig.facecolor": "auto",
    "savefig.bbox": None,
    "savefig.dpi": 220,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "ndgm",
}

LEFT_OUT = "Not drawn, as this run has nothing of it"
"""Beginning of the line that says what a figure lacks."""

# None drops the field: what is left depends on the drawing alone, not on the day or the version that drew it.
_METADATA: dict[str, dict[str, str | None]] = {
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None, "Format": None, "Type": None},
    "png": {"Software": None},
}


def style() -> None:
    """Make the paper's style the one that matplotlib draws with, in this process."""
    plt.switch_backend("agg")
    matplotlib.rcdefaults()
    settings: Mapping[Any, Any] = _STYLE  # matplotlib's type names every key
    matplotlib.rcParams.update(settings)


def results() -> Path:
    """The folder of the scale that is drawn: `$NDGM_RESULTS`, which the pipeline sets.

    By hand, an executed notebook in `notebooks/` of a scale reads that scale; all others read `results/laptop`.
    """
    if folder := os.environ.get("NDGM_RESULTS"):
        return Path(folder)
    return {"notebooks": Path(".."), "figures": Path("../results/laptop")}.get(Path.cwd().name, Path("results/laptop"))


@dataclass(frozen=True, repr=False)
class Saved:
    """The files of one figure. In a notebook it shows itself as the picture that was saved."""

    pdf: Path
    svg: Path
    png: Path

    def __repr__(self) -> str:
        """Name of the figure, without the folder that it was saved in."""
        return f"figure {self.pdf.stem}"

    def _repr_svg_(self) -> str:
        return self.svg.read_text(encoding="utf-8")


def save(figure: Figure, name: str, left_out: Sequence[str] = ()) -> Saved:
    """Write `figure` as PDF, SVG and PNG under `results()/figures/`, the same bytes every time, and close it.

    Args:
        figure: What was drawn.
        name: The figure's name, without folder and ending; that of its notebook.
        left_out: What it would show if the run had it. A line says so here, and the SVG says so to the caption.

    Returns:
        The paths of the three files.

    Raises:
        RuntimeError: if `style()` was not called before.
        ValueError: if the pipeline runs a notebook of another name, whose figure would be missing.
    """
    if (notebook := os.environ.get("NDGM_FIGURE", name)) != name:
        raise ValueError(f"save(figure, {name!r}) stands in the notebook of the figure {notebook}")
    if matplotlib.rcParams["svg.hashsalt"] != _STYLE["svg.hashsalt"]:
        raise RuntimeError(f"figure {name}: call style() before drawing")
    folder = results() / "figures"
    _unscale_what_is_empty(figure)
    _lay_out(figure)
    for axes in figure.axes:
        # The solver of the layout leaves last bits to chance, and the SVG names what it clips after all of them.
        left, bottom, width, height = (round(bound, 6) for bound in axes.get_position().bounds)
        axes.set_position((left, bottom, width, height))
        for labels in [labels for labels in axes.containers if isinstance(labels, LineLabels)]:
            labels.keep_apart(axes)
    lacking = f"{LEFT_OUT}: {'; '.join(dict.fromkeys(left_out))}." if left_out else None
    if lacking:
        print(lacking)
    paths = {}
    for kind, metadata in _METADATA.items():
        if kind == "svg":
            metadata = metadata | {"Description": lacking}
        paths[kind] = folder / f"{name}.{kind}"
        with write_atomically(paths[kind], fingerprint=True) as temporary:
            figure.savefig(temporary, format=kind, metadata=metadata)
    plt.close(figure)
    return Saved(**paths)


def absent(wanted: Iterable[str], there: Iterable[str], of: str = "") -> list[str]:
    """Names that a figure would show and that a run does not have, in the words of the line that says so.

    Args:
        wanted: Names that the figure would show.
        there: Names that the run has.
        of: What the names are missing from, such as `cycles`.
    """
    had = set(there)
    return [f"{name} ({of})" if of else name for name in wanted if name not in had]


def rows_with(table: pd.DataFrame, **levels: Any) -> pd.DataFrame:
    """Rows whose index has these values in these levels, which are dropped; no rows where none has.

    Args:
        table: Table with an index of several levels.
        **levels: Value of each level.
    """
    chosen = np.logical_and.reduce([table.index.get_level_values(name) == value for name, value in levels.items()])
    return table[chosen].droplevel(list(levels))


def leave_empty(axes: Axes, text: str, title: str = "") -> None:
    """Say in a panel why there is nothing to draw."""
    axes.set_axis_off()
    axes.set_title(title)
    axes.annotate(text, (0.5, 0.5), xycoords="axes fraction", ha="center", va="center", fontsize=7)


def prediction(axes: Axes, x: ArrayLike, y: ArrayLike, **line: Any) -> Line2D:
    """Draw what theory says: a thin line, near black, under everything that was measured.

    Args:
        axes: Where to draw.
        x: Abscissae.
        y: The predicted values.
        **line: Handed to `Axes.plot`.
    """
    (drawn,) = axes.plot(x, y, **{"color": INK, "linewidth": 0.8, "zorder": 2, **line})
    return drawn


def measured(
    axes: Axes, x: ArrayLike, y: ArrayLike, low: ArrayLike, high: ArrayLike, *, method: str, **points: Any
) -> ErrorbarContainer:
    """Draw what was measured: points in the method's colour and marker, each with its interval.

    Args:
        axes: Where to draw.
        x: Abscissae.
        y: The values measured.
        low: Lower ends of their intervals.
        high: Upper ends of their intervals.
        method: Whose colour and marker the points get.
        **points: Handed to `Axes.errorbar`.
    """
    middle, bottom, top = (np.asarray(values, dtype=float) for values in (y, low, high))
    appearance: dict[str, Any] = {
        "color": COLOURS[method],
        "fmt": MARKERS[method],
        "markeredgecolor": PAPER,
        "markeredgewidth": 0.3,
        "elinewidth": 0.8,
        "zorder": 3,
    }
    spread = np.maximum([middle - bottom, top - middle], 0)
    return axes.errorbar(x, middle, yerr=spread, **(appearance | points))


def label_line_ends(axes: Axes, lines: Mapping[str, Line2D]) -> list[Annotation]:
    """Label several lines at their ends; `save` moves the labels up and down as far as it takes to keep them apart.

    Args:
        axes: The axes that hold the lines.
        lines: Each line by its label; one without a point is passed over.

    Returns:
        The labels, in the order of `lines`.
    """
    lines = {text: line for text, line in lines.items() if np.isfinite(line.get_xydata()).all(axis=1).any()}
    labels = [label_line_end(axes, line, text) for text, line in lines.items()]
    if labels:
        axes.add_container(LineLabels(labels))
    return labels


def label_line_end(axes: Axes, line: Line2D, text: str, *, rise: float = 0, **annotation: Any) -> Annotation:
    """Write `text` to the right of the last point of `line`, in the colour of the line.

    Args:
        axes: The axes that hold `line`.
        line: A line that is already drawn; points that are not finite are passed over.
        text: The label.
        rise: How far the label is moved up, in points, where two labels would meet.
        **annotation: Handed to `Axes.annotate`.
    """
    appearance: dict[str, Any] = {"color": line.get_color(), "fontsize": 7, "verticalalignment": "center"}
    return axes.annotate(
        text, _last_point(line), xytext=(3, rise), textcoords="offset points", **(appearance | annotation)
    )


def _unscale_what_is_empty(figure: Figure) -> None:
    """Make logarithmic axes linear that have nothing to show, as where all runs have diverged: they have no ticks."""
    for axes in figure.axes:
        if axes.get_xscale() == "log" and not np.isfinite(axes.dataLim.minposx):
            axes.set_xscale("linear")
        if axes.get_yscale() == "log" and not np.isfinite(axes.dataLim.minposy):
            axes.set_yscale("linear")


def _lay_out(figure: Figure) -> None:
    """Give every axes of a figure its place, once: matplotlib's own switch would do it for every file that is saved."""
    ConstrainedLayoutEngine(w_pad=0.08).execute(figure)


def _last_point(line: Line2D) -> tuple[float, float]:
    """The last point of a line whose coordinates are both finite."""
    points = np.asarray(line.get_xydata(), dtype=float)
    x, y = points[np.isfinite(points).all(axis=1)][-1]
    return float(x), float(y)
