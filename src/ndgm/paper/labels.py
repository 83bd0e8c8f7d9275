"""Labels at the ends of lines, which keep apart."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import Container
from matplotlib.text import Annotation

APART = 7.5
"""The least distance between neighbouring labels, in points."""


class LineLabels(Container):
    """Annotations at the ends of several lines of a panel, among the containers of its axes."""

    def keep_apart(self, axes: Axes) -> None:
        """Move the labels up and down until they are `APART`, in the order of the lines' ends and as near as can be.

        That is isotonic regression on the slack: of means over intervals, the largest of the smallest. SciPy's takes as
        long to load as a small figure to draw.

        Args:
            axes: Axes that hold the labels, where they will stay.

        Source: Barlow, Bartholomew, Bremner and Brunk (1972), Statistical inference under order restrictions.
        """
        labels: tuple[Annotation, ...] = self
        ends = axes.transData.transform(np.array([label.xy for label in labels]))
        heights = ends[:, 1] * 72 / axes.figure.dpi
        order = np.argsort(heights, kind="stable")
        slots = np.arange(len(labels)) * APART
        slack = heights[order] - slots
        for place, number in enumerate(order):
            until = range(place + 1, len(labels) + 1)
            moved = max(min(slack[first:last].mean() for last in until) for first in range(place + 1))
            labels[number].xyann = (3, round(float(moved + slots[place] - heights[number]), 2))
