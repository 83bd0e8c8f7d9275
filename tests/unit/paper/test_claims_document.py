"""CLAIMS.md and README's table: up to date, whole, and every link of theirs leads somewhere."""

import difflib
import functools
import itertools
import json
import re
from dataclasses import replace
from importlib.resources import files

import pytest
from bs4 import BeautifulSoup, Tag
from paper_of_a_run import HISTORY, ROOT, claim

from ndgm.decide.root_seeds import RootSeeds, read_root_seeds
from ndgm.decide.rule_history import Change, Origin
from ndgm.groups import GROUPS
from ndgm.paper.claims_document import (
    REPLICATES,
    claims_document,
    groups_table,
    read_claims,
    too_few_replicates,
)
from ndgm.paper.other_runs import FRAGILE, OtherRuns
from ndgm.paper.rule_changes import RuleChanges, read_rule_changes
from ndgm.paper.typesetting import convert
from ndgm.paper.verdicts import DecidedClaim
from ndgm.pipeline.jobs import parts, settings
from ndgm.pipeline.settings import load
from ndgm.store.files import InputError

COMPANIONS = {group.name for group in GROUPS if group.document == "companions"}

DOCUMENT = (ROOT / "CLAIMS.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
ENTRIES = json.loads((ROOT / "reference/laptop/claims.json").read_text(encoding="utf-8"))
PAST = read_rule_changes(HISTORY)
SEEDS = read_root_seeds(ROOT / "reference/laptop/seeds.json").by_rules(PAST.digests)
JOB_OF = {one: job for group in GROUPS for job in group.jobs for one in job.experiments}
EXPERIMENTS = {one.table: one for one in JOB_OF}


@pytest.fixture(scope="module")
def claims():
    return read_claims(ROOT)


@pytest.fixture(scope="module")
def soup():
    return on_github(DOCUMENT)


def on_github(text):
    """A text as a reader on GitHub has it, by pandoc's rules for GitHub's Markdown."""
    return BeautifulSoup(convert(text, "gfm", "html5", "--mathml"), "html.parser")


@functools.cache
def pages_on_github():
    """Every document at the top, by its name."""
    return {path.name: on_github(path.read_text(encoding="utf-8")) for path in ROOT.glob("*.md")}


def verdicts_seen():
    """All verdicts of the claims that other processors decide otherwise, as the program hands them over."""
    measured = json.loads((ROOT / "reference/deviations.json").read_text(encoding="utf-8"))
    return measured["verdicts"].get("laptop", {})


def assert_same(file, found, wanted):
    lines = difflib.unified_diff(found.splitlines(), wanted.splitlines(), file, "made now", lineterm="")
    assert found == wanted, "\n".join([f"{file} is out of date: run `make claims`", *lines])


def test_the_document_is_what_is_made_now(claims):
    assert_same("CLAIMS.md", DOCUMENT, claims_document(claims, ROOT, OtherRuns(verdicts_seen(), SEEDS), PAST))


def test_each_word_for_what_is_compared_with_is_explained(claims):
    """A reader meets them as headings; *bound* was one of them without a word."""
    head = DOCUMENT.partition("\n## ")[0]
    assert {claim.compared for claim in claims if claim.compared} == {"predicted", "bound", "other arm"}
    assert all(f"*{words}*" in head for words in ("predicted", "bound", "other arm"))
    assert FRAGILE in " ".join(head.split())


def test_a_claim_that_other_processors_decide_otherwise_says_so(claims):
    this, *_ = claims = [replace(claim, fragile="") for claim in claims]
    seen = {this.id: ["inconclusive", "refuted", "supported"], "of_another_group": ["refuted"]}
    others = " or ".join(verdict for verdict in seen[this.id] if verdict != this.verdict)
    text = claims_document(claims, ROOT, OtherRuns(seen))
    line = f"**{this.verdict.capitalize()}** ({this.label}, fragile: also {others} on other processors): "
    assert text.count("fragile:") == 1 and line in text
    assert "fragile:" not in claims_document(claims, ROOT, OtherRuns({this.id: [this.verdict]}))


def test_a_rule_that_changed_after_numbers_says_so(claims):
    change = Change(("2026-01-02", "2026-01-03"), ("test",), "order()", "within(0)", "supported: 2 (1)", "")
    text = claims_document(claims, ROOT, past=RuleChanges(rules={claims[0].id: [change]}))
    days = "2026-01-02 and 2026-01-03"
    wanted = f"- Rule changed on {days}: `order()` became `within(0)`; supported: 2 (1) became not decided yet"
    assert wanted in text.splitlines() and text.count("Rule changed on") == 1
    same = replace(change, outcome_after=change.outcome_before)
    text = claims_document(claims, ROOT, past=RuleChanges(rules={claims[0].id: [same]}))
    assert wanted.partition(";")[0] + "; verdict and numbers stayed: supported: 2 (1)" in text.splitlines()
    other = replace(change, changed=("selection",), test_after="order()", outcome_before="", outcome_after="refuted")
    text = claims_document(claims, ROOT, past=RuleChanges(rules={claims[0].id: [other]}))
    line = f"- Rule changed on {days}: `order()` stayed, on another selection; not decided yet became refuted"
    assert line in text.splitlines()


@pytest.mark.parametrize(
    ("agreeing", "note"), [(5, ", 5 of 5 root seeds): "), (3, ", fragile: 3 of 5 root seeds): "), (None, "): ")]
)
def test_it_is_said_how_many_root_seeds_agree(claims, agreeing, note):
    this, *_ = claims = [replace(claim, fragile="") for claim in claims]
    other = next(verdict for verdict in ("supported", "refuted") if verdict != this.verdict)
    runs = {} if agreeing is None else {this.id: [this.verdict] * agreeing + [other] * (5 - agreeing)}
    text = claims_document(claims, ROOT, OtherRuns(root_seeds=RootSeeds([1, 2, 3, 4, 5], runs)))
    assert f"**{this.verdict.capitalize()}** ({this.label}{note}" in text
    both = claims_document(claims, ROOT, OtherRuns({this.id: [other]}, RootSeeds([1, 2, 3, 4, 5], runs)))
    assert f"({this.label}, fragile: also {other} on other processors" in both
    assert ("of 5 root seeds): " in both) == (agreeing is not None)


@pytest.mark.parametrize(("root_seeds", "spoken_of"), [([], False), ([1, 2, 3, 4], True)])
def test_the_head_speaks_of_root_seeds_where_runs_with_others_were_made(claims, root_seeds, spoken_of):
    """It once promised `seeds.json`, which was not in the repository."""
    text = claims_document(claims, ROOT, OtherRuns(root_seeds=RootSeeds(root_seeds)))
    head = " ".join(text.partition("| claims |")[0].split())
    for words in ("reference/laptop/seeds.json", "make seeds", "4 of 4 root seeds"):
        assert (words in head) == spoken_of, words


def test_why_a_claim_is_fragile_is_told(claims):
    this = replace(claims[0], fragile="21 % of resamples of its replicates decide otherwise")
    text = claims_document([this], ROOT, OtherRuns(root_seeds=RootSeeds([1, 2], {this.id: [this.verdict] * 2})))
    assert f"({this.label}, fragile: {this.fragile}, 2 of 2 root seeds): " in text


def test_the_range_of_effects_with_other_root_seeds_is_told(claims):
    this = replace(claims[0], fragile="", p_value=0.01)
    seeds = RootSeeds([1, 2], {this.id: [this.verdict] * 2}, {this.id: [0.0312, -0.01]})
    text = claims_document([this], ROOT, OtherRuns(root_seeds=seeds))
    assert f"({this.label}, 2 of 2 root seeds, effects from −1 % to 3.1 %): " in text


def test_effect_over_cells_and_margins_of_the_verdict_are_told(claims):
    over = {"above": 14, "near": 2, "below": 0, "ratio": 2.1512, "interval": [1.8, 2.5]}
    this = replace(claims[0], over_cells=over, margins=(0.0247, None))
    text = claims_document([this], ROOT)
    assert f"| {this.cells}: 14 above, 2 near, 0 below; ratio 2.15 \\[1.80, 2.50\\] |" in text
    assert f"; {this.verdict} from 2.5 % on\n" in text


def test_which_claim_one_was_added_after_is_told(claims):
    origins = {claims[0].id: Origin("2026-01-02", "a_gone_claim", "refuted: 2 (1)")}
    text = claims_document(claims[:1], ROOT, past=RuleChanges(origins=origins))
    assert "- Added on 2026-01-02 after an outcome of `a_gone_claim`; of that one: refuted: 2 (1)\n" in text


def test_findings_have_enough_replicates_or_are_named(claims):
    few = too_few_replicates(claims)
    for entry in ENTRIES:
        # The companions' sizes were laid down with their claims; what has few replicates is named all the same.
        if entry["kind"] == "finding" and entry["p_value"] is not None and entry["group"] not in COMPANIONS:
            assert entry["n"] >= REPLICATES and entry["id"] not in few
    text = claims_document(claims, ROOT)
    for name, n in few.items():
        assert 0 < n < REPLICATES and f"`{name}` ({n})" in text
    one = replace(claims[0], kind="finding", p_value=0.01, n=5)
    assert f"`{one.id}` (5)" in claims_document([one], ROOT)


def test_every_field_of_claims_json_is_explained(soup):
    explained = {row.td.text for row in soup.find(id="the-fields-of-claimsjson").find_next("table").tbody("tr")}
    assert explained == set(
        json.loads((files("ndgm.decide") / "claims.schema.json").read_text())["items"]["properties"]
    )
    for entry in ENTRIES:
        assert entry.keys() <= explained, entry["id"]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["id"])
def test_every_claim_is_told_whole(soup, claims, entry):
    here = soup.find(id=entry["id"])
    after = [part for part in here.next_siblings if isinstance(part, Tag)]
    parts = list(itertools.takewhile(lambda part: part.name not in ("h2", "h3", "h4"), after))
    text = " ".join(" ".join(part.get_text(" ") for part in parts).split())
    links = {link.text: link["href"] for part in parts for link in part("a")}
    printed = next(claim for claim in claims if claim.id == entry["id"])
    if entry["gap"]:
        assert f"No numbers: {entry['gap']}" in text
    else:
        table = next(part for part in parts if part.name == "table")
        header, row = ([cell.text for cell in line(["th", "td"])] for line in table("tr"))
        assert header == ["measured", entry["compared"], "cell that decides", "cells", "n", "p"]
        assert len(row) == 6 and all(row)
    assert printed.label in text and entry["verdict"] in text.lower()
    assert here.find_previous("h3").text.startswith({"finding": "Findings", "identity": "Identities"}[entry["kind"]])
    assert here.find_previous("h2").text == next(group.title for group in GROUPS if group.name == entry["group"])
    assert entry["test"].split("$")[0] in text
    assert f"snakemake --cores all results/laptop/claims/{entry['id']}.json" in text
    assert all(name in text for name in entry["experiments"])
    assert links["notebook"] == f"figures/{entry['figure']}.py"
    assert links["figure"] == f"reference/laptop/figures/{entry['figure']}.svg"
    assert defined_at(links["function"]) == entry["id"]


def defined_at(link):
    """The name of the function that begins at a link to a line."""
    path, _, line = link.partition("#L")
    found = re.match(r"def (\w+)\(", (ROOT / path).read_text(encoding="utf-8").splitlines()[int(line) - 1])
    assert found, f"no function begins at {link}: run `make claims`"
    return found[1]


def settings_of(experiment):
    """Names of the settings that the rules hand to an experiment."""
    job, config = JOB_OF[experiment], load("full")  # which has something for every job
    return settings(job, config, parts(job, config)[0])[job.experiments.index(experiment)].keys()


def test_every_table_has_its_function_and_settings(soup):
    rows = [[cell for cell in row("td")] for row in soup("tr") if "results/laptop/" in row.text]
    assert len(rows) == len(EXPERIMENTS)
    for (file, function, named, _), one in zip(rows, EXPERIMENTS.values(), strict=True):
        assert one.table in file.text
        assert defined_at(function.a["href"]) == one.function.partition(".")[2]
        in_common = {"root_seed", "device", "ensemble_size"} & settings_of(one)
        assert set(named.text.split(", ")) - {"–"} == {*filter(None, [one.settings]), *one.also, *in_common}


def test_the_data_name_each_table_once(soup):
    for row in soup.find(id="the-data").find_next("table").tbody("tr"):
        named = row("td")[2].text.split(", ")
        assert len(named) == len(set(named)) and {*named} <= EXPERIMENTS.keys()


@pytest.mark.parametrize("file", ["CLAIMS.md", "README.md", "CONTRIBUTING.md", "PLATFORMS.md"])
def test_every_link_leads_somewhere(file):
    pages = pages_on_github()
    targets = [tag.get("href") or tag.get("src") for tag in pages[file](["a", "img"]) if not tag.get("id")]
    for target in targets:
        path, _, anchor = target.partition("#")
        if path.startswith("http"):
            continue
        assert (ROOT / path).exists(), target
        if anchor and (path or file).endswith(".md"):
            assert pages[path or file].find(id=anchor), target


def test_formulas_are_set_and_tables_whole(soup):
    assert len(soup("math")) == DOCUMENT.count("$`") > 50
    assert "$" not in soup.get_text()
    for table in soup("table"):
        assert len({len(row(["th", "td"])) for row in table("tr")}) == 1


def test_no_number_is_printed_that_says_nothing():
    assert not re.search(r"(?<![\d.])[-−]0(?![.\d])", DOCUMENT)
    assert r"1 \[1, 1\]" not in DOCUMENT
    for file in (DOCUMENT, README):
        assert not re.search(r"(?<![\d.])1 of the", file)


def test_what_looks_like_a_tag_is_shown(soup):
    # GitHub leaves out tags that it does not know: paths lost their scale.
    assert "results/<scale>/" in soup.get_text()


def test_bars_do_not_end_a_cell(claims):
    barred = replace(claims[0], unit=r"$\|w\|_1$", where="size |w|")
    text = claims_document([barred], ROOT)
    row = next(line for line in text.splitlines() if r"size \|w\|" in line)
    assert r"$`\Vert w\Vert _1`$" in row
    assert len(re.findall(r"(?<!\\)\|", row)) == 7


def test_a_gap_is_told_in_the_place_of_numbers():
    nothing = dict.fromkeys(("measured", "reference", "compared", "interval", "p_value", "p_support", "p_refute"))
    gap = nothing | {"gap": "2 of 20 runs diverged", "verdict": "inconclusive", "n": 0, "cells": 0, "where": {}}
    entry = DecidedClaim.read(claim("l1_paradox_law", group="l1_paradox", table={}, **gap))
    text = claims_document([entry], ROOT).partition("#### l1_paradox_law")[2]
    assert "**Inconclusive**" in text and "No numbers: 2 of 20 runs diverged." in text


def test_findings_and_identities_are_counted_apart(claims):
    rows = [line.split(" | ") for line in groups_table(claims).splitlines()]
    kinds = [entry["kind"] for entry in ENTRIES]
    assert [int(cell) for cell in rows[-1][1:4]] == [
        sum(entry["kind"] == "finding" and entry["verdict"] == verdict for entry in ENTRIES) for verdict in rows[0][1:4]
    ]
    assert rows[-1][4].strip(" |").endswith(f" of {kinds.count('identity')}")
    assert len(rows) == 2 + len(GROUPS) + 1


def test_faults_are_named(tmp_path):
    (tmp_path / "reference/laptop").mkdir(parents=True)
    faults = [({"group": "alchemy"}, "'alchemy' is not a group"), ({"verdict": "true"}, "verdict: 'true'")]
    for changes, fault in faults:
        entries = [claim("l1_paradox_law") | changes]
        (tmp_path / "reference/laptop/claims.json").write_text(json.dumps(entries), encoding="utf-8")
        with pytest.raises((InputError, ValueError), match=fault):
            read_claims(tmp_path)
    unknown = DecidedClaim.read(claim("l1_paradox_of_nobody", group="l1_paradox"))
    with pytest.raises(InputError, match=r"claims/l1_paradox.py: no function l1_paradox_of_nobody"):
        claims_document([unknown], ROOT)
