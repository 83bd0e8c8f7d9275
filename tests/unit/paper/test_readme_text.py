"""What README says of the reference run: up to date, and its sentence with the numbers of its table."""

import re
from dataclasses import replace

import pytest
from paper_of_a_run import ROOT, claim

from ndgm.paper.claims_document import groups_table, read_claims
from ndgm.paper.readme_text import readme_of, totals_sentence
from ndgm.paper.verdicts import DecidedClaim
from ndgm.store.files import InputError

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_is_what_is_made_now():
    assert readme_of(README, read_claims(ROOT)) == README, "README.md is not up to date: run `make claims`"


@pytest.mark.parametrize("made", [totals_sentence, groups_table])
def test_what_stands_between_the_markers_is_made(made):
    claims = read_claims(ROOT)
    stale = README.replace(made(claims), "old")
    assert stale != README and readme_of(stale, claims) == README


def test_its_numbers_are_those_of_the_last_row_of_the_table():
    claims = read_claims(ROOT)
    supported, refuted, inconclusive, held, identities = map(
        int, re.findall(r"\d+", groups_table(claims).splitlines()[-1])
    )
    found = [int(number) for number in re.findall(r"\d+", totals_sentence(claims))]
    assert found == [supported + refuted + inconclusive, supported, refuted, inconclusive, identities]
    assert held == identities


def test_kinds_and_verdicts_are_counted_apart_and_an_identity_that_does_not_hold_is_told():
    one = DecidedClaim.read(claim("l1_paradox_floor"))
    claims = [replace(one, verdict=verdict) for verdict in ("supported", "supported", "refuted", "inconclusive")]
    claims += [replace(one, kind="identity"), replace(one, kind="identity", verdict="refuted")]
    assert " ".join(totals_sentence(claims).split()) == (
        "Of 4 claims that could have come out otherwise, **2 are supported, 1 refuted and 1 inconclusive**. "
        "The other 2 are *identities*, algebra or theorems that check the code: 1 of them hold."
    )


@pytest.mark.parametrize("name", ["totals", "groups"])
@pytest.mark.parametrize("closing", ["", "/"])
def test_markers_that_are_not_there_are_named(name, closing):
    without = README.replace(f"<!-- {closing}{name} -->", "")
    with pytest.raises(InputError, match=re.escape(f"README.md: no lines <!-- {name} --> and <!-- /{name} -->")):
        readme_of(without, read_claims(ROOT))
