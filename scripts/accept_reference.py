"""Make the results of a scale the reference that later runs are compared with. Run by hand, never by the pipeline."""

from ndgm.pipeline.deviations import read_measured
from ndgm.pipeline.programs import argument_parser, program
from ndgm.pipeline.settings import load
from ndgm.pipeline.verification import accept


def main() -> None:
    """Run the program."""
    arguments = argument_parser(__doc__, "results", "reference").parse_args()
    scale = arguments.results.resolve().name
    with program(arguments) as say:
        found = read_measured(arguments.reference.parent / "deviations.json")
        accept(arguments.results, arguments.reference, load(scale), found.deviations, found.verdicts.get(scale, {}))
        say(f"{arguments.reference} now holds what {arguments.results} gave")


if __name__ == "__main__":
    main()
