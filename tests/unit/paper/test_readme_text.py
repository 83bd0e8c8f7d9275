"""What README says of the reference run: up to date, and its sentence with the numbers of its table."""

import re
from dataclasses import replace

import pytest
from paper_of_a_run import ROOT, claim, other_runs

from ndgm.paper.claims_document import groups_table, read_claims
from ndgm.paper.other_runs import OtherRuns
from ndgm.paper.readme_text import readme_of, totals_sentence
from ndgm.paper.verdicts import DecidedClaim
from ndgm.store.files import InputError

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_is_what_is_made_now():
    assert readme_of(README, read_claims(ROOT), other_runs()) == README, (
        "README.md is not up to date: run `make claims`"
    )


@pytest.mark.parametrize("made", [totals_sentence, groups_table])
def test_what_stands_between_the_markers_is_made(made):
    claims, others = read_claims(ROOT), other_runs()
    stale = README.replace(made(claims, others) if made is totals_sentence else made(claims), "old")
    assert stale != README and readme_of(stale, claims, others) == README


def test_its_numbers_are_those_of_the_last_row_of_the_table():
    claims = read_claims(ROOT)
    supported, refuted, inconclusive, held, identities = map(
        int, re.findall(r"\d+", groups_table(claims).splitlines()[-1])
    )
    found = [int(number) for number in re.findall(r"\d+", totals_sentence(claims))]
    decided = supported + refuted
    fragile = found.pop(5)
    assert found == [decided + inconclusive, supported, refuted, inconclusive, decided, identities]
    assert 0 <= fragile <= decided
    assert held == identities


def test_kinds_and_verdicts_are_counted_apart_and_an_identity_that_does_not_hold_is_told():
    one = DecidedClaim.read(claim("l1_paradox_floor"))
    claims = [replace(one, verdict=verdict) for verdict in ("supported", "supported", "refuted", "inconclusive")]
    claims += [replace(one, kind="identity"), replace(one, kind="identity", verdict="refuted")]
    assert " ".join(totals_sentence(claims).split()) == (
        "Of 4 claims that could have come out otherwise, **2 are supported, 1 refuted and 1 inconclusive**; of the 3 "
        "decided, 0 are [fragile](CLAIMS.md). The other 2 are *identities*, algebra or theorems that check the code: "
        "1 hold."
    )


def test_decided_findings_that_are_fragile_are_counted_whatever_makes_them_so():
    """By resamples or by another run; those that are inconclusive, and identities, are not decided findings."""
    one = DecidedClaim.read(claim("l1_paradox_floor"))
    claims = [one, replace(one, fragile="7 % of resamples"), replace(one, id="elsewhere")]
    claims += [replace(one, fragile="so", verdict="inconclusive"), replace(one, fragile="so", kind="identity")]
    assert "of the 3 decided, 1 are [fragile]" in " ".join(totals_sentence(claims).split())
    others = OtherRuns({"elsewhere": ["refuted", "supported"]})
    assert "of the 3 decided, 2 are [fragile]" in " ".join(totals_sentence(claims, others).split())


@pytest.mark.parametrize("name", ["totals", "groups"])
@pytest.mark.parametrize("closing", ["", "/"])
def test_markers_that_are_not_there_are_named(name, closing):
    without = README.replace(f"<!-- {closing}{name} -->", "")
    with pytest.raises(InputError, match=re.escape(f"README.md: no lines <!-- {name} --> and <!-- /{name} -->")):
        readme_of(without, read_claims(ROOT))
