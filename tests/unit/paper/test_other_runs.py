"""What makes a verdict fragile: one meaning, for every text that says the word."""

import json

import pytest
from paper_of_a_run import HISTORY, ROOT, SETTINGS, claim

from ndgm.decide.root_seeds import RootSeeds
from ndgm.paper.claims_document import claims_document
from ndgm.paper.manuscript import Manuscript
from ndgm.paper.other_runs import OtherRuns
from ndgm.paper.readme_text import totals_sentence
from ndgm.paper.verdicts import DecidedClaim

NAME = "l1_paradox_law"
RESAMPLES = "7 % of resamples of its replicates decide otherwise"
SEEDS = RootSeeds([1, 2], {NAME: ["supported", "refuted"]})
ALIKE = RootSeeds([1, 2], {NAME: ["supported", "supported"]})


@pytest.mark.parametrize(
    ("fragile", "others", "why"),
    [
        (None, OtherRuns(), []),
        (None, OtherRuns({NAME: ["supported"], "another": ["refuted"]}, ALIKE), []),
        (RESAMPLES, OtherRuns(root_seeds=ALIKE), [RESAMPLES]),
        (None, OtherRuns({NAME: ["refuted", "supported"]}), ["also refuted on other processors"]),
        (None, OtherRuns(root_seeds=SEEDS), ["1 of 2 root seeds"]),
        (
            RESAMPLES,
            OtherRuns({NAME: ["refuted", "supported"]}, SEEDS),
            [RESAMPLES, "also refuted on other processors", "1 of 2 root seeds"],
        ),
    ],
)
def test_every_text_calls_the_same_verdicts_fragile(fragile, others, why, tmp_path):
    """Documents once left out other processors, and README all of it."""
    entry = claim(NAME, fragile=fragile)
    decided = DecidedClaim.read(entry)
    assert others.why_fragile(decided) == why
    (tmp_path / "claims.json").write_text(json.dumps([entry]), encoding="utf-8")
    paper = Manuscript([tmp_path / "claims.json"], SETTINGS, tmp_path, tmp_path, HISTORY, others)
    assert (", fragile]" in paper.tag(NAME).replace("\\", "")) == bool(why)
    assert (", fragile" in paper.verdicts_table("l1_paradox", "All.")) == bool(why)
    assert ("(L1-law, fragile: " in claims_document([decided], ROOT, others)) == bool(why)
    assert f"of the 1 decided, {len(why[:1])} are" in " ".join(totals_sentence([decided], others).split())
