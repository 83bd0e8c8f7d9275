"""Ask the indexes of pip for one package, and name one that does not answer, which pip would ask for every package.

It is run by `scripts/set_up.sh` before anything is installed, and so imports nothing of ours. pip itself asks, because
it has proxies and certificates of its own.
"""

import argparse
import re
import subprocess
import sys

PATIENCE = 20
"""Seconds for all addresses that an index has."""

TWICE = ("-vv", "--disable-pip-version-check", "--retries", "1", "--timeout", "8")
ASKED = re.compile(r"^ *Getting page (\S+)$", re.MULTILINE)
FAILED = re.compile(r"^ *Could not fetch URL (\S+): (?:connection error|timed out)(.*)$", re.MULTILINE)


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package")
    parser.add_argument("--index-url", help="in the place of the index that pip asks by itself")
    arguments = parser.parse_args()
    index = ["--index-url", arguments.index_url] if arguments.index_url else []
    sys.exit(silent(arguments.package, *index) or 0)


def silent(*options: str) -> str:
    """The address that does not answer, and why; empty where all do. Options are those of `pip index versions`."""
    command = [sys.executable, "-m", "pip", *TWICE, "index", "versions", *options]
    try:
        said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE).stdout
    except subprocess.TimeoutExpired as late:
        asked = ASKED.findall((late.stdout or b"").decode(errors="replace"))
        return f"{asked[-1] if asked else 'the index of pip'}: no answer"
    if not (failed := FAILED.search(said.decode(errors="replace"))):
        return ""
    why = re.search(r"\[Errno -?\d+\] ([^'\")]+)", failed[2])
    return f"{failed[1]}: {why[1] if why else 'no answer'}"


if __name__ == "__main__":
    main()
