"""RMSProp on random designs: units, and what it keeps against a plain loop of the method."""

import numpy as np
import pytest

from ndgm.experiments.adaptive_designs import METHOD
from ndgm.experiments.l1_paradox_designs import drawn

TABLE = "adaptive_designs"


@pytest.fixture(scope="module")
def table(smoke):
    return smoke.experiment(TABLE)


def test_a_row_for_every_family_design_step_and_penalty(smoke, table):
    settings = smoke.settings(TABLE)
    cells = [settings[name] for name in ("chosen", "step_sizes_times_lipschitz", "penalties_over_max")]
    assert len(table) == settings["seeds"] * np.prod([len(values) for values in cells])
    assert (table["method"] == METHOD).all() and (table["stopped_because"] == "finished").all()
    # Above λ_max all weights hover, and below it not all do.
    assert ((table["hovering"] == table["dimension"]) == (table["penalty_over_max"] > 1)).all()


def test_norms_and_widths_are_those_of_a_plain_loop(smoke, table):
    settings = smoke.settings(TABLE)
    (part,) = drawn(settings, "gaussian", [3.0])
    rows = table[(table["design"] == "gaussian") & (table["penalty_over_max"] == 3.0)]
    row, problem = rows.set_index("seed").loc[0], part.problems[0]
    assert row["penalty"] == pytest.approx(3 * problem.penalty_max)
    assert row["step_size"] == pytest.approx(row["step_size_times_lipschitz"] / problem.lipschitz * problem.penalty_max)
    w, v = 3 * row["step_size"] * np.sin(1.0 + np.arange(problem.dimension)), np.zeros(problem.dimension)
    total, moduli, steps = np.zeros_like(w), 0.0, 16_000
    for step in range(steps):
        if step >= steps // 2:
            total, moduli = total + w, moduli + np.abs(w).sum()
        g = problem.A @ w - problem.b + row["penalty"] * np.sign(w)
        v = 0.999 * v + 0.001 * g**2
        w = w - row["step_size"] * g / (np.sqrt(v) + 1e-8)
    means, slopes = total / (steps // 2), (problem.b - problem.A @ (total / (steps // 2))) / row["penalty"]
    assert row["mean_l1_norm"] == pytest.approx(moduli / (steps // 2), rel=0.01)
    # Another start, so that phases stand elsewhere.
    width = (slopes / np.sqrt(1 - slopes**2) * means).sum() / (slopes**2 / (1 - slopes**2)).sum()
    assert row["kink_width"] == pytest.approx(width, rel=0.1)
