"""What a name that is not known may have meant."""

import difflib
from collections.abc import Collection


def meant(name: str, known: Collection[str]) -> str:
    """Known names that are spelt like an unknown one, three at most; all of them, in their order, where none is."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
