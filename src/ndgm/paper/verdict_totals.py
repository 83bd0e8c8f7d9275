"""The sentence of README that says how all claims came out, made from `reference/laptop/claims.json`."""

from collections import Counter
from collections.abc import Sequence
from textwrap import fill

from ndgm.paper.verdicts import DecidedClaim
from ndgm.store.files import InputError

MARKERS = ("<!-- totals -->", "<!-- /totals -->")
"""Lines of README between which the sentence stands."""


def totals_sentence(claims: Sequence[DecidedClaim]) -> str:
    """How many findings have each verdict, and how many identities hold, in lines of README's length."""
    findings = Counter(claim.verdict for claim in claims if claim.kind == "finding")
    identities = Counter(claim.verdict for claim in claims if claim.kind == "identity")
    held = "all" if identities["supported"] == identities.total() else str(identities["supported"])
    return fill(
        f"Of {findings.total()} claims that could have come out otherwise, **{findings['supported']} are supported, "
        f"{findings['refuted']} refuted and {findings['inconclusive']} inconclusive**. The other {identities.total()} "
        f"are *identities*, algebra or theorems that check the code: {held} of them hold.",
        width=120,
        break_on_hyphens=False,
    )


def with_totals(readme: str, sentence: str) -> str:
    """The text of README with `sentence` between its markers.

    Raises:
        InputError: if the markers are not there.
    """
    before, start, rest = readme.partition(MARKERS[0])
    _, end, after = rest.partition(MARKERS[1])
    if not end:
        raise InputError(f"README.md: no lines {MARKERS[0]} and {MARKERS[1]}")
    return f"{before}{start}\n{sentence}\n{end}{after}"
