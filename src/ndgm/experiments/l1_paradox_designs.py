"""The subgradient method on random designs of many families and on real ones, beside the law of the rounded LASSO."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike

from ndgm.data import regression
from ndgm.data.kinds import Regression
from ndgm.engine.methods import METHODS, HeavyBall
from ndgm.engine.objectives.lasso import LassoDesigns
from ndgm.engine.pruning import USUAL_THRESHOLDS
from ndgm.engine.stationary import TimeMeans, until_stationary
from ndgm.experiments.ensembles import column, start_directions
from ndgm.experiments.grids import grid, log_spaced
from ndgm.experiments.input_faults import faults_of
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.store.files import InputError
from ndgm.store.provenance import generator
from ndgm.theory.l1_paradox import hovering_l1_norm
from ndgm.theory.lasso import LassoSolution, Quadratic, solve_lasso
from ndgm.theory.phase_locking import phase_discrepancy
from ndgm.theory.rounded_lasso import (
    in_strip,
    mean_l1_norm,
    mean_weights,
    relaxation_steps,
    rounded_turning_point,
    second_order_l1_norm,
)

DESIGN_ELEMENTS = 100_000
"""Numbers at most that a step of one ensemble reads of its designs, unless one has more: so many stay in the cache."""


class Designs(NamedTuple):
    """Some designs of one place in the config that are run together, and their exact solutions at all penalties.

    Attributes:
        place: Key of the family or of the case, with which faults of a design begin.
        first: Number of the first design, from which the others count on.
        penalties_over_max: λ/λ_max, shape (p,).
        samples: Design and target of each.
        problems: What each minimises, without the penalty.
        exact: Solutions of each at all penalties.
    """

    place: str
    first: int
    penalties_over_max: np.ndarray
    samples: list[Regression]
    problems: list[Quadratic]
    exact: list[LassoSolution]

    @property
    def name(self) -> str:
        """Name of the family or of the case."""
        return self.place.rpartition(".")[2]

    def problem(self, seed: int) -> Quadratic:
        """What the design of a number minimises."""
        return self.problems[seed - self.first]

    def where(self, seed: int) -> str:
        """What a fault of the design of a number begins with."""
        return f"{self.place}: design {seed}"


def designs(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Every family and every case of one design, at every step and penalty: what is measured beside what is predicted.

    Predictions are made before the run.

    Raises:
        InputError: if a case has the name of a family, or as `drawn`.
    """
    if twice := set(settings["families"]) & set(settings["cases"]):
        raise InputError(f"l1_paradox.designs.cases: {', '.join(sorted(twice))} is the name of a family, too")
    penalties = settings["penalties_over_max"]
    random = (part for family in settings["families"] for part in drawn(settings, family, penalties))
    single = (
        solved(f"samples.l1_paradox.{case}", 0, [inputs.samples["l1_paradox"][case]], penalties)
        for case in settings["cases"]
    )
    tables = [ensemble(settings, part).assign(single_case=False) for part in random]
    tables += [ensemble(settings, part).assign(single_case=True) for part in single]
    return numbered_table(settings, tables)


def turns(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Some families at many penalties around the one where the law's norm is smallest, which is computed before.

    Raises:
        InputError: as `drawn`, or if the law's norm of a design has no minimum.
    """
    penalties = log_spaced(**settings["penalties_over_max"])
    parts = (part for family in settings["turning"] for part in drawn(settings, family, penalties))
    return numbered_table(settings, [around_the_turn(settings, part).assign(single_case=False) for part in parts])


def around_the_turn(settings: Settings, part: Designs) -> pd.DataFrame:
    """Rows of some designs, with the penalty at which the law's norm is smallest."""
    table = ensemble(settings, part)
    turn = {
        (step, seed): turning_point(part, seed, step)
        for step in settings["step_sizes_times_lipschitz"]
        for seed in table["seed"].unique()
    }
    cells = zip(table["step_size_times_lipschitz"], table["seed"], strict=True)
    return table.assign(law_turning_point_over_max=[turn[cell] for cell in cells])


def turning_point(part: Designs, seed: int, step: float) -> float:
    """Penalty over λ_max at which the law's norm of one design is smallest, at a step in units of 1/L.

    Raises:
        InputError: naming the design, if there is no such penalty, or a solution on the way cannot be certified.
    """
    problem = part.problem(seed)
    with faults_of(part.where(seed)):
        try:
            return rounded_turning_point(problem, step / problem.lipschitz) / problem.penalty_max
        except ValueError as fault:
            raise InputError(f"at a step of {step:g}/L there is {fault}") from fault


def drawn(settings: Settings, family: str, penalties: ArrayLike) -> Iterator[Designs]:
    """Designs of a family in parts that are run together, each with a response of its own.

    Raises:
        InputError: naming the family, if there are no such designs, or a solution of one cannot be certified.
    """
    place, source = f"l1_paradox.designs.families.{family}", settings["families"][family]
    options = {name: value for name, value in source.items() if name != "source"}
    make = getattr(regression, source["source"])
    size = max(DESIGN_ELEMENTS // (min(source["samples"], source["features"]) * source["features"]), 1)
    for first in range(0, settings["seeds"], size):
        seeds = range(first, min(first + size, settings["seeds"]))
        # Of one name, so that both experiments see the same designs.
        draws = [generator(settings["root_seed"], "l1_paradox_designs", family, seed) for seed in seeds]
        with faults_of(place):
            samples = [make(rng, **options) for rng in draws]
        yield solved(place, first, samples, penalties)


def solved(place: str, first: int, samples: list[Regression], penalties: ArrayLike) -> Designs:
    """Designs with their exact solutions.

    Raises:
        InputError: naming place and number of a design of which a solution cannot be certified.
    """
    penalties_over_max = np.asarray(penalties, dtype=np.float64)
    problems = [Quadratic.from_data(*each) for each in samples]
    exact = []
    for seed, each in enumerate(problems, first):
        with faults_of(f"{place}: design {seed}"):
            exact.append(solve_lasso(each, penalties_over_max * each.penalty_max))
    return Designs(place, first, penalties_over_max, samples, problems, exact)


def ensemble(settings: Settings, part: Designs) -> pd.DataFrame:
    """Rows of some designs at every step and penalty, run together."""
    of_steps = [rows_at(part, step, "subgradient") for step in settings["step_sizes_times_lipschitz"]]
    predicted = [predictions(part, rows, settings["most_steps"]) for rows in of_steps]
    # The runs of a design lie together there, and come back in the order of steps.
    rows = pd.concat(of_steps, ignore_index=True).sort_values("seed", kind="stable")
    floor = pd.concat([table["law_strip_l1_norm"] for _, table in predicted], ignore_index=True)[rows.index]
    found = run(settings, part, rows, "subgradient", rows["step_size"] * rows["penalty"], floor)
    back = torch.tensor(np.argsort(rows.index))
    tables = []
    for number, (at_step, (means, table)) in enumerate(zip(of_steps, predicted, strict=True)):
        here = back[number * len(at_step) : (number + 1) * len(at_step)]
        measured = measurements(part, at_step, means, TimeMeans(*(each[here] for each in vars(found).values())))
        tables.append(pd.concat([at_step, table, measured], axis=1))
    return pd.concat(tables, ignore_index=True)


def rows_at(part: Designs, step: float, method: str) -> pd.DataFrame:
    """Factors of the runs of some designs under one method, at one step and all penalties.

    A step of a method that divides by the size of the gradient is as long as the subgradient method's at λ_max. In the
    long run the heavy-ball method moves by η/(1 − β): that is what is as long as the subgradient method's step.
    """
    rows = grid(
        method=[method],
        step_size_times_lipschitz=[step],
        seed=range(part.first, part.first + len(part.problems)),
        penalty_over_max=part.penalties_over_max,
    ).drop(columns="run")
    lipschitz, largest = np.array([(each.lipschitz, each.penalty_max) for each in part.problems]).T
    step_size, this = step / lipschitz, METHODS[method]
    if this.normalises:
        step_size = step_size * largest
    elif isinstance(this, HeavyBall):
        step_size = step_size * (1 - this.momentum)
    rows["step_size"] = step_size[rows["seed"] - part.first]
    rows["penalty"] = np.concatenate([solution.penalty for solution in part.exact])
    rows["design"] = part.name
    return rows


def predictions(part: Designs, rows: pd.DataFrame, most_steps: int) -> tuple[np.ndarray, pd.DataFrame]:
    """The law's means, shape (runs, d), and what the law and the floor formula say of each run, before it.

    A drift that takes longer than the longest run, `most_steps`, is too slow to be seen in one.
    """
    means, found = [], []
    starts = (weights for solution in part.exact for weights in solution.weights)
    cells = rows[["seed", "penalty", "step_size"]].itertuples(index=False)
    for (seed, penalty, step_size), start in zip(cells, starts, strict=True):
        problem = part.problem(seed)
        with faults_of(part.where(seed)):
            means.append(mean_weights(problem, penalty, step_size, start))
        found.append(
            {
                "dimension": problem.dimension,
                "strip": int(in_strip(means[-1], penalty, step_size).sum()),
                "means_relax": relaxation_steps(problem, means[-1], penalty, step_size) <= most_steps,
                "law_l1_norm": mean_l1_norm(means[-1], penalty, step_size),
                "law_second_order_l1_norm": second_order_l1_norm(problem, means[-1], penalty, step_size),
            }
        )
    table, m = pd.DataFrame(found), np.stack(means)
    step_sizes = rows.groupby("seed")["step_size"].first()
    floors = [hovering_l1_norm(*each) for each in zip(part.problems, part.exact, step_sizes, strict=True)]
    table["floor_formula_l1_norm"] = np.concatenate(floors)
    table["exact_l1_norm"] = np.concatenate([np.abs(solution.weights).sum(1) for solution in part.exact])
    beyond = np.abs(m) * ~_in_strip(m, rows)
    table["law_strip_l1_norm"] = table["law_second_order_l1_norm"] - beyond.sum(1)
    curvature = np.stack([np.diag(part.problem(seed).A) for seed in rows["seed"]])
    discrepancy = phase_discrepancy(curvature, m, rows["penalty"], rows["step_size"])
    table["phase_discrepancy"], table["net_phase_discrepancy"] = discrepancy
    return m, table


def started(
    settings: Settings, part: Designs, rows: pd.DataFrame, length: pd.Series
) -> tuple[LassoDesigns, torch.Tensor, torch.Tensor]:
    """What runs minimise, where they start, within some steps of the exact solutions, and their steps; on the device.

    Args:
        settings: The device, the root seed and the number of seeds.
        part: The designs.
        rows: A row for each run, in blocks of one design, in each of them all penalties, once or at several steps.
        length: How far a step moves a weight that hovers, of each run.

    Returns:
        The objective, starts of shape (runs, d), and step sizes of shape (runs, 1).
    """
    arrays, device = zip(*part.samples, strict=True), settings["device"]
    design, target = (torch.tensor(np.stack(array), device=device) for array in arrays)
    step_size, penalty, unit = (
        column(rows.assign(unit=length), name, device) for name in ("step_size", "penalty", "unit")
    )
    steps = len(rows) // sum(len(solution.weights) for solution in part.exact)
    exact = np.concatenate([np.tile(solution.weights, (steps, 1)) for solution in part.exact])
    dimension = exact.shape[1]
    gaussian = start_directions(settings["root_seed"], settings["seeds"], dimension) * np.sqrt(dimension)
    start = torch.tensor(exact, device=device) + unit * torch.tensor(gaussian[rows["seed"]], device=device)
    return LassoDesigns(design, target, penalty), start, step_size


def run(
    settings: Settings,
    part: Designs,
    rows: pd.DataFrame,
    method: str,
    length: pd.Series,
    floor: pd.Series | None = None,
) -> TimeMeans:
    """Run a method from within some steps of the exact solutions until its means are stationary.

    Runs are on the device, and what is found is on the processor.

    Args:
        settings: When it is stationary, and the device.
        part: The designs.
        rows: A row for each run, as `started` takes them.
        method: A name in `METHODS`.
        length: How far a step moves a weight that hovers, of each run.
        floor: Norm that weights on the strip keep by the law, beside which a drift is small too; 0 where none is there.
    """
    tolerances = {name: settings[name] for name in ("first_steps", "most_steps", "norm_tolerance", "weight_tolerance")}
    if floor is not None:
        hovering = rows.assign(floor=floor.where(floor > 0, np.inf))
        tolerances["floor"] = column(hovering, "floor", settings["device"]).squeeze(1)
        tolerances["floor_tolerance"] = settings["floor_tolerance"]
    objective, start, step_size = started(settings, part, rows, length)
    found = until_stationary(
        objective,
        METHODS[method],
        start,
        step_size,
        column(rows.assign(unit=length), "unit", settings["device"]),
        **tolerances,
    )
    return TimeMeans(*(each.cpu() for each in vars(found).values()))


def measurements(part: Designs, rows: pd.DataFrame, means: np.ndarray, found: TimeMeans) -> pd.DataFrame:
    """What is measured of each run: norms, how far each weight's mean is from the law's, and the supports found."""
    width = _width(rows)
    mean, modulus, last = found.mean.numpy(), found.modulus.numpy(), found.last.numpy()
    zero = np.concatenate([solution.weights for solution in part.exact]) == 0
    off, inside = np.abs(mean - means) / width, _in_strip(means, rows)
    taken_for_zero = {"wrong_by_strip": _in_strip(mean, rows)} | {
        f"wrong_below_{name}": np.abs(last) < threshold for name, threshold in USUAL_THRESHOLDS.items()
    }
    return pd.DataFrame(
        {
            "mean_l1_norm": modulus.sum(1),
            "strip_l1_norm": (modulus * inside).sum(1),
            "strip_mean_error": np.ma.median(np.ma.array(off, mask=~inside), axis=1).filled(0.0),
            "largest_mean_error": off.max(1),
            "exact_zeros": zero.sum(1),
            **{name: (taken != zero).sum(1) for name, taken in taken_for_zero.items()},
            "step": found.steps.numpy(),
            "stationary": found.stationary.numpy(),
            "stopped_because": np.where(np.isfinite(modulus).all(1), "finished", "diverged"),
        }
    )


def _width(rows: pd.DataFrame) -> np.ndarray:
    """Length ηλ of each run's step, shape (runs, 1)."""
    return (rows["step_size"] * rows["penalty"]).to_numpy()[:, np.newaxis]


def _in_strip(means: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
    """Whether means of weights lie in the strip of their run, shape (runs, d)."""
    return in_strip(means, *(rows[name].to_numpy()[:, np.newaxis] for name in ("penalty", "step_size")))


def numbered_table(settings: Settings, tables: list[pd.DataFrame]) -> pd.DataFrame:
    """One table with the columns that every run table begins with."""
    table = pd.concat(tables, ignore_index=True)
    head = {"experiment": settings["experiment"], "run": range(len(table)), "design": table.pop("design")}
    return pd.concat([pd.DataFrame(head), table], axis=1)
