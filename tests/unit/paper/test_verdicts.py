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
