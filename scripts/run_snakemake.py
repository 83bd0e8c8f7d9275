"""Run Snakemake with the options given; an interruption, or results that are locked, end in one line."""

import sys
from contextlib import suppress

from ndgm.pipeline.supervision import supervised


def main() -> None:
    """Run the program."""
    code, line = supervised([sys.executable, "-m", "snakemake", *sys.argv[1:]])
    if line:
        with suppress(OSError):  # a terminal that was closed takes no line
            print(line, file=sys.stderr, flush=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
