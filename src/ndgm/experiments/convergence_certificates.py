"""Exact worst cases of the subgradient method, certified here or looked up where PEPit is not installed."""

from itertools import product

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
        reference = inputs.reads[REFERENCE]
        certified_by = f"the reference table, made with {reference['certified_by']}"
        worst_cases = {(row["rule"], row["criterion"], row["steps"]): row["worst_case"] for row in reference["rows"]}
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
