"""The paper's placeholders: what they print, and how strict they are."""

import json
import re

import pytest
from paper_of_a_run import FULL, HISTORY, SETTINGS, SHOWN, SOURCES, claim, manuscript, placed, run

from ndgm.decide.root_seeds import RootSeeds
from ndgm.decide.statistics import ERROR_RATE
from ndgm.paper.manuscript import Manuscript
from ndgm.paper.other_runs import OtherRuns
from ndgm.paper.rule_changes import read_rule_changes
from ndgm.paper.typesetting import convert
from ndgm.paper.verdicts import VERDICTS
from ndgm.store.files import InputError


@pytest.fixture
def fill(tmp_path):
    """Fill a source with one claim and a drawn figure."""

    def with_claims(source, *claims, settings=SETTINGS):
        path = tmp_path / "paper.md"
        path.write_text(source, encoding="utf-8")
        (tmp_path / "claims.json").write_text(json.dumps(claims or [claim("l1_paradox_floor")]), encoding="utf-8")
        return Manuscript([tmp_path / "claims.json"], settings, tmp_path, tmp_path, HISTORY).fill(path)

    return with_claims


def test_numbers_come_with_the_digits_of_their_interval(fill):
    source = '{{ claim("l1_paradox_floor").measured }} {{ claim("l1_paradox_floor").interval }}'
    assert fill(source) == r"1.012 \[1.007, 1.018\]"


def test_a_small_reference_does_not_read_as_zero(fill):
    small = claim("l1_paradox_floor", measured=0.38, interval=[0.24, 0.52], reference=0.00084809)
    assert fill('{{ claim("l1_paradox_floor").reference }}', small) == "0.0008481"
    assert fill('{{ claim("l1_paradox_floor").reference }}') == "1.000"


@pytest.mark.parametrize("source", ['outcome("l1_paradox_floor")', 'verdicts_table("l1_paradox", "Verdicts.")'])
def test_the_other_arm_of_a_comparison_is_not_called_a_prediction(fill, source):
    arms = claim("l1_paradox_floor", compared="other arm", reference=2.5, unit="weights")
    printed = fill(f"{{{{ {source} }}}}", arms)
    assert "predicted 2.500" not in printed and "compared with 2.500 weights" in printed.replace(
        "2.500 weights (other arm)", "compared with 2.500 weights"
    )
    assert "compared with" not in fill(f"{{{{ {source} }}}}") and "(other arm)" not in fill(f"{{{{ {source} }}}}")


@pytest.mark.parametrize("source", ['outcome("l1_paradox_floor")', 'verdicts_table("l1_paradox", "Verdicts.")'])
def test_an_order_of_two_arms_is_printed_in_pairs(fill, source):
    arms = claim("l1_paradox_floor", compared="other arm", in_pairs=True, effect=[0.5, 0.25, 0.75])
    assert ", in pairs 1.5" in fill(f"{{{{ {source} }}}}", arms)
    assert "in pairs" not in fill(f"{{{{ {source} }}}}")


def test_identities_have_a_table_of_their_own(fill):
    both = [claim("l1_paradox_floor"), claim("l1_paradox_slope", kind="identity")]
    findings, _, identities = fill('{{ verdicts_table("l1_paradox", "Verdicts.") }}', *both).partition(
        "#tab-identities"
    )
    assert "L1-floor" in findings and "L1-slope" not in findings
    assert "L1-slope" in identities and "L1-floor" not in identities
    assert "#tab-identities" not in fill('{{ verdicts_table("l1_paradox", "Verdicts.") }}', both[0])


def test_a_fragile_verdict_says_so_in_its_row(fill):
    clear, fragile = (
        fill('{{ verdicts_table("l1_paradox", "Verdicts.") }}', claim("l1_paradox_floor", fragile=why))
        for why in (None, "another run did")
    )
    assert "fragile" in fragile and "fragile" not in clear


@pytest.mark.parametrize(
    ("seen", "said"),
    [(["supported"] * 3, "supported]{.supported}, 3 of 3"), (["refuted", "supported"], "fragile, 1 of 2")],
)
def test_root_seeds_that_decide_alike_are_counted_beside_the_verdict(seen, said, tmp_path):
    both = [claim("l1_paradox_floor"), claim("l1_paradox_slope")]
    (tmp_path / "claims.json").write_text(json.dumps(both), encoding="utf-8")
    root_seeds = RootSeeds(list(range(len(seen))), {"l1_paradox_floor": seen}, {"l1_paradox_floor": [0.1] * len(seen)})
    manuscript = Manuscript(
        [tmp_path / "claims.json"], SETTINGS, tmp_path, tmp_path, HISTORY, OtherRuns(root_seeds=root_seeds)
    )
    source = tmp_path / "paper.md"
    source.write_text(
        '{{ root_seeds }} {{ decided_alike }} {{ tag("l1_paradox_floor") }} {{ verdicts_table("l1_paradox", "All.") }}'
    )
    filled = manuscript.fill(source)
    alike = len(set(seen)) == 1
    assert said in filled and filled.startswith(f"{len(seen)} {int(alike)} ")
    assert (", fragile" in manuscript.tag("l1_paradox_floor")) != alike
    assert " of " not in filled.partition("#claim-l1_paradox_slope")[2], "no run with another root seed has it"


@pytest.mark.parametrize(
    ("verdict", "agreeing", "said", "word"),
    [
        ("supported", 0, "open", "supported, but not with most other root seeds"),
        ("supported", 1, "open", "supported, but not with most other root seeds"),
        ("supported", 2, "yes", "supported"),
        ("supported", 4, "yes", "supported"),
        ("refuted", 1, "no", "refuted"),  # one cell is enough, whatever others are like with another root seed
        ("inconclusive", 0, "open", "inconclusive"),
    ],
)
def test_the_text_leaves_open_what_most_other_root_seeds_do_not_support(verdict, agreeing, said, word, tmp_path):
    other = "supported" if verdict == "inconclusive" else "inconclusive"
    seen = [verdict] * agreeing + [other] * (4 - agreeing)
    (tmp_path / "claims.json").write_text(json.dumps([claim("l1_paradox_floor", verdict=verdict)]), encoding="utf-8")
    others = OtherRuns(root_seeds=RootSeeds(list(range(4)), {"l1_paradox_floor": seen}, {}))
    manuscript = Manuscript([tmp_path / "claims.json"], SETTINGS, tmp_path, tmp_path, HISTORY, others)
    assert manuscript.decided("l1_paradox_floor", supported="yes", refuted="no", inconclusive="open") == said
    assert manuscript.verdict("l1_paradox_floor") == word


def test_cells_on_each_side_are_told_where_a_claim_is_not_supported(fill):
    over = {"above": 33, "near": 1, "below": 0, "ratio": 3.21, "interval": None}
    told = "cells 33 above, 1 near, 0 below; ratio 3.21"
    for verdict in ("supported", "refuted", "inconclusive"):
        text = fill('{{ outcome("l1_paradox_floor") }}', claim("l1_paradox_floor", verdict=verdict, over_cells=over))
        assert (told in text) == (verdict != "supported")
    assert "cells" not in fill('{{ outcome("l1_paradox_floor") }}', claim("l1_paradox_floor", verdict="refuted"))


def test_a_bound_that_is_the_margin_is_printed_once(fill):
    share = claim("l1_paradox_floor", compared="bound", reference=0.9, margin=0.9)
    assert "bound 0.9" in (text := fill('{{ outcome("l1_paradox_floor") }}', share)) and "margin" not in text
    assert "margin 0.1" in fill('{{ outcome("l1_paradox_floor") }}', share | {"margin": 0.1})


@pytest.mark.parametrize("source", ['tag("l1_paradox_floor")', 'outcome("l1_paradox_floor")'])
def test_a_fragile_verdict_says_so_in_its_tag(fill, source):
    fragile = claim("l1_paradox_floor", verdict="refuted", fragile="another run did")
    assert fill(f"{{{{ {source} }}}}", fragile).endswith(
        r"[\[L1-floor, refuted, fragile\]](#claim-l1_paradox_floor){.tag .refuted}"
    )


def test_a_text_may_print_the_share_of_resamples_that_makes_a_verdict_fragile(fill):
    assert fill("{{ error_rate }}") == str(ERROR_RATE)


def test_claims_are_counted_by_kind_and_verdict(fill):
    three = [claim("a"), claim("b", kind="identity"), claim("c", verdict="refuted")]
    source = '{{ count("finding") }} {{ count("finding", "refuted") }} {{ count("supported") }} {{ count("identity") }}'
    assert fill(source, *three) == "2 1 2 1"
    three[2] |= {"fragile": "another run did"}
    assert fill('{{ count("fragile") }} {{ count("finding", "supported", "fragile") }}', *three) == "1 0"


def test_an_interval_of_no_width_is_left_out(fill):
    exact = claim("l1_paradox_floor", measured=1.0, interval=[1.0, 1.0], reference=1.0, unit="times the bound")
    assert fill('{{ claim("l1_paradox_floor").result }}', exact) == "1 times the bound"
    assert fill('{{ claim("l1_paradox_floor").held_against }}', exact) == "1 times the bound"


def test_what_a_number_stands_for_is_explained_once(fill):
    settled = claim("l1_paradox_floor", measured=0.0, interval=[0, 1], reference=0.0, unit="(1: settles, 0: does not)")
    assert fill('{{ claim("l1_paradox_floor").result }}', settled) == r"0 \[0, 1.0\] (1: settles, 0: does not)"
    assert fill('{{ claim("l1_paradox_floor").held_against }}', settled) == "0"


def test_a_tag_names_the_verdict_and_leads_to_the_row(fill):
    assert fill('{{ tag("l1_paradox_floor") }}') == (
        r"[\[L1-floor, supported\]](#claim-l1_paradox_floor){.tag .supported}"
    )
    assert "{#claim-l1_paradox_floor}" in fill('{{ verdicts_table("l1_paradox", "Verdicts.") }}')


@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_verdict_picks_the_wording(fill, verdict):
    source = '{{ decided("l1_paradox_floor", supported="yes", refuted="no", inconclusive="open") }}'
    assert (
        fill(source, claim("l1_paradox_floor", verdict=verdict))
        == dict(zip(VERDICTS, ["yes", "no", "open"], strict=True))[verdict]
    )


def test_settings_print_as_prose(fill):
    settings = {"steps": 20000, "sizes": [0.02, 0.05, 0.1], "one": [3]}
    source = "{{ settings.steps }}; {{ settings.sizes }}; {{ settings.one }}; {{ settings.sizes | length }}"
    assert fill(source, settings=settings) == "20,000; 0.02, 0.05 and 0.1; 3; 3"


def test_anchors_of_pandoc_are_not_comments(fill):
    assert fill("# Title {#sec-title}\n<!-- hidden -->rest") == "# Title {#sec-title}\nrest"


def test_a_claim_without_numbers_prints_dashes(fill):
    missing = dict.fromkeys(("measured", "reference", "compared", "interval", "p_value", "margin"))
    gap = claim("l1_paradox_floor", **missing, gap="2 of 9 runs diverged", where={}, table={}, n=0, cells=0)
    assert fill('{{ claim("l1_paradox_floor").result }}', gap) == "–"
    assert fill('{{ outcome("l1_paradox_floor") }}', gap).startswith("not measured, because 2 of 9 runs diverged [")
    rules = fill('{{ claims_table("l1_paradox", "Rules.") }}', gap)
    assert "- –" in rules and "2 of 9 runs diverged" in rules
    assert "None" not in fill('{{ verdicts_table("l1_paradox", "Verdicts.") }}', gap)


def test_numbers_of_a_claims_table(fill):
    table = {"log_cosh": {"measured": 1.61953489, "predicted": 2.0}}
    source = '{{ claim("l1_paradox_floor").number("log_cosh", "measured") }}'
    assert fill(source, claim("l1_paradox_floor", table=table)) == "1.62"
    assert fill(source, claim("l1_paradox_floor", table={})) == "–"
    for wrong in (source.replace("log_cosh", "cosh"), source.replace("measured", "found")):
        with pytest.raises(InputError, match="paper.md: line 1: the table of l1_paradox_floor has no"):
            fill(wrong, claim("l1_paradox_floor", table=table))


@pytest.mark.parametrize(
    ("source", "line", "name"),
    [
        (
            'text\n\n{{ claim("l1_paradox_flor").measured }}',
            3,
            "'l1_paradox_flor'; did you mean l1_paradox_floor",
        ),
        ('{{ claim("l1_paradox_floor").meassured }}', 1, "meassured"),
        ("one\n{{ settings.scael }}\n", 2, "scael"),
        ("one\n\n\n{{ nothing }}", 4, "nothing"),
        ('{{ figure("l1_paradox_x") }}', 1, "l1_paradox_x"),
        ('{{ verdicts_table("l2", "") }}', 1, "l2"),
        ('\n{{ decided("l1_paradox_floor", supported="a", refuted="b") }}', 2, "inconclusive"),
        ("\n{{ settings.scale ", 2, "end of"),
        ("{{ none }}", 1, "none"),
    ],
)
def test_what_cannot_be_filled_is_named_with_file_and_line(fill, source, line, name):
    with pytest.raises(InputError) as fault:
        fill(source)
    message = str(fault.value)
    assert f"paper.md: line {line}: " in message
    assert name.lower() in message.lower()
    assert "\n" not in message


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (claim("l1_paradox_floor", verdict="true"), "l1_paradox_floor: verdict: 'true' is not one of"),
        (claim("l1_paradox_floor", kind="law"), "l1_paradox_floor: kind: 'law' is not one of finding, identity"),
        (claim("l1_paradox_floor", compared="theory"), "compared: 'theory' is not one of predicted, bound, other arm"),
        ({key: value for key, value in claim("x").items() if key != "margin"}, "x: margin: is missing"),
        ("text", "claims.json"),
    ],
)
def test_a_claim_that_is_none_is_named(fill, entry, fault):
    with pytest.raises(InputError, match="claims.json") as raised:
        fill("", entry)
    assert fault in str(raised.value)


@pytest.mark.parametrize("document", SOURCES)
@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_document_reports_every_verdict_plainly(tmp_path, verdict, document):
    folder = run(tmp_path / "run", verdict=verdict)
    written = manuscript(folder, document)
    text = written.fill(SOURCES[document])
    assert f", {verdict}\\]" in text
    for other in set(VERDICTS) - {verdict}:
        assert f", {other}\\]" not in text
        assert f"{len(written.claims)} {other}" not in text
    not_shown = sorted(set(SHOWN[document]) - set(shown_in(text)))
    assert not_shown == [], f"paper/{document}.md asks for a condition before {{{{ figure(…) }}}} of {not_shown}"


def shown_in(text):
    """Figures that a filled text shows, in its order."""
    return re.findall(r"#fig-(\w+) name=", text)


@pytest.mark.parametrize("document", SOURCES)
@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_document_refers_to_a_figure_before_it_shows_it(tmp_path, verdict, document):
    folder = run(tmp_path / "run", verdict=verdict)
    written = manuscript(folder, document)
    text = written.fill(SOURCES[document])
    late = {
        name: f"paper/{document}.md: write [](#fig-{name}) in a sentence above {{{{ figure({name!r}) }}}}"
        for name in shown_in(text)
        if f"](#fig-{name})" not in text[: text.index(f"#fig-{name} name=")]
    }
    assert not late, "\n".join(late.values())


@pytest.mark.parametrize("document", SOURCES)
@pytest.mark.parametrize("settings", [SETTINGS, FULL], ids=lambda settings: settings["scale"])
def test_a_document_shows_the_figures_that_a_run_has_and_speaks_of_no_others(tmp_path, document, settings):
    text = manuscript(run(tmp_path / "run"), document, settings).fill(SOURCES[document])
    there, shown, named = (set(each) for each in (placed(settings, document), shown_in(text), referred_to(text)))
    assert len(shown_in(text)) == len(shown), f"paper/{document}.md shows a figure twice"
    faults = [f"shows {name}, which the run does not have: ask before" for name in shown - there]
    faults += [f"speaks of {name}, which the run does not have: ask before" for name in named - there - shown]
    faults += [f"does not show {name}, which the run has" for name in there - shown]
    faults += [f"shows {name} without a sentence that refers to it: write [](#fig-{name})" for name in shown - named]
    assert not faults, "\n".join(f"paper/{document}.md {fault}" for fault in sorted(faults))


def referred_to(text):
    """Figures that a filled text refers to."""
    return re.findall(r"\]\(#fig-(\w+)\)", text)


def test_what_a_drawing_lacks_is_read_as_it_stands(tmp_path):
    lacking = r"Not drawn: rmsprop_0.9, *all* `methods` |of| a\b, c__ and [1]_."
    (tmp_path / "claims.json").write_text(json.dumps([claim("l1_paradox_floor")]), encoding="utf-8")
    (tmp_path / "norm.rst").write_text("Norms.\n", encoding="utf-8")
    (tmp_path / "norm.svg").write_text(f"<dc:description>{lacking}</dc:description>", encoding="utf-8")
    caption = Manuscript([tmp_path / "claims.json"], SETTINGS, tmp_path, tmp_path, HISTORY).caption("norm")
    assert convert(caption, "rst", "plain", "--wrap=none").strip() == f"Norms. {lacking}"


@pytest.mark.parametrize("damaged", ["norm.svg", "norm.rst", "paper.md"])
def test_the_file_that_is_not_utf_8_is_named(tmp_path, damaged):
    texts = {"norm.rst": "Norms.", "norm.svg": '<svg width="72pt">', "paper.md": '{{ figure("norm") }}'}
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text.encode() + b"\xed" * (name == damaged))
    (tmp_path / "claims.json").write_text(json.dumps([claim("l1_paradox_floor")]), encoding="utf-8")
    manuscript = Manuscript([tmp_path / "claims.json"], SETTINGS, tmp_path, tmp_path, HISTORY)
    with pytest.raises(InputError, match=rf"{damaged}: not UTF-8: .* at byte \d+"):
        manuscript.fill(tmp_path / "paper.md")


def test_a_long_table_has_every_row(fill):
    entries = [claim(f"l1_paradox_{number:02}", statement="Word " * (20 + number % 30)) for number in range(60)]
    (table,) = re.findall(
        r"^::: .*?^:::$", fill('{{ verdicts_table("l1_paradox", "Verdicts.") }}', *entries), re.M | re.S
    )
    assert table.startswith("::: {.table .long #tab-verdicts-l1_paradox ")
    assert re.findall(r"#claim-(\w+)", table) == [entry["id"] for entry in entries]


def test_a_rule_that_was_changed_has_the_verdict_of_now_beside_its_outcomes(fill):
    past = read_rule_changes(HISTORY)
    changed, unchanged = min(past.claims()), "l1_paradox_never_changed"
    claims = [claim(changed, verdict="inconclusive"), claim(unchanged)]
    assert fill("{{ number_changed }}", *claims) == "1"
    rows = [row for row in past.rows_of_rules() if row[0] == changed]
    assert rows and fill('{{ rule_changes("Rules.") }}', *claims).count("\n  - inconclusive\n") == len(rows)
