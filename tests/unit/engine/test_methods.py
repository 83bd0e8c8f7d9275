"""Every method of `METHODS` against its step in NumPy; and torch.optim, certified solutions and proved rates."""

import ast
import importlib
import inspect

import numpy as np
import pytest
import torch
from every_objective import EXAMPLES, example
from every_objective import iterates as some_iterates
from lasso_problems import PENALTIES_OVER_MAX, ensemble, iterates, random_problem
from numpy_methods import DOUBLES, Function, numpy_double
from torch.optim.sgd import sgd

import ndgm.engine.methods
from ndgm.engine.methods import METHODS, HeavyBall, Subgradient, TruncatedGradient
from ndgm.engine.objectives.lasso import Lasso
from ndgm.engine.objectives.objective import Objective
from ndgm.engine.objectives.one_weight import OneWeight
from ndgm.theory.lasso import Quadratic, solve_lasso

PROBLEM = random_problem()
PENALTIES = PENALTIES_OVER_MAX[1:] * PROBLEM.penalty_max
STEPS = 30  # few enough that the gap which Polyak divides is far above its rounding


def functions():
    """Each run's function in NumPy, with the exact infimum."""
    exact = solve_lasso(PROBLEM, PENALTIES)
    found = []
    for penalty, weights in zip(PENALTIES, exact.weights, strict=True):
        f = Function(PROBLEM.A, PROBLEM.b, penalty)
        f.lowest = f.value(weights)
        found.append(f)
    return found


def ensemble_with_lowest():
    objective, start, step_size = ensemble(PROBLEM, PENALTIES)
    objective.lowest = torch.tensor([f.lowest for f in functions()])
    return objective, start, 0.1 * step_size


@pytest.mark.parametrize("name", METHODS)
def test_every_step_is_that_of_numpy(name):
    double, method = numpy_double(name), METHODS[name]
    objective, w, step_size = ensemble_with_lowest()
    fs, memories = functions(), [{} for _ in PENALTIES]
    state = method.start(w)
    for k in range(1, STEPS + 1):
        before = w.numpy().copy()
        eta = step_size * method.schedule(k - 1, STEPS)
        w, state = method.step(objective, w, state, eta)
        for run, (f, memory) in enumerate(zip(fs, memories, strict=True)):
            step = double.factor(k, STEPS) * step_size[run].item()
            expected = double.step(f, before[run], memory, step, k)
            # From the same point: its own would differ in the last bits, and at a kink such differences grow. Adaptive
            # methods divide the rounding of a gradient by its size.
            np.testing.assert_allclose(w[run], expected, rtol=1e-9, atol=1e-10)
            iterate = memory.get("iterate", expected)
            np.testing.assert_allclose(method.iterate(w, state)[run], iterate, rtol=1e-9, atol=1e-10)


def test_doubles_are_of_methods_and_a_method_without_one_is_told_where_it_belongs():
    assert DOUBLES.keys() == METHODS.keys()
    with pytest.raises(AssertionError, match="'new'.*write one step of it in NumPy.*DOUBLES in .*numpy_methods.py"):
        numpy_double("new")


class Asked(Objective):
    """Passes on what is asked of an objective and keeps the names."""

    def __init__(self, objective):
        self._objective, self._asked = objective, set()

    def __getattribute__(self, name):
        if name.startswith("_"):
            return object.__getattribute__(self, name)
        self._asked.add(name)
        return getattr(self._objective, name)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_says_what_it_asks_for(name):
    objective, start, step_size = ensemble_with_lowest()
    spy = Asked(objective)
    for _ in iterates(name, spy, start, step_size, 20):
        pass
    assert sorted(spy._asked) == sorted(METHODS[name].asks)


@pytest.mark.parametrize("name", METHODS)
def test_steps_overwrite_their_iterates_and_not_the_start(name):
    objective, start, step_size = ensemble_with_lowest()
    method, w = METHODS[name], start.clone()
    state = method.start(w)
    assert torch.equal(w, start) and torch.equal(method.iterate(w, state), start)
    allocated = {w.data_ptr(), *(part.data_ptr() for part in state if isinstance(part, torch.Tensor))}
    for _ in range(3):
        w, state = method.step(objective, w, state, step_size)
        assert w.data_ptr() in allocated and method.iterate(w, state).data_ptr() in allocated


def in_precision(dtype):
    """The ensemble with the infimum of each run, in single or in double precision."""
    objective, start, step_size = ensemble_with_lowest()
    data = (objective.gram, objective.correlation, objective.penalty)
    changed = Lasso(*(part.to(dtype, copy=True) for part in data))
    changed.lowest = objective.lowest.to(dtype)
    return changed, start.to(dtype), step_size.to(dtype)


def own_data(objective):
    """Copies of the tensors that an objective shows, its parts' among them."""
    found = {}
    for name, part in vars(objective).items():
        if isinstance(part, torch.Tensor) and not name.startswith("_"):
            found[name] = part.clone()
        elif isinstance(part, Objective):
            found |= {f"{name}.{inner}": values for inner, values in own_data(part).items()}
    return found


def fits(method, kind):
    return not example(kind).lacks(METHODS[method].asks)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", METHODS)
def test_a_step_leaves_step_sizes_and_the_data_of_the_objective_as_they_are(name, dtype):
    objective, start, step_size = in_precision(dtype)
    given, data = step_size.clone(), own_data(objective)
    for _ in iterates(name, objective, start, step_size, 25):
        assert torch.equal(step_size, given)
    assert {"gram", "correlation", "penalty"} <= data.keys()
    for part, values in own_data(objective).items():
        assert torch.equal(values, data[part]), part
    assert_alike(objective, in_precision(dtype)[0], start)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param(name, kind, id=f"{name}-{kind.__name__}")
        for kind in EXAMPLES
        for name in METHODS
        if fits(name, kind)
    ],
)
def test_a_step_leaves_every_objective_it_fits_as_it_is(name, kind):
    objective, w = example(kind), some_iterates(kind)[0]
    data, step_size = own_data(objective), torch.full((len(w), 1), 0.01, dtype=w.dtype)
    for _ in iterates(name, objective, w, step_size, 11):  # the truncated gradient truncates at the tenth
        assert (step_size == 0.01).all()
    for part, values in own_data(objective).items():
        assert torch.equal(values, data[part]), part
    assert_alike(objective, example(kind), w)


def assert_alike(used, fresh, w):
    """Fail unless a used objective gives what a fresh one gives; its buffers are overwritten, what it means is not."""
    for asked in ("value", "subgradient", "smooth_gradient", "penalty_subgradient"):
        if not fresh.lacks([asked]):
            ours, theirs = (getattr(objective, asked)(w.clone()) for objective in (used, fresh))
            assert torch.equal(ours, theirs), asked
    if not fresh.lacks(["shrink"]):
        amount = torch.full((len(w), 1), 0.1, dtype=w.dtype)
        assert torch.equal(used.shrink(w.clone(), amount), fresh.shrink(w.clone(), amount)), "shrink"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", METHODS)
def test_a_run_and_its_state_do_not_depend_on_the_other_runs(name, dtype):
    method, kept = METHODS[name], 2
    found = []
    for others_change in (False, True):
        objective, w, step_size = in_precision(dtype)
        if others_change:
            # One starts elsewhere, one on the solution 0, one is NaN from the start, and one diverges.
            others = torch.arange(len(w)) != kept
            assert others.sum() == 3
            w[others] = torch.stack([-3 * w[0], 0 * w[1], w[3] * torch.nan])
            step_size[0], objective.penalty[1] = 1e6 * step_size[0], 7.0
        state = method.start(w)
        for _ in range(25):
            w, state = method.step(objective, w, state, step_size)
        parts = {"w": w, "iterate": method.iterate(w, state)} | getattr(state, "_asdict", dict)()
        found.append(
            {
                part: values[kept] if torch.is_tensor(values) and values.dim() else values
                for part, values in parts.items()
            }
        )
    plain, changed = found
    for part, values in plain.items():
        assert torch.as_tensor(values).isfinite().all(), part
        assert torch.equal(torch.as_tensor(values), torch.as_tensor(changed[part])), part


class Wrong(Subgradient):
    """Subgradient descent with something else beside it."""

    def __init__(self, beside):
        self.__dict__["beside"] = beside

    def step(self, objective, w, state, step_size):
        self.beside(objective, w, step_size)
        return super().step(objective, w, state, step_size)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("test", "beside"),
    [
        (
            test_a_step_leaves_step_sizes_and_the_data_of_the_objective_as_they_are,
            lambda objective, w, step_size: step_size.mul_(0.9),
        ),
        (
            test_a_step_leaves_step_sizes_and_the_data_of_the_objective_as_they_are,
            lambda objective, w, step_size: objective.penalty.mul_(0.9),
        ),
        (
            test_a_step_leaves_step_sizes_and_the_data_of_the_objective_as_they_are,
            lambda objective, w, step_size: objective._minus_correlation.mul_(0.9),
        ),
        (test_a_run_and_its_state_do_not_depend_on_the_other_runs, lambda objective, w, step_size: w.sub_(w.mean(0))),
    ],
    ids=["step size", "penalty", "correlation", "runs"],
)
def test_a_method_that_reaches_too_far_fails(test, beside, dtype, monkeypatch):
    monkeypatch.setitem(METHODS, "wrong", Wrong(beside))
    with pytest.raises(AssertionError):
        test("wrong", dtype)


@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name].rests])
def test_what_rests_stands_still_where_it_solves_the_problem(name):
    # Started there, a step moves nothing. Between two truncations the truncated gradient moves by ten steps and the
    # gradient changes with that, so ten steps leave an error of the order of their square.
    objective, _, step_size = ensemble(PROBLEM, PENALTIES)
    exact = torch.tensor(solve_lasso(PROBLEM, PENALTIES).weights)
    step_size = 1e-4 * step_size if METHODS[name] == TruncatedGradient() else 0.1 * step_size
    *_, (_, found) = iterates(name, objective, exact, step_size, 10)
    torch.testing.assert_close(found, exact, rtol=0, atol=1e-6 if METHODS[name] == TruncatedGradient() else 1e-12)
    assert ((found == 0) == (exact == 0)).all()


@pytest.mark.parametrize("name", [name for name in METHODS if not METHODS[name].on_factors])
def test_what_normalises_steps_as_far_whatever_the_size_of_the_gradient(name):
    # On a parabola that is ten times as steep, and from twice as far: Polyak's step has the scale of neither.
    factors = [1.0, 10.0, 1.0], [0.05, 0.05, 0.1]
    curvature, start = (torch.tensor([values], dtype=torch.float64).T for values in factors)
    objective = OneWeight(curvature, 0 * curvature, 0 * curvature)
    objective.lowest = torch.zeros(3, dtype=torch.float64)
    *_, (_, found) = iterates(name, objective, start.clone(), torch.full_like(start, 1e-6), 1)
    moved = (start - found)[:, 0]
    as_far = np.allclose(moved, moved[0], rtol=1e-5, atol=0)
    assert METHODS[name].normalises == as_far, (
        f"{name}: on a gradient ten times as large its step is {'as long' if as_far else 'longer'}, and experiments "
        f"choose step sizes by that: its class has to say `normalises = {as_far}`"
    )


@pytest.mark.parametrize("name", [name for name in METHODS if not METHODS[name].on_factors])
def test_what_is_inertial_goes_on_without_a_gradient(name):
    # After two steps on a slope comes a plane. On it Polyak's step is 0/0.
    one, nothing = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    slope, plane = OneWeight(nothing, one, nothing), OneWeight(nothing, nothing, nothing)
    slope.lowest = plane.lowest = torch.full((1,), -1.0, dtype=torch.float64)
    w, method = nothing.clone(), METHODS[name]
    state = method.start(w)
    for _ in range(2):
        w, state = method.step(slope, w, state, 0.1 * one)
    before = w.clone()
    after, _ = method.step(plane, w, state, 0.1 * one)
    goes_on = bool((after - before).abs() > 0)
    assert method.inertial == goes_on, f"{name}: `inertial` of its class has to be {goes_on}"


def test_the_registry_can_be_read_without_importing_it():
    # The config's schema is made from the syntax tree: names, and what their classes ask for, are literals.
    module = ndgm.engine.methods
    tree = ast.parse(inspect.getsource(module))
    registry = next(node.value for node in tree.body if isinstance(node, ast.AnnAssign) and node.target.id == "METHODS")
    homes = {
        alias.name: node.module for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    } | {node.name: module.__name__ for node in tree.body if isinstance(node, ast.ClassDef)}
    assert [ast.literal_eval(key) for key in registry.keys] == list(METHODS)
    for name, call in zip(METHODS, registry.values, strict=True):
        home = importlib.import_module(homes[call.func.id])
        of_class = next(
            node
            for node in ast.parse(inspect.getsource(home)).body
            if isinstance(node, ast.ClassDef) and node.name == call.func.id
        )
        asks = next(
            node.value for node in of_class.body if isinstance(node, ast.Assign) and node.targets[0].id == "asks"
        )
        assert ast.literal_eval(asks) == METHODS[name].asks


@pytest.mark.parametrize(
    ("method", "momentum"), [(Subgradient(), 0.0), (HeavyBall(), 0.9), (HeavyBall(momentum=0.5), 0.5)]
)
def test_subgradient_methods_step_as_torch_does(method, momentum):
    objective, start, step_size = ensemble(PROBLEM, PENALTIES)
    step_size, theirs = 0.05 * step_size, start.clone()
    # The function behind torch.optim.SGD: the class itself imports the compiler first, which takes seconds.
    options = {"lr": step_size[0].item(), "momentum": momentum, "weight_decay": 0, "dampening": 0}
    buffers = [None]
    for _, ours in iterates(method, objective, start, step_size, 1_000):
        g = theirs @ objective.gram - objective.correlation + objective.penalty * theirs.sign()
        sgd([theirs], [g], buffers, foreach=False, nesterov=False, maximize=False, **options)
        # Rounding alone: the method contracts between changes of sign.
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", ["ista", "fista"])
def test_proximal_methods_reach_the_certified_solution(name):
    *_, (_, found) = iterates(name, *ensemble(PROBLEM, PENALTIES), 3_000)
    exact = solve_lasso(PROBLEM, PENALTIES).weights
    # The smallest eigenvalue of A is about L/8: 3,000 steps leave nothing but rounding.
    np.testing.assert_allclose(found.numpy(), exact, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(found.numpy() == 0, exact == 0)


def test_fista_and_ista_keep_their_proved_rates():
    # Nesterov's worst case: a chain, so ill-conditioned that no method is fast by luck.
    d, steps = 100, 140
    A = (2 * np.eye(d) - np.eye(d, k=1) - np.eye(d, k=-1)) / 4
    problem = Quadratic(A, np.eye(d)[0] / 4, 1.0)
    penalties = np.array([1e-4, 3e-4])
    exact = solve_lasso(problem, penalties)
    objective, _, step_size = ensemble(problem, penalties)
    least = objective.value(torch.tensor(exact.weights)).numpy()
    k = np.arange(1, steps + 1)[:, None]

    def gaps(name):
        found = iterates(name, objective, torch.zeros(2, d, dtype=torch.float64), step_size, steps)
        return np.stack([objective.value(x).numpy() for _, x in found]) - least

    scale = problem.lipschitz * (exact.weights**2).sum(1)
    fista, ista = gaps("fista"), gaps("ista")
    # Beck and Teboulle (2009), theorems 4.4 and 3.1, with the start at zero and the step 1/L.
    assert (fista <= 2 * scale / (k + 1) ** 2).all()
    assert (ista <= scale / (2 * k)).all()
    # FISTA's bound separates the two methods here, so it would notice a FISTA that has lost its momentum.
    assert (ista > 2 * scale / (k + 1) ** 2).any(axis=0).all()


def test_truncated_gradient_of_period_one_is_ista_bit_for_bit():
    plain = iterates("ista", *ensemble(PROBLEM, PENALTIES), 50)
    truncated = iterates(TruncatedGradient(period=1), *ensemble(PROBLEM, PENALTIES), 50)
    assert all(torch.equal(ours, theirs) for (_, ours), (_, theirs) in zip(plain, truncated, strict=True))


def test_truncated_gradient_has_zeros_after_multiples_of_ten_alone():
    objective, start, step_size = ensemble(PROBLEM, PENALTIES[2:])
    for step, (_, w) in enumerate(iterates("truncated_gradient", objective, start, 0.1 * step_size, 200), start=1):
        assert step % 10 == 0 or (w != 0).all()
    assert (w == 0).sum() > PROBLEM.dimension


def flat(correlation):
    """‖w‖₁ − ⟨b, w⟩ in two dimensions."""
    gram = torch.zeros(2, 2, dtype=torch.float64)
    return Lasso(gram, torch.tensor(correlation, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64))


def test_polyaks_step_stays_where_the_gradient_is_zero():
    objective, zero = flat([0.0, 0.0]), torch.zeros(1, 2, dtype=torch.float64)
    objective.lowest = 0.0
    *_, (_, found) = iterates("polyak", objective, zero, torch.full((1, 1), torch.nan), 4)
    assert found.tolist() == [[0.0, 0.0]]


def test_sign_descent_rests_where_the_gradient_is_zero():
    ones = torch.ones(1, 2, dtype=torch.float64)
    ((_, found),) = iterates("sign", flat([1.0, 4.0]), ones, torch.full((1, 1), 0.5), 1)
    assert found.tolist() == [[1.0, 1.5]]


def test_a_geometric_step_converges_on_a_sharp_problem_where_a_constant_one_hovers():
    # With b = 0 and a large penalty w = 0 is a sharp minimum: the floor is ηλ/2 per weight at the last step (Davis
    # et al. 2018), so a step that ends a million times smaller ends a million times closer, give or take the phase.
    objective, start, _ = ensemble(Quadratic.from_data(np.sqrt(5) * np.eye(5), np.zeros(5)), np.ones(1))
    ends = {}
    for name in ("subgradient", "subgradient_geometric"):
        method, w, steps = METHODS[name], start.clone(), 4_000
        for done in range(steps):
            step_size = torch.full((1, 1), 0.1 * method.schedule(done, steps), dtype=torch.float64)
            w, _ = method.step(objective, w, (), step_size)
        ends[name] = w.abs().mean().item()
    assert 0.02 < ends["subgradient"] < 0.1
    assert ends["subgradient_geometric"] < 1.1e-7
