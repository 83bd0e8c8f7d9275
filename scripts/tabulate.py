"""Compute the tables of a job that trains nothing, and write a record beside each.

Settings are those of each experiment, with its name and its `function`, as `module.function` in ndgm.experiments.
"""

from dataclasses import replace

from ndgm.pipeline.programs import argument_parser, function_of, program
from ndgm.store.files import write_json


def main() -> None:
    """Run the program."""
    arguments = argument_parser(__doc__, "settings", many=("out",), any_number=("samples", "reads")).parse_args()
    with program(arguments) as say:
        # Imported here, so that an interruption while pandas loads is one line too.
        from ndgm.experiments.finite import check_finite
        from ndgm.experiments.inputs import Found, read_inputs
        from ndgm.store.provenance import origin, record
        from ndgm.store.run_tables import write_table

        if device := next((each["device"] for each in arguments.settings if "device" in each), ""):
            # Imported here, because experiments that use NumPy alone do not wait for PyTorch.
            from ndgm.experiments.determinism import deterministic_torch

            deterministic_torch(device)
        inputs = read_inputs(arguments.samples, arguments.reads)
        found: dict[str, Found] = {}
        files = {f"{path.parent.name}/{path.name}": path for path in [*arguments.samples, *arguments.reads]}
        for settings, out in zip(arguments.settings, arguments.out, strict=True):
            result = function_of("experiments", settings["function"])(settings, replace(inputs, found=found))
            found[settings["experiment"]] = result if isinstance(result, Found) else Found(result, {})
            table = found[settings["experiment"]].table
            check_finite(table, settings["undefined"])
            write_table(out, table)
            made_by = record if "device" in settings else origin
            write_json(out.with_suffix(".json"), made_by(settings, files) | table.attrs)
            said = "".join(f", {attribute.replace('_', ' ')}: {value}" for attribute, value in table.attrs.items())
            say(f"{out.stem}: {len(table):,} rows{said}")


if __name__ == "__main__":
    main()
