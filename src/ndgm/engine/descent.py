"""The loop: objective × method × ensemble of runs → trace."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ndgm.engine.capture import replayed
from ndgm.engine.method import Method
from ndgm.engine.objectives.objective import Averages, Averaging, Objective
from ndgm.engine.schedules import constant

# A run that comes to rest has converged when a step moves no weight by more than this, relative to the largest weight.
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

    A run diverges when its objective is no longer finite, and converges when its method comes to rest and it stands
    still; both are looked for at recorded steps. A stopped run records nothing more; the loop ends when every run has
    stopped. Iterates lie in memory as `start` does. On a CUDA device steps that work in place are replayed.

    Args:
        objective: What is minimised, over the whole ensemble.
        method: How.
        start: First iterates, shape (runs, d).
        step_size: η of each run, shape (runs, 1).
        schedule: Number of steps, and which are recorded.
        advanced: Called at each recorded step with the newly completed share, in whole runs.

    Raises:
        ValueError: if the objective lacks what the method asks for.

    Example:
        >>> from ndgm.engine.methods import METHODS
        >>> from ndgm.engine.objectives.scalar import ScalarLoss
        >>> start, step_size = torch.tensor([[1.0], [1.0]]), torch.tensor([[0.5], [0.125]])
        >>> trace = descend(ScalarLoss("huber"), METHODS["subgradient"], start, step_size, Schedule.even(4, 2))
        >>> trace.step
        array([0, 2, 4])
        >>> trace.measured["position"]  # a row for each recorded step, a column for each run
        array([[1.        , 1.        ],
               [0.25      , 0.765625  ],
               [0.0625    , 0.58618164]], dtype=float32)
    """
    if missing := objective.lacks(method.asks):
        names = " and ".join(missing)
        raise ValueError(f"{type(method).__name__} asks for {names}, which {type(objective).__name__} does not have")
    runs, steps = len(start), schedule.steps
    averages = Averages.zeros(objective.averaged, start)
    average_from = steps if method.rests or not objective.averaged else schedule.average_from
    rows = [_on_cpu(objective.measure(start, start))] if 0 in schedule.recorded else []
    reason, last_row = np.full(runs, "", dtype=object), np.full(runs, -1)
    completed = 0
    for step, before, iterate in _recorded_steps(objective, method, start, step_size, schedule, average_from, averages):
        measured = objective.measure(iterate, before)
        if step == steps and average_from < steps:
            measured |= objective.means(averages, steps - average_from)
        rows.append(_on_cpu(measured))
        last_row[reason == ""] = len(rows) - 1
        reason[(reason == "") & ~np.isfinite(rows[-1]["objective"])] = "diverged"
        if method.rests:
            moved = (iterate - before).abs().amax(1)
            reason[(reason == "") & (moved <= CONVERGED * iterate.abs().amax(1)).cpu().numpy()] = "converged"
        advanced(runs * (step - completed) / steps)
        completed = step
        if (reason != "").all():
            break
    if completed < steps:
        advanced(runs * (steps - completed) / steps)
    reason[reason == ""] = "finished"
    return _trace(schedule, rows, [*objective.means(averages, 1)], reason, last_row, iterate)


def _recorded_steps(
    objective: Objective,
    method: Method,
    start: Tensor,
    step_size: Tensor,
    schedule: Schedule,
    average_from: int,
    averages: Averages,
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Take all steps; after each recorded one, its number with the iterates before and after it."""
    w, step = start.clone(), step_size.clone()
    state = method.start(w)

    def take_step(asked: Objective) -> None:
        nonlocal w, state
        w, state = method.step(asked, w, state, step)

    def memory() -> list:
        return [w, *state]

    plain, averaging = (
        replayed(partial(take_step, asked), memory, w.device) for asked in (objective, Averaging(objective, averages))
    )
    recorded = set(schedule.recorded)
    for done in range(schedule.steps):
        recording = done + 1 in recorded
        if recording:
            before = method.iterate(w, state).clone()
        objective.draw()
        if method.schedule is not constant:
            torch.mul(step_size, method.schedule(done, schedule.steps), out=step)
        (averaging if done >= average_from else plain)()
        if recording:
            yield done + 1, before, method.iterate(w, state)


def _trace(
    schedule: Schedule,
    rows: list[dict[str, np.ndarray]],
    means: list[str],
    reason: np.ndarray,
    last_row: np.ndarray,
    iterate: Tensor,
) -> Trace:
    """The trace of recorded rows, without what was recorded of a run after it had stopped."""
    nothing = np.full(len(reason), np.nan)
    names = dict.fromkeys([*rows[0], *means])
    measured = {name: np.stack([row.get(name, nothing) for row in rows]) for name in names}
    after = np.arange(len(rows))[:, None] > last_row
    for name, values in measured.items():
        # Sums may still be finite where the objective, a square, no longer is.
        values[after | (reason == "diverged") if name.startswith("mean_") else after] = np.nan
    iterates = iterate.cpu().numpy()
    return Trace(np.array(schedule.recorded[: len(rows)]), measured, reason, last_row, iterates)


def _on_cpu(measured: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """Copies of what was measured, which may be views of iterates that the next step overwrites."""
    return {name: value.cpu().numpy().copy() for name, value in measured.items()}
