"""What a run leaves for its documents, made up: claims with chosen verdicts, and drawn figures."""

import json
import re
from functools import cache
from io import BytesIO
from pathlib import Path

import yaml

from ndgm.groups import GROUPS
from ndgm.pipeline.jobs import DOCUMENTS, figures
from ndgm.pipeline.settings import load

ROOT = Path(__file__).parents[3]
HISTORY = ROOT / "reference/rules.json"
SETTINGS = yaml.safe_load((ROOT / "config/laptop.yaml").read_text(encoding="utf-8"))
FULL = load("full", ROOT / "config")
"""Settings of a run that has all figures."""
SOURCES = {path.stem: path for path in sorted((ROOT / "paper").glob("*.md"))}
"""Texts of the documents."""
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES.values())
NAMES = sorted(set(re.findall(r'\b(?:claim|tag|outcome|decided|verdict)\(\s*"(\w+)"', TEXT)))
ROWS = re.findall(r'orbit\("([\w.]+)"', TEXT)
TABLE = {row: {"step": 2.5, "measured": 1.0123, "predicted": 1.0} for row in ROWS}
for row, column in re.findall(r'\.number\("([\w. ]+)", "(\w+)"\)', TEXT):
    TABLE.setdefault(row, {})[column] = 2.0
FIGURES = {
    document: sorted(set(re.findall(r'\bfigure\("(\w+)"\)', path.read_text(encoding="utf-8"))))
    for document, path in SOURCES.items()
}
"""Names of the figures that each document shows where the run has them."""


def placed(settings, document):
    """Figures of a run that have a place in its document; test_paper_source.py names those that have none."""
    return [name for name in figures(settings, document) if name in FIGURES[document]]


SHOWN = {document: placed(SETTINGS, document) for document in DOCUMENTS}
"""Those that each document shows of the run."""
# Longer names first: `convergence` is the beginning of `convergence_networks`.
NAMES_OF_GROUPS = sorted((group.name for group in GROUPS), key=len, reverse=True)


def claim(name, **changes):
    """An entry of `claims.json`."""
    return {
        "id": name,
        "group": next((group for group in NAMES_OF_GROUPS if name.startswith(group)), NAMES_OF_GROUPS[0]),
        "section": "4",
        "statement": r"The norm $\|w\|_1$ is at most $|\kappa|$.",
        "kind": "finding",
        "verdict": "supported",
        "gap": None,
        "measured": 1.01234,
        "reference": 1.0,
        "compared": "predicted",
        "interval": [1.0071, 1.0175],
        "unit": "1",
        "margin": 0.05,
        "test": "equivalence: within the margin in every cell",
        "p_value": 3e-5,
        "p_support": 1e-5,
        "p_refute": 1.0,
        "n": 20,
        "figure": FIGURES["paper"][0],
        "experiments": ["l1_paradox_lasso"],
        "cells": 480,
        "where": {"design": "diabetes", "penalty_over_max": 1.5},
        "table": TABLE,
        "in_pairs": False,
        "effect": None,
        "over_cells": None,
        "margins": None,
        "otherwise": None,
        "fragile": None,
    } | changes


def run(folder, **changes):
    """Write the claims of each document and every figure under `folder`; `changes` are made to all claims."""
    for name in ("claims", "figures"):
        (folder / name).mkdir(parents=True)
    entries = [claim(name, **changes) for name in NAMES]
    for document in DOCUMENTS:
        groups = [group.name for group in GROUPS if group.document == document]
        own = [entry for entry in entries if entry["group"] in groups]
        (folder / f"claims/{document}.json").write_text(json.dumps(own), encoding="utf-8")
    for name in sum(FIGURES.values(), []):
        for kind in ("svg", "pdf"):
            (folder / f"figures/{name}.{kind}").write_bytes(drawn(kind, 6.9 if name.endswith("norm") else 3.3))
    return folder


@cache
def drawn(kind, width):
    """A figure of a width in inches, as a file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 2))
    axes = figure.subplots()
    axes.plot([1, 2], [1, 3], marker="o")
    axes.set(xlabel=r"penalty $\lambda$", ylabel="norm")
    file = BytesIO()
    figure.savefig(file, format=kind, metadata={"Date" if kind == "svg" else "CreationDate": None})
    return file.getvalue()


def manuscript(folder, document, settings=SETTINGS):
    """A document on the run in `folder`."""
    from ndgm.paper.manuscript import Manuscript

    captions = ROOT / "workflow/report"
    return Manuscript([folder / f"claims/{document}.json"], settings, folder / "figures", captions, HISTORY)


def other_runs():
    """How other runs decided the claims of the reference, as `make claims` hands them over."""
    from ndgm.decide.root_seeds import read_root_seeds
    from ndgm.paper.other_runs import OtherRuns
    from ndgm.paper.rule_changes import read_rule_changes

    measured = json.loads((ROOT / "reference/deviations.json").read_text(encoding="utf-8"))
    seeds = read_root_seeds(ROOT / "reference/laptop/seeds.json").by_rules(read_rule_changes(HISTORY).digests)
    return OtherRuns(measured["verdicts"].get("laptop", {}), seeds)
