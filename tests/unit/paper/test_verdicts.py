"""What is printed of a decided claim: its numbers read as numbers, whatever they are."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paper_of_a_run import ROOT, claim

from ndgm.paper.verdicts import DecidedClaim

REFERENCES = {path.parent.name: path for path in sorted(ROOT.glob("reference/*/claims.json"))}
DECIDED = [
    pytest.param(DecidedClaim.read(entry), id=f"{scale}-{entry['id']}")
    for scale, path in REFERENCES.items()
    for entry in json.loads(path.read_text(encoding="utf-8"))
]
numbers = st.floats(allow_nan=False, allow_infinity=False)


def assert_reads_well(decided):
    for text in (decided.result, decided.held_against):
        assert "None" not in text and "  " not in text
        outside = re.sub(r"\$[^$]*\$", "", text)
        assert not re.search(r"-\d|\d-|\de[+-]?\d|−0(?![.,\d])|−0\.0*(?![\d])", outside)
    low, high = re.search(r"\\\[(.*), (.*)\\\]", decided.result).groups() if "[" in decided.result else ("", "-")
    assert low != high


@given(numbers, st.tuples(numbers, numbers).map(sorted), numbers)
def test_no_interval_of_no_width_and_no_minus_before_zero_is_printed(measured, interval, reference):
    assert_reads_well(DecidedClaim.read(claim("a", measured=measured, interval=interval, reference=reference)))


@given(numbers, st.floats(0, 1e-9))
def test_narrow_intervals_are_printed_or_left_out(measured, width):
    interval = [measured, measured + width * abs(measured)]
    assert_reads_well(DecidedClaim.read(claim("a", measured=measured, interval=interval, reference=measured)))


@pytest.mark.parametrize("decided", DECIDED)
def test_the_references_read_well(decided):
    assert_reads_well(decided)
    assert not re.match(r"1 (of|times) .*1 (of|times)", decided.result)


def test_more_than_could_be_measured_is_printed_as_such():
    entry = claim("a", measured=400.0, reference=80.0, interval=[96.0, 400.0], unit="steps", horizon=200.0)
    decided = DecidedClaim.read(entry)
    assert decided.result == r"> 200 \[96, > 200\] steps" and decided.held_against == "80 steps"
    assert DecidedClaim.read(entry | {"measured": 200.0, "interval": [96.0, 200.0]}).result.startswith("200 ")
    assert DecidedClaim.read(entry | {"reference": 400.0}).held_against == "> 200 steps"


def test_numbers_too_small_for_their_digits_are_printed_as_less_than_the_smallest():
    entry = claim("a", measured=2.23767e-319, interval=[-5e-324, 1.0], reference=0.0, p_value=None)
    assert DecidedClaim.read(entry).result == r"< 1 × 10⁻³⁰⁰ \[> −1 × 10⁻³⁰⁰, 1\]"
    assert DecidedClaim.read(entry | {"measured": 0.0}).result.startswith("0 ")


def test_a_factor_is_not_said_twice():
    where = {"layer": "layer 2", "proximal": "proximal_adam", "design": "designed", "step_size": 0.1}
    assert DecidedClaim.read(claim("a", where=where)).where == "layer 2, proximal adam, design designed, step size 0.1"


def test_it_is_said_for_which_verdict_a_p_value_speaks():
    words = [
        DecidedClaim.read(claim("a", verdict=verdict)).p_of for verdict in ("supported", "refuted", "inconclusive")
    ]
    assert words == ["for", "against", "for"]
    assert DecidedClaim.read(claim("a", p_value=None)).p_of == ""


@pytest.mark.parametrize(
    ("margins", "p_value", "words"),
    [
        ([None, 0.1103], 0.01, "up to 11 %"),
        ([0.0247, None], 0.01, "from 2.5 % on"),
        ([0.012, 0.031], 0.01, "from 1.2 % to 3.1 %"),
        ([None, None], 0.01, "at any margin"),
        ([None, 2.242e8], 0.01, "up to a factor of 2.242 × 10⁸"),
        ([2e-13, None], None, "from 2 × 10⁻¹³ on"),
        ([-0.08, None], 0.01, "from −8 % on"),
        ([-0.15, None], None, "from −0.15 on"),
        ([0.0, None], None, "from 0 on"),
        (None, 0.01, ""),
    ],
)
def test_margins_of_a_verdict_in_words(margins, p_value, words):
    assert DecidedClaim.read(claim("a", margins=margins, p_value=p_value)).stands == words


@pytest.mark.parametrize(
    ("ratio", "interval", "words"),
    [
        (2.1512, [1.8, 2.5], r"3 above, 4 near, 5 below; ratio 2.15 \[1.80, 2.50\]"),
        (1.0, [1.0, 1.0], "3 above, 4 near, 5 below; ratio 1"),
        (1.669e47, None, "3 above, 4 near, 5 below; ratio 1.669 × 10⁴⁷"),
        (None, None, "3 above, 4 near, 5 below"),
    ],
)
def test_the_effect_over_cells_in_words(ratio, interval, words):
    over = {"above": 3, "near": 4, "below": 5, "ratio": ratio, "interval": interval}
    assert DecidedClaim.read(claim("a", over_cells=over)).effect == words
    assert DecidedClaim.read(claim("a")).effect == ""


def test_an_interval_that_too_few_replicates_have_is_left_out():
    assert DecidedClaim.read(claim("a", interval=None)).result == "1.012"


ARMS = {
    "in_pairs": True,
    "compared": "other arm",
    "effect": [0.2187, -0.204, 0.6474],
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, r"in pairs 1.2 \[0.8, 1.6\] times"),
        ({"effect": [9.0, 9.0, 9.0]}, "in pairs 10 times"),
        ({"effect": None}, ""),
        ({"compared": "bound"}, ""),
        ({"in_pairs": False}, ""),
        ({"reference": 0.0}, ""),
        ({"horizon": 5}, ""),
    ],
)
def test_an_order_of_two_arms_says_what_it_is_in_pairs(changes, words):
    """The medians of both arms alone may contradict the verdict."""
    assert DecidedClaim.read(claim("a", **(ARMS | changes))).in_pairs == words


@pytest.mark.parametrize("field", ["in_pairs", "effect", "over_cells", "margins", "fragile"])
def test_a_field_that_every_entry_has_is_not_taken_for_unknown(field):
    """A renamed one would print nothing, for every claim."""
    entry = claim("a")
    del entry[field]
    with pytest.raises(ValueError, match=f"^a: {field}: is missing"):
        DecidedClaim.read(entry)
