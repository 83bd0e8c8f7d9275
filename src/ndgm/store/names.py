"""Names that there are not, beside those that there are."""

import difflib
from collections.abc import Collection


def meant(name: str, known: Collection[str]) -> str:
    """Names that may have been meant by one that there is not, three at most; all in their order where none is near."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
