"""Change one thing in the config and ask again: every figure, every claim and the paper, or a line, never a traceback.

`make test` tries the cases that were found to break, and some of the others. All of them, drawn to the last pixel, take
forty minutes on two cores: `NDGM_EVERY_CONFIG=1 pytest tests/pipeline/test_change_one_thing.py`.
"""

import json
import os
import random
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from unittest import mock
from zlib import crc32

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from changed_configs import MORE, Config, at, configs, is_valid, many_changes, one_change, with_only
from copies import HISTORY, ROOT
from cut_runs import cut, factors_of
from drawn_from_cuts import CutRuns, diverged
from matplotlib.figure import Figure

from ndgm.data.kinds import Samples
from ndgm.decide.claim import CLAIMS
from ndgm.experiments.ensembles import sweep
from ndgm.experiments.inputs import Found, Inputs, read_inputs
from ndgm.experiments.weight_initialization_convolutions import convolutions
from ndgm.groups import GROUPS, Experiment, Job
from ndgm.paper import drawing
from ndgm.paper.manuscript import Manuscript
from ndgm.paper.typesetting import document_html, document_pdf
from ndgm.pipeline.jobs import DOCUMENTS, FIGURES, JOBS, figures, parts, samples, settings
from ndgm.pipeline.settings import load, merged
from ndgm.store.files import write_json

EVERY = bool(os.environ.get("NDGM_EVERY_CONFIG"))
PARTS = 4 if EVERY else 1
"""How many tests share the figures and claims, for as many workers."""
SMOKE = load("smoke", ROOT / "config")
FULL = load("full", ROOT / "config")
CONVOLUTIONS = {"data": {"cifar10": {"epochs": 3}}, "channels": [2, 3], "batch_size": 5, "seeds": 2}
PICTURED = merged(
    SMOKE,
    {
        "samples": {"weight_initialization": {"cifar10": FULL["samples"]["weight_initialization"]["cifar10"]}},
        "weight_initialization": {"convolutions": FULL["weight_initialization"]["convolutions"] | CONVOLUTIONS},
    },
)
"""The smoke scale with the one experiment that wants pictures of its own, in small."""


def alone(key: str, *values: object, config: Config = SMOKE) -> Config:
    """The smoke scale, or another config, with just these values of a list, a grid or an open mapping."""
    return with_only(config, tuple(key.split(".")), list(values))


def without(key: str, *values: object) -> Config:
    """The smoke scale without these values of a list or an open mapping."""
    return alone(key, *(value for value in at(SMOKE, tuple(key.split("."))) if value not in values))


def one_design(name: str) -> Config:
    """The smoke scale with just this design, also where experiments name designs."""
    config = alone("samples.l1_paradox", name)
    for key in ("l1_paradox.seen_kink.designs", "l1_paradox.designs.cases"):
        config = with_only(config, tuple(key.split(".")), [name])
    return config


FOUND = {
    "one design left": one_design("correlated"),
    "another design left": one_design("diabetes"),
    "no subgradient method": without("l1_paradox.lasso.methods", "subgradient"),
    "one more table of two": alone(
        "samples.edge_of_stability_logistic", *SMOKE["samples"]["edge_of_stability_logistic"], "another_table"
    ),
    "one function": alone("edge_of_stability.cycles.functions", "pseudo_huber"),
    "no even function": alone("edge_of_stability.cycles.functions", "linex"),
    "no long memory": without("adaptive.lasso.methods", "rmsprop_0.999"),
    "digits alone": alone("convergence.networks.data", "digits"),
    "no problem that can be fitted": without("convergence.networks.data.digits.problems", "interpolated"),
    "no pair of activations": alone("convergence.networks.activations", "gelu"),
    "steps below the threshold": alone("edge_of_stability.cycles.step_sizes_over_threshold", 0.5),
    "logistic steps below the threshold": alone("edge_of_stability.logistic.step_sizes_over_threshold", 0.8),
    "one step so long that the loss is gone": alone("edge_of_stability.separable.step_sizes_over_threshold", 64),
    "no method with momentum": alone("adaptive.cycles.methods", "rmsprop_0.9"),
    "no subgradient method on networks": alone("l1_paradox.networks.sweeps.minibatch.methods", "adam"),
    "no kink on the dial": alone("convergence.kink_dial.kinks", 0.0),
    "a method that no curve is drawn of": alone("l1_paradox.lasso.methods", "sign"),
    "an archive of pictures": PICTURED,
    "one variance of convolutions": alone(
        "weight_initialization.convolutions.initializations", "glorot", config=PICTURED
    ),
}
"""What once ended in a traceback."""


@pytest.fixture(scope="module", autouse=True)
def in_the_repository() -> Iterator[None]:
    """Scales are looked for in `config/`."""
    before = Path.cwd()
    os.chdir(ROOT)
    yield
    os.chdir(before)


@pytest.fixture(scope="module")
def runs(smoke_run: Path, tmp_path_factory: pytest.TempPathFactory) -> CutRuns:
    """Results of other configs, cut out of those of the smoke scale."""
    return with_pictures(CutRuns(smoke_run / "results/smoke", tmp_path_factory.mktemp("cut")))


def with_pictures(runs: CutRuns) -> CutRuns:
    """A finished run, with the table that it would have if its config were `PICTURED`, from made-up pictures."""
    draw = np.random.default_rng(1)
    pictures = Samples(draw.standard_normal((20, 3 * 32**2)), np.eye(10)[draw.integers(10, size=20)])
    job = JOBS["train_weight_initialization_convolutions"]
    (told,) = settings(job, PICTURED, "cifar10")
    plan = convolutions(told, Inputs({"weight_initialization": {"cifar10": pictures}}))
    trained = sweep(plan.ensembles(told["ensemble_size"]), plan.build, runs.folder / "trained")
    runs.whole[told["experiment"]] = trained.table
    return runs


@pytest.fixture
def in_outline() -> Iterator[None]:
    """Figures whose parts get no place and no pixels, which is what takes long.

    All axes are asked for their ticks, as they are when parts get their place: a logarithmic one without data has none.
    """

    def no_pixels(self: object, path: Path, **options: object) -> None:
        Path(path).touch()

    def no_places(figure: Figure) -> None:
        for axes in figure.axes:
            if axes.axison:
                axes.xaxis.get_majorticklocs(), axes.yaxis.get_majorticklocs()

    if EVERY:
        yield
        return
    with mock.patch.object(Figure, "savefig", no_pixels), mock.patch.object(drawing, "_lay_out", no_places):
        yield


def some() -> list[tuple[str, Config]]:
    """The configs that are tried: those that were found to break, and all the others or some of them."""
    found = list(FOUND.items())
    if EVERY:
        return [*found, *configs()]
    others = [*one_change(SMOKE), *many_changes(SMOKE, 100, seed=1)]
    drawn = ((name, changed()) for name, changed in random.Random(2).sample(others, 12))
    return [*found, *(each for each in drawn if is_valid(each[1]))]


@pytest.mark.parametrize("config", FOUND.values(), ids=FOUND)
def test_what_was_found_to_break_is_a_valid_config(config: Config) -> None:
    """Else these cases would hold nothing."""
    assert is_valid(config)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("part", range(PARTS))
def test_every_figure_and_claim_on_what_a_config_leaves(runs: CutRuns, in_outline: None, part: int) -> None:
    """Each pair of a figure or a claim and the tables that it reads, once."""
    seen, broken = set(), []
    for name, config in some():
        for case, files in runs.cases(config):
            if crc32(case.encode()) % PARTS != part or (case, files) in seen:
                continue
            seen.add((case, files))
            try:
                if case in FIGURES:
                    runs.draw(case, config, runs.folder / "drawn")
                else:
                    runs.decide(case, config)
            except Exception as fault:  # whatever it is, a reader would see its traceback
                broken.append(f"{name}: {case}: {type(fault).__name__}: {fault}")
    assert len(seen) > (len(FIGURES) + len(CLAIMS)) / PARTS
    assert not broken, "\n".join(broken)


@pytest.mark.filterwarnings("ignore")  # NumPy says that there is nothing to draw where notebooks leave it out
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_every_figure_and_claim_where_all_runs_have_diverged(
    smoke_run: Path, tmp_path: Path, in_outline: None, value: float
) -> None:
    """A step that is far too long is a valid setting."""
    runs = with_pictures(CutRuns(smoke_run / "results/smoke", tmp_path))
    can_diverge = {name for name, table in runs.whole.items() if "stopped_because" in table}
    for name in can_diverge:
        runs.whole[name] = diverged(runs.whole[name], value)
    for name in FIGURES:
        runs.draw(name, PICTURED, tmp_path / "drawn")
    read = [name for name, claim in CLAIMS.items() if can_diverge & set(claim.experiments)]
    assert {runs.decide(name, PICTURED)["verdict"] for name in read} == {"inconclusive"} and len(read) > len(CLAIMS) / 2


CUT_FIGURES = {name for name, figure in FIGURES.items() if "l1_paradox_lasso" in figure.tables}
"""Figures of the paper that are drawn without a subgradient method, and say so."""


@pytest.mark.parametrize("number", range(10 if EVERY else 1))
def test_the_documents(runs: CutRuns, tmp_path: Path, smoke_run: Path, number: int) -> None:
    """They say what they can, with a line under each figure that lacks something."""
    seeds = iter(range(number, 1000, 10))
    drawn_configs = (changed() for seed in seeds for _, changed in many_changes(SMOKE, 1, seed))
    config = next(each for each in drawn_configs if is_valid(each) and runs.has_all(each))
    drawn = tmp_path / "figures"
    drawn.mkdir()
    for name in CUT_FIGURES:
        runs.draw(name, FOUND["no subgradient method"], tmp_path)
    for name in {*figures(config)} - CUT_FIGURES:
        for kind in ("svg", "pdf"):
            (drawn / f"{name}.{kind}").symlink_to(smoke_run / f"results/smoke/figures/{name}.{kind}")
    decided = {name: runs.decide(name, config) for name in CLAIMS}
    for group in GROUPS:
        own = [entry for name, entry in decided.items() if entry and CLAIMS[name].group == group.name]
        write_json(tmp_path / f"{group.name}.json", [entry | {"section": group.section} for entry in own])
    lacking = set()
    for document, shown in DOCUMENTS.items():
        told = json.loads(json.dumps(config))
        claims = [tmp_path / f"{group.name}.json" for group in GROUPS if group.document == document]
        manuscript = Manuscript(claims, told, drawn, ROOT / "workflow/report", HISTORY)
        text = manuscript.fill(ROOT / f"paper/{document}.md")
        ingredients = (ROOT / "paper/templates", ROOT / "paper/references.bib", drawn)
        page = BeautifulSoup(document_html(text, *ingredients), "html.parser")
        captions = {
            name: page.find(id=f"fig-{name}").get_text(" ") for name in shown if (drawn / f"{name}.svg").exists()
        }
        here = {name for name in captions if drawing.LEFT_OUT in (drawn / f"{name}.svg").read_text(encoding="utf-8")}
        assert {name for name, caption in captions.items() if drawing.LEFT_OUT in caption} == here
        assert document_pdf(text, *ingredients).startswith(b"%PDF")
        lacking |= here
    assert lacking >= CUT_FIGURES and len(CUT_FIGURES) == 2


def test_a_drawing_says_what_it_lacks_and_so_does_the_caption(runs: CutRuns, smoke_run: Path) -> None:
    """The notebook prints the line; the caption takes it from the SVG."""
    results = runs.folder / "lacking"
    runs.draw("l1_paradox_norm", FOUND["no subgradient method"], results)
    captions = ROOT / "workflow/report"
    claims = smoke_run / "results/smoke/claims/l1_paradox.json"
    manuscript = Manuscript([claims], SMOKE, results / "figures", captions, HISTORY)
    line = f"{drawing.LEFT_OUT}: subgradient."
    assert manuscript.caption("l1_paradox_norm").endswith(f"{line}\n")
    assert line in manuscript.figure("l1_paradox_norm")
    runs.draw("l1_paradox_norm", SMOKE, results)
    assert drawing.LEFT_OUT not in manuscript.caption("l1_paradox_norm")


def own_names(config: Config) -> bool:
    """Whether a config names nothing that the smoke scale does not have."""
    return not any(
        str(value) in json.dumps(config) for values in MORE.values() for value in values if "another" in value
    )


@cache
def of_own_names(seed: int) -> Config:
    """The first of many changed configs that is valid and names nothing new; no test changes it."""
    drawn = (changed() for _, changed in many_changes(SMOKE, 30, seed))
    return next(each for each in drawn if own_names(each) and is_valid(each))


TRAINED = [job for job in JOBS.values() if job.trains and parts(job, SMOKE)]
PLANNED = [(job, experiment) for job in TRAINED for experiment in job.experiments]


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize(("job", "experiment"), PLANNED, ids=[each.table for _, each in PLANNED])
def test_a_cut_has_the_runs_that_the_experiment_plans(
    runs: CutRuns, smoke_run: Path, job: Job, experiment: Experiment, seed: int
) -> None:
    """The factors of the runs are those of the rows, no more and no fewer."""
    config = of_own_names(seed)
    _, table = runs.table(experiment.table, config)
    columns = sorted({factor.column for factor in factors_of(experiment.table, config)} & set(table))
    planned = pd.concat([planned_runs(runs, smoke_run, job, experiment, config, part) for part in parts(job, config)])
    assert rows_of(planned, columns) == rows_of(table, columns)


def planned_runs(
    runs: CutRuns, smoke_run: Path, job: Job, experiment: Experiment, config: Config, part: str
) -> pd.DataFrame:
    """Runs that an experiment would train, without training them."""
    module, _, name = experiment.function.partition(".")
    function: Callable = getattr(import_module(f"ndgm.experiments.{module}"), name)
    files = [smoke_run / f"results/smoke/data/{entry}.npz" for entry in samples(job, config, part)]
    inputs = read_inputs(files, [])
    if job.name == "train_convergence_networks":
        tuned = cut("convergence_tuning", runs.whole["convergence_tuning"], config)
        inputs.found["convergence_tuning"] = Found(tuned[tuned["design"] == part], {})
    if experiment.table == "spurious_minima_two":  # begins where these end, which decides none of the factors
        before = cut("spurious_minima_one", runs.whole["spurious_minima_one"], config)
        ends = before.drop_duplicates("run").set_index("run")["teacher_neurons"].map(lambda k: np.ones(k * (k + 1)))
        inputs.found["spurious_minima_one"] = Found(before, dict(ends))
    block = settings(job, config, part)[job.experiments.index(experiment)]
    planned = function(block, inputs).runs
    return planned if "design" in planned else planned.assign(design=part)


def rows_of(table: pd.DataFrame, columns: list[str]) -> set[tuple]:
    """Distinct rows, with numbers as they are printed."""
    printed = table[columns].astype(object).map(lambda value: f"{value:.9g}" if not isinstance(value, str) else value)
    return set(printed.itertuples(index=False, name=None))
