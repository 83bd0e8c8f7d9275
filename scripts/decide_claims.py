"""Decide the claims of one group from the tables that they read; with `--claim`, one of them.

Settings are the `group` and its `section` of the document.
"""

from importlib import import_module
from pathlib import Path

from ndgm.pipeline.programs import argument_parser, function_of, program
from ndgm.store.files import InputError, write_json


def main() -> None:
    """Run the program."""
    parser = argument_parser(__doc__, "settings", "out", any_number=("tables",))  # an absent claim has none
    parser.add_argument("--claim", help="decide this claim alone")
    parser.add_argument("--reference", type=Path, nargs="?", help="claims.json with the other p values of its group")
    arguments = parser.parse_args()
    with program(arguments) as say:
        # Imported here, so that an interruption while pandas loads is one line too.
        from ndgm.decide.claim import CLAIMS
        from ndgm.decide.entries import decide, p_values_of_siblings
        from ndgm.decide.missing_columns import MissingColumn
        from ndgm.store.run_tables import read_tables

        group, section = arguments.settings["group"], arguments.settings["section"]
        import_module(f"ndgm.claims.{group}")  # registers its claims
        claims, siblings = CLAIMS, []
        if claim := arguments.claim:
            if claim not in CLAIMS:
                raise InputError(f"{group} has no claim {claim}; it has {', '.join(CLAIMS)}")
            if not arguments.reference:
                raise InputError(
                    f"{claim}: there is no reference with the p values of the other claims of its group; "
                    f"make {arguments.out.with_name(group)}.json, which decides all of them"
                )
            claims = {claim: CLAIMS[claim]}
            siblings = p_values_of_siblings(CLAIMS[claim], CLAIMS, arguments.reference)
        tables = read_tables(arguments.tables)
        try:
            entries = decide(claims, tables, siblings)
        except MissingColumn as lacking:
            # Imported here and by its name, because no claim depends on what is said of columns.
            if not function_of("paper", "columns.is_described")(lacking.column):  # no table ever had it
                raise InputError(f"src/ndgm/claims/{group}.py: {lacking}") from lacking
            path = next(path for path in arguments.tables if f"{path.stem}_".startswith(f"{lacking.experiment}_"))
            raise InputError(f"{path}: {lacking}; remove it and run again") from lacking
        write_json(arguments.out, [entry | {"section": section} for entry in entries], fingerprint=True)
        for entry in entries:
            reason = f" ({entry['gap']})" if entry["gap"] else ""
            say(f"{entry['id']}: {entry['verdict']}{reason}")
        for name in sorted(name for name, one in claims.items() if one.absent_from(tables)):
            say(f"{name}: absent, because the config names no data for {claims[name].design}")


if __name__ == "__main__":
    main()
