"""Certify exact worst cases of the subgradient method, or look them up where PEPit is not installed."""

from itertools import product

import pandas as pd

from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.files import InputError, read_json, write_json
from ndgm.store.run_tables import write_table
from ndgm.theory.certificates import CRITERIA, certifier, certify, rounded_up

arguments = argument_parser(__doc__, "reference", "out").parse_args()
with program(arguments) as say:
    settings = arguments.settings
    asked = list(product(settings["rules"], CRITERIA, settings["steps"]))
    certified_by = certifier()
    if certified_by:
        worst_cases = {case: rounded_up(certify(*case)) for case in asked}
    else:
        reference = read_json(arguments.reference)
        certified_by = f"the reference table, made with {reference['certified_by']}"
        worst_cases = {(row["rule"], row["criterion"], row["steps"]): row["worst_case"] for row in reference["rows"]}
        for rule, criterion, steps in asked:
            if (rule, criterion, steps) not in worst_cases:
                raise InputError(
                    f"{arguments.reference}: nothing on {rule}, {criterion}, {steps} steps; "
                    "to certify more, run `pip install -c constraints.txt -e .[certify]`"
                )
    table = pd.DataFrame(asked, columns=["rule", "criterion", "steps"])
    table.insert(0, "experiment", "convergence_certificates")
    write_table(arguments.out, table.assign(worst_case=[worst_cases[case] for case in asked]))
    write_json(arguments.out.with_suffix(".json"), {"certified_by": certified_by})
    say(f"{arguments.out.stem}: {len(table)} worst cases, certified by {certified_by}")
