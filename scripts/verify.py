"""Compare a run with its reference: identical bytes, within tolerance, or different; fails where a value differs."""

import sys

from ndgm.pipeline.programs import argument_parser, program


def main() -> None:
    """Run the program."""
    arguments = argument_parser(__doc__, "results", "reference").parse_args()
    with program(arguments) as say:
        # Imported here, so that an interruption while pandas loads is one line too.
        from ndgm.pipeline.verification import Agreement, compare, report

        comparisons = compare(arguments.results, arguments.reference)
        for line in report(comparisons, arguments.reference):
            say(line)
    if max(each.agreement for each in comparisons) == Agreement.DIFFERS:
        sys.exit(1)


if __name__ == "__main__":
    main()
