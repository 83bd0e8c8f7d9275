"""Worst cases certified by PEPit: the largest gap over all M-Lipschitz convex functions is a semidefinite program.

Its primal solution is a function on which the method does so badly; its dual solution is a proof that none is worse.
"""

import warnings
from decimal import ROUND_CEILING, Context
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ndgm.theory.worst_cases import STEP_RULES

CRITERIA = ("best", "last", "average")
"""Where the gap f − f* is taken: at the best of x₀ … x_N, at x_N, or at the average of x₀ … x_N."""

SOLVER_TOLERANCE = 1e-10
"""Asked of the solver, for feasibility and for the duality gap."""

GAP_TOLERANCE = 1e-7
"""Largest difference between what is proved and what is attained, relative to it, of a worst case called exact."""


def certifier() -> str | None:
    """PEPit and its solver with their versions, or None where PEPit is not installed."""
    try:
        return f"PEPit {version('PEPit')}, Clarabel {version('clarabel')}"
    except PackageNotFoundError:
        return None


def certify(rule: str, criterion: str, steps: int) -> float:
    """Exact worst case after N steps of the subgradient method, on 1-Lipschitz convex functions with ‖x₀ − x*‖ ≤ 1.

    For M and R multiply by MR. N steps see N subgradients, at x₀ … x_{N−1}, and visit N + 1 points; best and average
    are over all of them. The program also has a subgradient at the points where only the value is asked for: a convex
    M-Lipschitz function has one everywhere, of norm at most M.

    Args:
        rule: Name of a rule in `theory.worst_cases.STEP_RULES`.
        criterion: One of `CRITERIA`.
        steps: N ≥ 1.

    Returns:
        The value that the dual solution proves: an upper bound, up to the 1e-8 or so to which PEPit rebuilds the proof.

    Raises:
        ValueError: if the rule or the criterion is not known, or N < 1.
        ImportError: if PEPit is not installed.
        ArithmeticError: if primal and dual value differ by more than `GAP_TOLERANCE`.

    Source: Drori and Teboulle (2014); Taylor, Hendrickx and Glineur (2017), theorem 3.5; Goujaud et al. (2024), PEPit.
    """
    if rule not in STEP_RULES:
        raise ValueError(f"unknown step rule {rule!r}, expected one of {', '.join(STEP_RULES)}")
    if criterion not in CRITERIA:
        raise ValueError(f"unknown criterion {criterion!r}, expected one of {', '.join(CRITERIA)}")
    problem = _semidefinite_program(STEP_RULES[rule](steps), criterion)
    tolerances = dict.fromkeys(["tol_gap_abs", "tol_gap_rel", "tol_feas"], SOLVER_TOLERANCE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a solver that stops just short of its tolerances; the gap is checked below
        proved = float(problem.solve(wrapper="cvxpy", solver="CLARABEL", verbose=0, **tolerances))
    attained = float(problem.objective.eval())
    if not abs(proved - attained) <= GAP_TOLERANCE * proved:
        raise ArithmeticError(
            f"{rule}, {criterion}, {steps} steps: proved {proved:.9g}, but attained {attained:.9g} only"
        )
    return proved


def _semidefinite_program(step_sizes: NDArray[np.float64], criterion: str) -> Any:
    """The program of PEPit whose value is the worst case of these steps.

    Raises:
        ImportError: if PEPit is not installed.
    """
    try:
        from PEPit import PEP, Expression, null_point
        from PEPit.functions import ConvexLipschitzFunction
    except ImportError:
        raise ImportError("PEPit: not installed; run `pip install -c constraints.txt -e .[certify]`") from None

    problem = PEP()
    f = problem.declare_function(ConvexLipschitzFunction, M=1.0)
    minimum = Expression()
    f.add_point((null_point, null_point, minimum))  # x* = 0, with subgradient 0
    points = [problem.set_initial_point()]
    problem.set_initial_condition(points[0] ** 2 <= 1)
    for step_size in step_sizes:
        subgradient, value = f.oracle(points[-1])
        if criterion == "best":
            problem.set_performance_metric(value - minimum)  # the worst case of several is that of their minimum
        points.append(points[-1] - float(step_size) * subgradient)
    judged = sum(points[1:], points[0]) / len(points) if criterion == "average" else points[-1]
    problem.set_performance_metric(f(judged) - minimum)
    return problem


def rounded_up(value: float) -> float:
    """`value` with 6 significant digits, rounded up after 1e-7 of it is added for what the solver leaves open.

    So it stays an upper bound, and the last bits of a machine do not decide a digit where the exact value is round.
    """
    return float(Context(prec=6, rounding=ROUND_CEILING).create_decimal_from_float(value * (1 + GAP_TOLERANCE)))
