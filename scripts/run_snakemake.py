"""Run Snakemake with the options given; an interruption, or results that are locked, end in one line."""

import signal
import sys
from contextlib import suppress

from ndgm.pipeline.interruption import SIGNALS, Interrupted, interruptible


def main() -> None:
    """Run the program."""
    try:
        with interruptible():
            # Imported here, so that an interruption while it loads is one line too.
            from ndgm.pipeline.supervision import supervised

            code, line = supervised([sys.executable, "-m", "snakemake", *sys.argv[1:]])
    except Interrupted as ended:
        code, line = ended.exit_code, ended.line(goes_on=True)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # what has ended cannot be interrupted any more
    if line:
        with suppress(OSError):  # a terminal that was closed takes no line
            print(f"\n{line}", file=sys.stderr, flush=True)  # apart: Snakemake may have ended within a line
    sys.exit(code)


if __name__ == "__main__":
    main()
