"""Exact worst cases of the subgradient method, certified here or looked up where PEPit is not installed."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import pandas as pd

from ndgm.experiments.inputs import Inputs, Settings
from ndgm.store.files import InputError
from ndgm.theory.certificates import CRITERIA, certifier, certify, rounded_up

REFERENCE = "certificates.json"
"""File of worst cases that were certified before."""


def certificates(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Worst case of every rule, criterion and number of steps, and what certified it.

    Raises:
        InputError: if PEPit is not installed, and a worst case has not been certified before.
    """
    asked = list(product(settings["rules"], CRITERIA, range(1, settings["most_steps"] + 1)))
    certified_by = certifier()
    if certified_by:
        worst_cases = {case: rounded_up(certify(*case)) for case in asked}
    else:
        certified_by, worst_cases = certified_before(inputs.reads[REFERENCE])
    for rule, criterion, steps in asked:
        if (rule, criterion, steps) not in worst_cases:
            raise InputError(
                f"reference/{REFERENCE}: nothing on {rule}, {criterion}, {steps} steps; "
                "to certify more, run `pip install -c constraints.txt -e .[certify]`"
            )
    table = pd.DataFrame(asked, columns=["rule", "criterion", "steps"])
    table.insert(0, "experiment", settings["experiment"])
    table = table.assign(worst_case=[worst_cases[case] for case in asked])
    table.attrs["certified_by"] = certified_by
    return table


def certified_before(reference: Mapping[str, Any]) -> tuple[str, dict[tuple[str, str, int], float]]:
    """What certified the worst cases of the reference table, and each of them by rule, criterion and steps.

    Raises:
        InputError: if it is another table.
    """
    try:
        rows = {(row["rule"], row["criterion"], row["steps"]): row["worst_case"] for row in reference["rows"]}
        return f"the reference table, made with {reference['certified_by']}", rows
    except (KeyError, TypeError):
        expected = "expected certified_by, and rows with rule, criterion, steps and worst_case"
        raise InputError(f"reference/{REFERENCE}: {expected}; it is part of the repository") from None
