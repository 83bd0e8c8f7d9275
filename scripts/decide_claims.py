"""Decide every claim from the run tables."""

import ndgm.claims.adaptive
import ndgm.claims.convergence
import ndgm.claims.convergence_networks
import ndgm.claims.edge_of_stability
import ndgm.claims.edge_of_stability_networks
import ndgm.claims.l1_paradox
import ndgm.claims.l1_paradox_networks  # noqa: F401  (each registers its claims)
from ndgm.decide.claim import CLAIMS, decide
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.files import write_json
from ndgm.store.run_tables import read_tables

arguments = argument_parser(__doc__, "out", many=("tables",)).parse_args()
with program(arguments) as say:
    claims = decide(CLAIMS, read_tables(arguments.tables))
    write_json(arguments.out, claims)
    for claim in claims:
        say(f"{claim['id']}: {claim['verdict']}")
