"""Make the results of a scale the reference that later runs are compared with. Run by hand, never by the pipeline."""

from ndgm.pipeline.deviations import check_scale, read_measured
from ndgm.pipeline.programs import argument_parser, program
from ndgm.pipeline.settings import load
from ndgm.pipeline.verification import accept, check_complete
from ndgm.store.files import InputError


def main() -> None:
    """Run the program."""
    arguments = argument_parser(__doc__, "results", "reference").parse_args()
    scale = arguments.results.resolve().name
    with program(arguments) as say:
        measured = arguments.reference.parent / "deviations.json"
        found = read_measured(measured)
        if scale not in {pair["scale"] for pair in found.runs}:
            raise InputError(f"{measured}: no run of {scale}; scripts/measure_deviations.py makes some")
        config = load(scale)
        check_scale(arguments.reference, scale)
        check_complete(arguments.results, config)
        accept(arguments.results, arguments.reference, config, found.deviations, found.verdicts.get(scale, {}))
        say(f"{arguments.reference} now holds what {arguments.results} gave")


if __name__ == "__main__":
    main()
