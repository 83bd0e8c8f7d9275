"""What holds for every objective: each method is right alone and in any order, and averages are of the iterates."""

from itertools import permutations

import pytest
import torch
from every_objective import EXAMPLES, RUNS, all_objectives, example, iterates, normal

from ndgm.engine.objectives.convolutional_loss import ConvolutionalLoss
from ndgm.engine.objectives.lasso import MinibatchLasso
from ndgm.engine.objectives.network import MinibatchNetworkLoss
from ndgm.engine.objectives.objective import Average, Averages, Averaging, Objective
from ndgm.engine.objectives.penalised_network import FactoredNetwork, PenalisedNetwork

OBJECTIVES = all_objectives()
every_objective = pytest.mark.parametrize("kind", OBJECTIVES, ids=lambda kind: kind.__name__)
AMOUNT = torch.linspace(0.01, 0.3, RUNS, dtype=torch.float64).unsqueeze(1)


def averages_of(objective, w, method):
    averages = Averages.zeros(objective.averaged, w)
    getattr(objective, method)(w, averages)
    return [*averages.per_run.values(), *averages.per_weight.values()]


CALLS = {
    "value": lambda objective, w: objective.value(w),
    "subgradient": lambda objective, w: objective.subgradient(w),
    "averages of subgradient": lambda objective, w: averages_of(objective, w, "subgradient"),
    "value_and_subgradient": lambda objective, w: objective.value_and_subgradient(w),
    "smooth_gradient": lambda objective, w: objective.smooth_gradient(w),
    "averages of smooth_gradient": lambda objective, w: averages_of(objective, w, "smooth_gradient"),
    "penalty_subgradient": lambda objective, w: objective.penalty_subgradient(w),
    "shrink": lambda objective, w: objective.shrink(w, AMOUNT),
    "sharpness": lambda objective, w: objective.sharpness(w),
    "measure": lambda objective, w: [*objective.measure(w, w + 0.1).values()],
}


def calls(objective):
    """What can be called on this objective, by name."""
    asked = {name: [name.split()[-1]] for name in CALLS}
    asked["value_and_subgradient"] = ["subgradient"]
    asked["measure"] = []
    return [name for name in CALLS if not objective.lacks(asked[name])]


def result(objective, name, w):
    """What a call gives, in new memory, on a copy of `w` in its layout."""
    found = CALLS[name](objective, w.clone())
    return [part.clone() for part in ([found] if isinstance(found, torch.Tensor) else found)]


def test_every_class_of_objective_has_an_example():
    assert set(EXAMPLES) == set(OBJECTIVES)
    for kind in OBJECTIVES:
        assert not example(kind).lacks(["value", "subgradient"])


def test_an_objective_without_an_example_says_where_one_belongs():
    class New(Objective):
        pass

    with pytest.raises(AssertionError, match="New is not tested: add an instance to EXAMPLES in .*every_objective.py"):
        example(New)


@every_objective
def test_each_method_is_right_alone_and_in_any_order(kind):
    # `penalty_subgradient` and what was averaged used to rest on what a gradient had left behind.
    w, elsewhere, *_, with_zeros = iterates(kind)
    for point in (w, with_zeros):
        fresh = {name: result(example(kind), name, point) for name in calls(example(kind))}
        used = example(kind)
        for first, second in permutations(fresh, 2):
            result(used, first, elsewhere)
            for found, expected in zip(result(used, second, point), fresh[second], strict=True):
                assert torch.equal(found.nan_to_num(), expected.nan_to_num()), (first, second)


@every_objective
def test_iterates_are_left_alone_but_by_shrink(kind):
    for w in iterates(kind):
        for name in calls(example(kind)):
            kept = w.clone()
            CALLS[name](example(kind), w)
            assert torch.equal(w, kept) or name == "shrink", name
            w.copy_(kept)


@every_objective
def test_memory_layout_changes_rounding_at_most(kind):
    for w in iterates(kind):
        for name in calls(example(kind)):
            one, two = (result(example(kind), name, layout) for layout in (w.contiguous(), w.T.contiguous().T))
            for ours, theirs in zip(one, two, strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-13, equal_nan=True)


@every_objective
def test_the_parts_of_a_subgradient_add_up_and_leave_each_other_whole(kind):
    objective = example(kind)
    if objective.lacks(["smooth_gradient"]):
        return
    for w in iterates(kind):
        h, q = objective.smooth_gradient(w), objective.penalty_subgradient(w)
        together = h + q
        torch.testing.assert_close(together, objective.subgradient(w), rtol=1e-13, atol=1e-13)
        q, h = objective.penalty_subgradient(w), objective.smooth_gradient(w)
        assert torch.equal(h + q, together)


@every_objective
def test_value_and_subgradient_are_value_and_subgradient(kind):
    objective = example(kind)
    for w in iterates(kind):
        value, g = (part.clone() for part in objective.value_and_subgradient(w))
        torch.testing.assert_close(value, objective.value(w), rtol=1e-13, atol=1e-14)
        assert torch.equal(g, objective.subgradient(w))


@every_objective
def test_subgradients_are_slopes_of_the_value(kind):
    objective, h = example(kind), 1e-6
    # Mini-batches that are all samples, each once, give the gradient of the value.
    if isinstance(objective, ConvolutionalLoss | MinibatchLasso | MinibatchNetworkLoss):
        objective.batches.size = samples = objective.batches.samples
        objective.batches.rows = torch.arange(samples).expand(2, -1)
    for w in iterates(kind)[:-1]:  # with probability one away from kinks
        direction = normal(*w.shape, seed=20).masked_fill(EXAMPLES[kind].fixed, 0)
        slope = (objective.value(w + h * direction) - objective.value(w - h * direction)) / (2 * h)
        found = (objective.subgradient(w) * direction).sum(1)
        # Truncation h², rounding 1e-16/h.
        torch.testing.assert_close(found, slope, rtol=1e-6, atol=1e-7)


@every_objective
def test_the_recorded_objective_is_the_value(kind):
    objective = example(kind)
    for w in iterates(kind):
        found = objective.measure(w, w + 0.1)
        assert all(quantity.shape == (RUNS,) for quantity in found.values())
        if kind is FactoredNetwork:  # records the penalty of the weights, below what is minimised over their factors
            assert (found["objective"] <= objective.value(w) + 1e-12).all()
        else:
            torch.testing.assert_close(found["objective"], objective.value(w), rtol=1e-14, atol=1e-14)


def averaged_by_hand(objective, w):
    """By name, the quantities that objectives average, of each run."""
    g = objective.subgradient(w).clone()
    return {
        "objective": objective.value(w),
        "l1_norm": torch.linalg.vector_norm(w, 1, dim=1),
        "squared_gradient_norm": torch.linalg.vector_norm(g, dim=1) ** 2,
        "inner_product": torch.linalg.vecdot(w, g),
    }


@every_objective
def test_averages_are_those_of_the_iterates(kind):
    objective = example(kind)
    path = iterates(kind)
    averages, expected = Averages.zeros(objective.averaged, path[0]), []
    for w in path:
        plain = objective.subgradient(w).clone()
        assert torch.equal(objective.subgradient(w, averages), plain)
        expected.append(averaged_by_hand(objective, w))
    found = objective.means(averages, len(path))
    assert all(name.startswith("mean_") and mean.shape == (RUNS,) for name, mean in found.items())
    if kind is PenalisedNetwork:  # tested by layer beside it
        return
    assert list(found) == [f"mean_{name}" for name in objective.averaged]
    for name in objective.averaged.keys() & expected[0].keys():
        mean = torch.stack([each[name] for each in expected]).mean(0)
        torch.testing.assert_close(found[f"mean_{name}"], mean, rtol=1e-12, atol=1e-12)
    shapes = {Average.PER_RUN: (RUNS,), Average.PER_WEIGHT: path[0].shape}
    for name, kind_of_average in objective.averaged.items():
        sums = averages.per_run if kind_of_average is Average.PER_RUN else averages.per_weight
        assert sums[name].shape == shapes[kind_of_average]


@every_objective
def test_smooth_gradients_average_what_subgradients_do(kind):
    objective = example(kind)
    if objective.lacks(["smooth_gradient"]):
        return
    for w in iterates(kind):
        pairs = [averages_of(objective, w, method) for method in ("subgradient", "smooth_gradient")]
        for one, two in zip(*pairs, strict=True):
            torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-13)
        averages = Averages.zeros(objective.averaged, w)
        plain = objective.smooth_gradient(w).clone()
        assert torch.equal(objective.smooth_gradient(w, averages), plain)


@every_objective
def test_averaging_asks_the_objective_and_adds_to_the_sums(kind):
    objective = example(kind)
    for w in iterates(kind):
        averages, twice = (Averages.zeros(objective.averaged, w) for _ in range(2))
        seen = Averaging(objective, averages)
        for name in ("value", "subgradient", "smooth_gradient", "penalty_subgradient", "shrink"):
            if name in calls(objective):
                for found, expected in zip(result(seen, name, w), result(example(kind), name, w), strict=True):
                    assert torch.equal(found, expected)
        assert getattr(seen, "lowest", None) is getattr(objective, "lowest", None)
        for method in ("subgradient", "smooth_gradient"):
            if method in calls(objective):
                getattr(objective, method)(w, twice)
        for one, two in ((averages.per_run, twice.per_run), (averages.per_weight, twice.per_weight)):
            assert all(torch.equal(one[name], two[name]) for name in two)


@every_objective
def test_what_an_objective_lacks_raises(kind):
    objective, w = example(kind), iterates(kind)[0]
    names = ["value", "subgradient", "smooth_gradient", "penalty_subgradient", "shrink", "sharpness"]
    for name in objective.lacks(names):
        with pytest.raises(NotImplementedError):
            CALLS[name](objective, w)
    assert ("lowest" in objective.lacks(["lowest"])) == (not hasattr(objective, "lowest"))


def test_batches_have_to_be_drawn_first_and_stay_until_the_next_draw():
    for kind in (MinibatchLasso, MinibatchNetworkLoss):
        objective, (w, *_) = EXAMPLES[kind].make(), iterates(kind)
        with pytest.raises(IndexError):
            objective.subgradient(w)
        objective.draw()
        first = objective.subgradient(w).clone()
        assert torch.equal(objective.subgradient(w), first)
        objective.draw()
        assert not torch.equal(objective.subgradient(w), first)
