"""Objectives with observers beside them."""

import pytest
import torch
from every_objective import EXAMPLES, RUNS, example, iterates

from ndgm.engine.curvature.observer import Observed, Observer
from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.lasso import Lasso, MinibatchLasso
from ndgm.engine.objectives.logistic import Logistic
from ndgm.engine.objectives.objective import Average, Averages


class Diary(Observer):
    """Keeps what it sees, and asks for another gradient, into the same buffer."""

    averaged = {"value": Average.PER_RUN, "weights": Average.PER_WEIGHT}

    def __init__(self, objective):
        self.objective, self.seen = objective, []

    def see(self, w, value, g, averages):
        self.seen.append((w.clone(), value.clone(), g.clone(), averages is not None))
        self.objective.subgradient(2 * w)
        if averages:
            averages.per_run["value"].add_(value)
            averages.per_weight["weights"].add_(w)

    def measure(self, w, before):
        return {"steps_seen": torch.full((RUNS,), float(len(self.seen)))}


@pytest.mark.parametrize("kind", [Lasso, MinibatchLasso, Logistic])
def test_an_observer_sees_every_step_and_changes_none(kind):
    start, step_size, schedule = iterates(kind)[0], torch.full((RUNS, 1), 0.05), Schedule(9, (0, 4, 9), 5)
    plain = descend(EXAMPLES[kind].make(), METHODS["subgradient"], start, step_size, schedule)
    objective = EXAMPLES[kind].make()
    diary = Diary(objective)
    trace = descend(Observed(objective, diary, Observer()), METHODS["subgradient"], start, step_size, schedule)
    assert (trace.iterates == plain.iterates).all()
    recorded = [name for name in plain.measured if not name.startswith("mean_")]
    assert list(trace.measured) == [*recorded, "steps_seen", "mean_value", "mean_weights"]
    for name in recorded:
        assert (trace.measured[name] == plain.measured[name]).all()
    assert trace.measured["steps_seen"][:, 0].tolist() == [0, 4, 9]
    assert [averaging for *_, averaging in diary.seen] == [False] * 5 + [True] * 4
    means = torch.stack([value for _, value, _, averaging in diary.seen if averaging]).mean(0)
    torch.testing.assert_close(torch.tensor(trace.measured["mean_value"][-1]), means, rtol=1e-14, atol=0)
    weights = torch.stack([w.sum(1) for w, *_, averaging in diary.seen if averaging]).mean(0)
    torch.testing.assert_close(torch.tensor(trace.measured["mean_weights"][-1]), weights, rtol=1e-12, atol=1e-14)
    for (w, value, g, _), (after, *_) in zip(diary.seen, diary.seen[1:], strict=False):
        torch.testing.assert_close(after, w - step_size * g, rtol=1e-14, atol=1e-15)
        torch.testing.assert_close(value, objective.value(w), rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name].asks != ("subgradient",)])
def test_a_method_that_asks_for_more_than_subgradients_is_not_observed(name):
    objective, w = example(Lasso), iterates(Lasso)[0]
    objective.lowest = 0.0
    with pytest.raises(ValueError, match="which Observed does not have"):
        descend(Observed(objective, Observer()), METHODS[name], w, torch.ones(RUNS, 1), Schedule.halving(4, 1))


def test_without_observers_nothing_is_averaged():
    observed = Observed(example(Lasso))
    assert not observed.averaged and observed.means(Averages({}, {}), 1) == {}
