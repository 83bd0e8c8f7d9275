"""The loop: objective × method × ensemble of runs → trace."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ndgm.engine.capture import replayed
from ndgm.engine.methods import Method, State
from ndgm.engine.objectives.objective import Objective
from ndgm.engine.schedules import constant

# A proximal method has converged when a step moves no weight by more than this, relative to the largest weight.
CONVERGED = 1e-14


@dataclass(frozen=True)
class Schedule:
    """Which steps are recorded, and where averaging begins.

    Attributes:
        steps: Number of steps.
        recorded: Steps at which iterates are measured, ascending, 0 for the start; the last one is `steps`.
        average_from: Averages run over the iterates of steps `average_from` … `steps` − 1.
    """

    steps: int
    recorded: tuple[int, ...]
    average_from: int

    @classmethod
    def geometric(cls, steps: int, count: int) -> "Schedule":
        """Record at `count` steps from 1 to `steps`, evenly on a log scale; fewer where those fall together."""
        recorded = {round(steps ** (place / max(count - 1, 1))) for place in range(count)} | {steps}
        return cls(steps, tuple(sorted(recorded)), steps - max(steps // 4, 1))

    @classmethod
    def even(cls, steps: int, count: int) -> "Schedule":
        """Record the start and `count` steps evenly spaced up to `steps`; average over all steps."""
        return cls(steps, tuple(round(steps * place / count) for place in range(count + 1)), 0)

    @classmethod
    def halving(cls, steps: int, count: int) -> "Schedule":
        """Record at `steps` and at half of that, `count` times in all; average over the last quarter.

        The step at which averaging begins is recorded too, so that what averages leave out at the ends is known.
        """
        average_from = steps - max(steps // 4, 1)
        recorded = {steps >> power for power in range(count)} | {average_from}
        return cls(steps, tuple(sorted(recorded - {0})), average_from)


@dataclass
class Trace:
    """What an ensemble did.

    Attributes:
        step: Recorded steps, shape (rows,).
        measured: Quantities by name, shape (rows, runs); NaN after a run has stopped. Names that begin with `mean_`
            are averages over steps: NaN except at the last step, in runs that came there without diverging.
        stopped_because: `finished`, `converged` or `diverged`, shape (runs,).
        last_row: Index of each run's last row, shape (runs,).
        iterates: Where the runs were when the loop ended, shape (runs, d).
    """

    step: np.ndarray
    measured: dict[str, np.ndarray]
    stopped_because: np.ndarray
    last_row: np.ndarray
    iterates: np.ndarray


def descend(
    objective: Objective,
    method: Method,
    start: Tensor,
    step_size: Tensor,
    schedule: Schedule,
    advanced: Callable[[float], object] = float,
) -> Trace:
    """Run `method` on `objective` for a whole ensemble at once.

    A run diverges when its objective is no longer finite, and converges when it is proximal and stands still; both are
    looked for at recorded steps. A stopped run records nothing more; the loop ends when every run has stopped.
    Iterates lie in memory as `start` does. On a CUDA device steps are replayed, where the rule works in place.

    Args:
        objective: What is minimised, over the whole ensemble.
        method: How.
        start: First iterates, shape (runs, d).
        step_size: η of each run, shape (runs, 1).
        schedule: Number of steps, and which are recorded.
        advanced: Told how many runs' worth of steps are done or saved since it was told last, at each recorded step.
    """
    runs = len(start)
    w = start.clone()
    step = step_size.clone()
    state: State = {}
    gradient = objective.gradient if method.proximal or method.decoupled else objective.subgradient
    shrink = (objective.shrink,) if method.proximal else ()
    sums = {name: torch.zeros_like(w) for name in objective.averaged}
    # A proximal method comes to rest, so there is nothing to average.
    average_from = schedule.steps if method.proximal or not sums else schedule.average_from
    recorded = set(schedule.recorded)
    rows = [_on_cpu(objective.measure(w, w))] if 0 in recorded else []
    reason = np.full(runs, "", dtype=object)
    last_row = np.full(runs, -1)
    told = 0

    def advance(averaging: bool) -> None:
        nonlocal w, state
        g = gradient(w)
        q = (objective.penalty_subgradient(w),) if method.decoupled else ()
        if averaging:
            objective.accumulate(w, sum(q, g), sums)
        if method.polyak:
            step.copy_(_polyak(objective, w, g))
        w, state = method.rule(w, g, state, step, *shrink, *q)

    def memory() -> list:
        return [w, *state.values()]

    plain, averaging = (replayed(partial(advance, averaging), memory, w.device) for averaging in (False, True))
    for done in range(schedule.steps):
        recording = done + 1 in recorded
        if recording:
            before = state.get("iterate", w).clone()
        objective.draw()
        if method.schedule is not constant:
            torch.mul(step_size, method.schedule(done, schedule.steps), out=step)
        (averaging if done >= average_from else plain)()
        if not recording:
            continue

        iterate = state.get("iterate", w)
        measured = objective.measure(iterate, before)
        if done + 1 == schedule.steps and average_from < schedule.steps:
            measured |= objective.means(sums, schedule.steps - average_from)
        rows.append(_on_cpu(measured))
        running = reason == ""
        last_row[running] = len(rows) - 1
        reason[running & ~np.isfinite(rows[-1]["objective"])] = "diverged"
        if method.proximal:
            moved = (iterate - before).abs().amax(1) <= CONVERGED * iterate.abs().amax(1)
            reason[(reason == "") & moved.cpu().numpy()] = "converged"
        advanced(runs * (done + 1 - told) / schedule.steps)
        told = done + 1
        if (reason != "").all():
            break

    if told < schedule.steps:
        advanced(runs * (schedule.steps - told) / schedule.steps)
    reason[reason == ""] = "finished"
    names = [*rows[0], *objective.means(sums, 1)]
    measured = {name: np.stack([row.get(name, np.full(runs, np.nan)) for row in rows]) for name in dict.fromkeys(names)}
    after = np.arange(len(rows))[:, None] > last_row
    for name, values in measured.items():
        # Sums may still be finite where the objective, a square, no longer is.
        values[after | (reason == "diverged") if name.startswith("mean_") else after] = np.nan
    iterates = state.get("iterate", w).cpu().numpy()
    return Trace(np.array(schedule.recorded[: len(rows)]), measured, reason, last_row, iterates)


def _on_cpu(measured: dict[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: value.cpu().numpy() for name, value in measured.items()}


def _polyak(objective: Objective, w: Tensor, g: Tensor) -> Tensor:
    """Polyak's step (f(w) − inf f)/‖g‖² of each run, shape (runs, 1); zero where the gradient is."""
    above = objective.measure(w, w)["objective"] - objective.lowest
    return (above / g.square().sum(1)).nan_to_num(nan=0.0, posinf=0.0).clamp(min=0).unsqueeze(1)
