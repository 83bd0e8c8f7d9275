"""Decide the claims of one group from the tables that they read; with `--claim`, one of them."""

from importlib import import_module
from pathlib import Path

from ndgm.decide.claim import CLAIMS, decide, p_values_of_siblings
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.files import write_json
from ndgm.store.run_tables import read_tables


def main() -> None:
    """Run the program."""
    parser = argument_parser(__doc__, "out", many=("tables",))
    parser.add_argument("--claim", help="decide this claim alone")
    parser.add_argument("--reference", type=Path, help="claims.json with the p values of the other claims of its group")
    arguments = parser.parse_args()
    with program(arguments) as say:
        import_module(f"ndgm.claims.{arguments.settings['group']}")  # registers its claims
        claims, siblings = CLAIMS, []
        if arguments.claim:
            claims = {arguments.claim: CLAIMS[arguments.claim]}
            siblings = p_values_of_siblings(CLAIMS[arguments.claim], CLAIMS, arguments.reference)
        entries = decide(claims, read_tables(arguments.tables), siblings)
        write_json(arguments.out, [entry | {"section": arguments.settings["section"]} for entry in entries])
        for entry in entries:
            say(f"{entry['id']}: {entry['verdict']}")


if __name__ == "__main__":
    main()
