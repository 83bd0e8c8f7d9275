"""Steps under a time limit: records are on disk at once, faults end one step alone, programs are killed in time."""

import json
import os
import sys
import time

import pytest

from ndgm.pipeline.steps import Deadline, Outcome, Record, fault_line, one_line, passed, run_program, take, unreached

GOOD = Record("good", Outcome.PASSED, numbers={"seconds": 1.5})
LATE = Record("late", Outcome.NOT_REACHED, "no time was left")
CUT_OFF = Record("good/second", Outcome.NOT_REACHED, "stopped after 9 s")
LACKING = Record("good/third", Outcome.NOT_REACHED, "there is no foolbox", lacking=True)
WRONG = Record("wrong", Outcome.FAILED, "two is not three")


def python(program, seconds=60.0):
    ended = run_program([sys.executable, "-c", program], os.environ, Deadline(seconds))
    return ended.outcome, ended.fault


def taken(steps, tmp_path, required=()):
    lines = []
    records = take(steps, tmp_path / "out.json", {"device": {"name": "none"}}, lines.append, required)
    return records, lines, json.loads((tmp_path / "out.json").read_text())


def test_every_record_is_in_the_file_and_said_in_one_line(tmp_path):
    records, lines, written = taken({"first": lambda: [GOOD], "second": lambda: [WRONG, LATE]}, tmp_path)
    assert records == [GOOD, WRONG, LATE]
    assert lines == ["good: passed", "wrong: failed: two is not three", "late: not reached: no time was left"]
    assert written["device"] == {"name": "none"} and written["passed"] is False
    assert [(row["name"], row["outcome"], row["fault"]) for row in written["records"]] == [
        ("good", "passed", ""),
        ("wrong", "failed", "two is not three"),
        ("late", "not reached", "no time was left"),
    ]
    assert written["records"][0]["seconds"] == 1.5


def test_a_fault_ends_its_step_and_the_next_one_begins(tmp_path):
    def faulty():
        yield GOOD
        raise RuntimeError("CUDA error: an illegal memory access was encountered\nCompile with …")

    records, _, written = taken({"faulty": faulty, "next": lambda: [GOOD]}, tmp_path)
    assert [record.outcome for record in records] == [Outcome.PASSED, Outcome.FAILED, Outcome.PASSED]
    fault = "RuntimeError: CUDA error: an illegal memory access was encountered Compile with …"
    assert (records[1].name, records[1].fault) == ("faulty", fault)
    assert written["passed"] is False


def test_what_was_found_before_a_kill_is_in_the_file(tmp_path):
    def killed():
        yield GOOD
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        taken({"killed": killed}, tmp_path)
    assert [row["name"] for row in json.loads((tmp_path / "out.json").read_text())["records"]] == ["good"]


def test_the_head_is_in_the_file_before_the_first_step_ends(tmp_path):
    def look():
        written = json.loads((tmp_path / "out.json").read_text())
        assert (written["device"], written["records"], written["passed"]) == ({"name": "none"}, [], False)
        assert written["not_reached"] == ["good"]
        yield GOOD

    records, _, written = taken({"good": look}, tmp_path, ["good"])
    assert records == [GOOD] and written["passed"] is True and written["not_reached"] == []


def test_until_all_required_steps_have_ended_nothing_has_passed(tmp_path):
    """A check that was killed in the middle of a step would otherwise have passed."""

    def killed():
        yield GOOD
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        taken({"good": killed, "late": lambda: [LATE]}, tmp_path, ["good"])
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["passed"] is False and written["not_reached"] == ["good"]


@pytest.mark.parametrize(
    ("records", "missing"),
    [
        ([GOOD], []),
        ([GOOD, LATE], []),  # a step that does not have to be reached
        ([GOOD, LACKING], []),
        ([], ["good"]),
        ([LATE], ["good"]),
        ([LACKING], ["good"]),
        ([GOOD, CUT_OFF], ["good/second"]),
        ([GOOD, CUT_OFF, LACKING], ["good/second"]),
        ([CUT_OFF], ["good", "good/second"]),
    ],
)
def test_what_has_to_be_reached_and_was_not_has_not_passed(tmp_path, records, missing):
    assert unreached(records, ["good"]) == missing
    assert passed(records, ["good"]) is (not missing)
    _, _, written = taken({"good": lambda: records}, tmp_path, ["good"])
    assert written["passed"] is (not missing) and written["not_reached"] == missing


def test_what_failed_has_not_passed_whatever_is_required():
    assert not passed([GOOD, WRONG], []) and not passed([GOOD, WRONG], ["good"]) and passed([GOOD], [])
    assert unreached([WRONG], ["wrong"]) == []


def test_a_deadline_is_that_many_seconds_away_and_the_earlier_one_holds():
    deadline = Deadline(100)
    assert 99 < deadline.left <= 100
    assert 9 < deadline.within(10).left <= 10
    assert 99 < deadline.within(1000).left <= 100
    assert Deadline(-1).left == 0


def test_a_program_that_ends_well_has_passed():
    assert python("print('fine')") == (Outcome.PASSED, "")


def test_a_program_is_timed():
    ended = run_program([sys.executable, "-c", "import time; time.sleep(0.5)"], os.environ, Deadline(60))
    assert 0.5 <= ended.seconds < 30


def test_a_program_that_fails_says_why_in_one_line():
    assert python("raise ValueError('two is not three')") == (Outcome.FAILED, "ValueError: two is not three")
    assert python("import sys; sys.exit('error: no such file')") == (Outcome.FAILED, "error: no such file")
    assert python("import os; os.abort()") == (Outcome.FAILED, "exit code -6")


def test_a_program_is_killed_at_the_deadline():
    begun = time.monotonic()
    outcome, fault = python("import time; time.sleep(60)", seconds=0.5)
    assert time.monotonic() - begun < 10
    assert (outcome, fault) == (Outcome.NOT_REACHED, "stopped after 0.5 s")
    assert python("print('fine')", seconds=0) == (Outcome.NOT_REACHED, "no time was left")


def test_the_fault_is_the_last_line_that_names_an_error():
    assert fault_line("Traceback\n  File\ntorch.AcceleratorError: CUDA error\nCompile with …\n\n") == (
        "torch.AcceleratorError: CUDA error"
    )
    assert fault_line("killed\nby hand\n\n") == "by hand"
    assert fault_line("") == ""


def test_a_line_is_not_longer_than_can_be_read():
    assert one_line(" a\n  b ") == "a b"
    assert len(one_line("a" * 1000)) == 300
