"""What README says of the reference run, between lines that mark it; made from `reference/laptop/claims.json`."""

from collections import Counter
from collections.abc import Sequence
from textwrap import fill

from ndgm.decide.verdict import Verdict
from ndgm.paper.claims_document import groups_table
from ndgm.paper.other_runs import NO_OTHER_RUNS, OtherRuns
from ndgm.paper.verdicts import DecidedClaim
from ndgm.store.files import InputError


def readme_of(readme: str, claims: Sequence[DecidedClaim], others: OtherRuns = NO_OTHER_RUNS) -> str:
    """The text of README with the totals of these claims, and their table by group, between its markers.

    Raises:
        InputError: naming markers that are not there.
    """
    made = {"totals": totals_sentence(claims, others), "groups": f"\n{groups_table(claims)}\n"}
    for name, text in made.items():
        readme = _marked(readme, name, text)
    return readme


def totals_sentence(claims: Sequence[DecidedClaim], others: OtherRuns = NO_OTHER_RUNS) -> str:
    """How many findings have each verdict, how many of these are fragile, and how many identities hold.

    Its lines have README's length. Fragile ones are counted among those that are not inconclusive.
    """
    findings = Counter(claim.verdict for claim in claims if claim.kind == "finding")
    identities = Counter(claim.verdict for claim in claims if claim.kind == "identity")
    decided = [claim for claim in claims if claim.kind == "finding" and claim.verdict != Verdict.INCONCLUSIVE]
    fragile = sum(bool(others.why_fragile(claim)) for claim in decided)
    held = "all" if identities["supported"] == identities.total() else str(identities["supported"])
    return fill(
        f"Of {findings.total()} claims that could have come out otherwise, **{findings['supported']} are supported, "
        f"{findings['refuted']} refuted and {findings['inconclusive']} inconclusive**; of the {len(decided)} decided, "
        f"{fragile} are [fragile](CLAIMS.md). "
        f"The other {identities.total()} are *identities*, algebra or theorems that check the code: {held} hold.",
        width=120,
        break_on_hyphens=False,
    )


def _marked(readme: str, name: str, text: str) -> str:
    """The text of README with another text between the markers of a name."""
    markers = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, start, rest = readme.partition(markers[0])
    _, end, after = rest.partition(markers[1])
    if not end:
        raise InputError(f"README.md: no lines {' and '.join(markers)}")
    return f"{before}{start}\n{text}\n{end}{after}"
