"""Check a CUDA device: tests, every experiment twice in small, verdicts, speed, and what there is time for of `full`.

It needs PyTorch, NumPy, pandas, pyarrow, SciPy, scikit-learn, tqdm and pytest, and our modules on PYTHONPATH. What was
not reached in time, or for want of foolbox or mlxtend, is said to be so. Without the tests, the small experiments and
their verdicts a device has not passed. Experiments of NumPy alone are run on the processor.
"""

import re
import sys
import tempfile
import time
from pathlib import Path

BEGUN = time.monotonic()  # before PyTorch is imported, which may take long
ROOT = Path(__file__).resolve().parents[1]

try:
    from ndgm.data.sources import SOURCES
    from ndgm.experiments.determinism import deterministic_torch
    from ndgm.pipeline.check import Check
    from ndgm.pipeline.check_steps import benchmark, largest_part, tests, twice, verdicts
    from ndgm.pipeline.device import description
    from ndgm.pipeline.programs import argument_parser, program
    from ndgm.pipeline.steps import Deadline, Outcome, passed, take, unreached
    from ndgm.store.files import read_json
except ModuleNotFoundError as missing:
    sys.exit(f"error: {sys.executable} finds no {missing.name}")
except ImportError as fault:
    wanted = re.findall('requires-python = "(.*)"', (ROOT / "pyproject.toml").read_text())[0]
    sys.exit(f"error: {fault}; {sys.executable} is Python {sys.version.split()[0]}, and {wanted} is needed")

TO_END = 5
"""Seconds that the start of Python and the end of this program take."""

REQUIRED = ("tests", "smoke", "verdicts")
"""Steps without which a device has not passed."""


def main() -> None:
    """Run the program."""
    parser = argument_parser(__doc__, "out")
    parser.add_argument("--minutes", type=float, default=8, help="when it stops with what it has")
    arguments = parser.parse_args()
    deadline = Deadline(60 * arguments.minutes - TO_END - (time.monotonic() - BEGUN))
    with program(arguments) as say, tempfile.TemporaryDirectory() as folder:
        deterministic_torch("cuda")
        configs = {
            scale: {**read_json(ROOT / f"reference/{scale}/settings.json"), "device": "cuda"}
            for scale in ("smoke", "full")
        }
        check = Check("cuda", configs, SOURCES, ROOT, Path(folder), deadline)
        # The cheapest and most telling first; each leaves time for those after it.
        steps = {
            "tests": lambda: tests(check, seconds=deadline.left / 3),
            "smoke": lambda: twice(check, "smoke", seconds=deadline.left * 2 / 3),
            "verdicts": lambda: verdicts(check, "smoke", seconds=deadline.left / 3),
            "benchmark": lambda: benchmark(check, seconds=deadline.left / 2),
            "full": lambda: largest_part(check, "full"),
        }
        head = {**description("cuda"), "minutes": arguments.minutes}
        records = take(steps, arguments.out, head, say, REQUIRED)
        counts = ", ".join(f"{sum(record.outcome == one for record in records)} {one}" for one in Outcome)
        say(f"{arguments.out}: {counts}")
        if names := unreached(records, REQUIRED):
            say(f"error: not passed, because these were not reached: {', '.join(names)}")
    if not passed(records, REQUIRED):
        sys.exit(1)


if __name__ == "__main__":
    main()
