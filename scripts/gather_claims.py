"""Gather the decided claims of all groups, sorted by id."""

from collections import Counter
from operator import itemgetter

from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.files import read_json_list, write_json


def main() -> None:
    """Run the program."""
    arguments = argument_parser(__doc__, "out", many=("claims",)).parse_args()
    with program(arguments) as say:
        decided = (entry for path in arguments.claims for entry in read_json_list(path, keys=("id", "verdict")))
        entries = sorted(decided, key=itemgetter("id"))
        write_json(arguments.out, entries, fingerprint=True)
        counts = Counter(entry["verdict"] for entry in entries)
        say(f"{len(entries)} claims: {', '.join(f'{counts[verdict]} {verdict}' for verdict in sorted(counts))}")


if __name__ == "__main__":
    main()
