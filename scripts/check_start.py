"""Look at config files, and at folders that Snakemake writes to, before it starts: a fault is one line."""

import os
import sys

from ndgm.pipeline.programs import argument_parser
from ndgm.pipeline.start import unfit


def main() -> None:
    """Run the program."""
    arguments = argument_parser(__doc__, many=("files",)).parse_args()
    if fault := unfit(arguments.files, os.environ):
        sys.exit(f"error: {fault}")


if __name__ == "__main__":
    main()
