"""The environment of programs: numbers are decided by it nowhere else."""

import os
from pathlib import Path

from ndgm.pipeline.environment import FIXED, environment


def test_what_decides_numbers_is_set_whatever_the_user_has_set(monkeypatch):
    for name in FIXED:
        monkeypatch.setenv(name, "something else")
    variables = environment(Path("src"))
    assert {name: variables[name] for name in FIXED} == FIXED
    assert {"OMP_NUM_THREADS", "PYTHONHASHSEED", "CUBLAS_WORKSPACE_CONFIG", "SOURCE_DATE_EPOCH"} <= FIXED.keys()


def test_our_modules_come_before_those_that_are_found_anyway(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    assert environment(Path("here/src"))["PYTHONPATH"] == f"here/src{os.pathsep}elsewhere"
    monkeypatch.delenv("PYTHONPATH")
    assert environment(Path("here/src"))["PYTHONPATH"] == "here/src"


def test_everything_else_is_the_users(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert environment(Path("src"))["HOME"] == "/home/somebody"
