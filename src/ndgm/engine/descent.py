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


@dataclass(frozen=True)
class Target:
    """Objectives at which runs stop, looked for at recorded steps, and with them those that race against them.

    Attributes:
        objective: Of each run, shape (runs,).
        entry: Number of the entry in the race that each run belongs to, shape (runs,): as soon as every run of one
            entry has reached its target, those that have not are overtaken, and stop too. None where there is no race.
    """

    objective: np.ndarray
    entry: np.ndarray | None = None

    def stop(self, reason: np.ndarray, objective: np.ndarray) -> None:
        """Write `reached` or `overtaken` where a run that had no reason to stop has one."""
        reason[(reason == "") & (objective <= self.objective)] = "reached"
        if self.entry is not None:
            late = np.unique(self.entry[reason != "reached"])
            if len(late) < len(np.unique(self.entry)):
                reason[reason == ""] = "overtaken"


@dataclass
class Trace:
    """What an ensemble did.

    Attributes:
        step: Recorded steps, shape (rows,).
        measured: Quantities by name, shape (rows, runs); NaN after a run has stopped. Names that begin with `mean_`
            are averages over steps: NaN except at the last step, in runs that came there without diverging.
        stopped_because: `finished`, `converged`, `diverged`, `reached` or `overtaken`, shape (runs,).
        last_row: Index of each run's last row, shape (runs,).
        iterates: Where the runs were when the loop ended, shape (runs, d).

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
    target: Target | None = None,
) -> Trace:
    """Run `method` on `objective` for a whole ensemble at once.

    A run diverges when its objective is no longer finite, and converges when its method comes to rest and it stands
    still; both are looked for at recorded steps, and so is its target, if it has one. The loop ends when every run has
    stopped. Iterates lie in memory as `start` does. On a CUDA device steps that work in place are replayed.

    Args:
        objective: What is minimised, over the whole ensemble.
        method: How.
        start: First iterates, shape (runs, d).
        step_size: η of each run, shape (runs, 1).
        schedule: Number of steps, and which are recorded.
        advanced: Called at each recorded step with the newly completed share, in whole runs.
        target: Objectives at which runs stop; None for runs of the whole schedule.

    Raises:
        ValueError: if the objective lacks what the method asks for.
    """
    if missing := objective.lacks(method.asks):
        names = " and ".join(missing)
        raise ValueError(f"{type(method).__name__} asks for {names}, which {type(objective).__name__} does not have")
    recorder = _Recorder(objective, method, start, schedule, target)
    completed = 0
    for step, before, iterate in _recorded_steps(recorder, start, step_size):
        recorder.record(step, before, iterate)
        reached = schedule.steps if recorder.all_stopped else step
        advanced(len(start) * (reached - completed) / schedule.steps)
        completed = reached
        if recorder.all_stopped:
            break
    return recorder.trace(iterate)


class _Recorder:
    """What is recorded and averaged of an ensemble while a method runs, and why its runs stopped.

    Attributes:
        averages: Running sums.
        average_from: First step whose iterates are averaged over; the number of all steps where none are.
    """

    def __init__(
        self, objective: Objective, method: Method, start: Tensor, schedule: Schedule, target: Target | None
    ) -> None:
        self.objective, self.method, self.schedule, self.target = objective, method, schedule, target
        self.averages = Averages.zeros(objective.averaged, start)
        no_averages = method.rests or not objective.averaged
        self.average_from = schedule.steps if no_averages else schedule.average_from
        self._rows = [_on_cpu(objective.measure(start, start))] if 0 in schedule.recorded else []
        self._reason = np.full(len(start), "", dtype=object)
        self._last_row = np.full(len(start), -1)

    @property
    def all_stopped(self) -> bool:
        """Whether every run has stopped."""
        return bool((self._reason != "").all())

    def record(self, step: int, before: Tensor, iterate: Tensor) -> None:
        """Add a row for iterates, with those of one step earlier, and look which runs have stopped."""
        measured, steps = self.objective.measure(iterate, before), self.schedule.steps
        if step == steps and self.average_from < steps:
            measured |= self.objective.means(self.averages, steps - self.average_from)
        self._rows.append(_on_cpu(measured))
        reason = self._reason
        self._last_row[reason == ""] = len(self._rows) - 1
        reason[(reason == "") & ~np.isfinite(self._rows[-1]["objective"])] = "diverged"
        if self.method.rests:
            moved = (iterate - before).abs().amax(1)
            reason[(reason == "") & (moved <= CONVERGED * iterate.abs().amax(1)).cpu().numpy()] = "converged"
        if self.target is not None:
            self.target.stop(reason, self._rows[-1]["objective"])

    def trace(self, iterate: Tensor) -> Trace:
        """The trace of the rows so far, without what was recorded of a run after it had stopped."""
        rows, last_row = self._rows, self._last_row
        reason = np.where(self._reason == "", "finished", self._reason)
        nothing = np.full(len(reason), np.nan)
        names = dict.fromkeys([*rows[0], *self.objective.means(self.averages, 1)])
        measured = {name: np.stack([row.get(name, nothing) for row in rows]) for name in names}
        after = np.arange(len(rows))[:, None] > last_row
        for name, values in measured.items():
            # Sums may still be finite where the objective, a square, no longer is.
            values[after | (reason == "diverged") if name.startswith("mean_") else after] = np.nan
        recorded = np.array(self.schedule.recorded[: len(rows)])
        return Trace(recorded, measured, reason, last_row, iterate.cpu().numpy())


def _recorded_steps(recorder: _Recorder, start: Tensor, step_size: Tensor) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Take all steps; after each recorded one, its number with the iterates before and after it."""
    objective, method, schedule = recorder.objective, recorder.method, recorder.schedule
    w, step = start.clone(), step_size.clone()
    state = method.start(w)

    def take_step(asked: Objective) -> None:
        nonlocal w, state
        w, state = method.step(asked, w, state, step)

    def memory() -> list:
        return [w, *state]

    asked = objective, Averaging(objective, recorder.averages)
    plain, averaging = (replayed(partial(take_step, each), memory, w.device) for each in asked)
    recorded, before = set(schedule.recorded), method.iterate(w, state).clone()
    for done in range(schedule.steps):
        recording = done + 1 in recorded
        if recording:
            before.copy_(method.iterate(w, state))
        objective.draw()
        if method.schedule is not constant:
            torch.mul(step_size, method.schedule(done, schedule.steps), out=step)
        (averaging if done >= recorder.average_from else plain)()
        if recording:
            yield done + 1, before, method.iterate(w, state)


def _on_cpu(measured: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """Copies of what was measured, which may be views of iterates that the next step overwrites."""
    return {name: value.cpu().numpy().copy() for name, value in measured.items()}
