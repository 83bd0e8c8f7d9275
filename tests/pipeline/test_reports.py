"""Public reports that tests were made from: each names a test that there is."""

import re

import pytest
from copies import ROOT

ROWS = re.findall(
    r"^\| (\w+ \d[\d, ]*) \|.*\| `([\w/]+\.py)::(\w+)` \|$", (ROOT / "tests/reports.md").read_text(), re.M
)


def test_every_row_is_read() -> None:
    """The table has a row for each report, and no row is passed over."""
    lines = [line for line in (ROOT / "tests/reports.md").read_text().splitlines() if line.startswith("| ")]
    assert len(ROWS) == len(lines) - 1 >= 10


@pytest.mark.parametrize(("report", "file", "test"), ROWS, ids=[report for report, _, _ in ROWS])
def test_the_test_of_a_report_is_there(report: str, file: str, test: str) -> None:
    """By file and name."""
    assert re.search(rf"^def {test}\(", (ROOT / "tests" / file).read_text(), re.M), report
