"""The environment of programs: numbers are decided by it nowhere else."""

import os
import subprocess
import sys
from pathlib import Path

from ndgm.pipeline.environment import FIXED, environment


def test_what_decides_numbers_is_set_whatever_the_user_has_set(monkeypatch):
    for name in FIXED:
        monkeypatch.setenv(name, "something else")
    variables = environment(Path("src"))
    assert {name: variables[name] for name in FIXED} == FIXED
    assert {"OMP_NUM_THREADS", "PYTHONHASHSEED", "CUBLAS_WORKSPACE_CONFIG", "SOURCE_DATE_EPOCH"} <= FIXED.keys()


def test_pytorch_computes_on_one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    program = [sys.executable, "-c", "import torch; print(torch.get_num_threads())"]
    assert subprocess.run(program, env=environment(Path("src")), capture_output=True, check=True).stdout == b"1\n"


def test_our_modules_come_before_those_that_are_found_anyway(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    assert environment(Path("here/src"))["PYTHONPATH"] == f"here/src{os.pathsep}elsewhere"
    monkeypatch.delenv("PYTHONPATH")
    assert environment(Path("here/src"))["PYTHONPATH"] == "here/src"


def test_everything_else_is_the_users(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert environment(Path("src"))["HOME"] == "/home/somebody"


def test_what_the_user_set_up_for_other_work_stays_outside(monkeypatch):
    """Files that Python, bash and matplotlib run or read before ours, and switches that change what ours does."""
    names = ("MATPLOTLIBRC", "PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONOPTIMIZE", "BASH_ENV")
    for name in names:
        monkeypatch.setenv(name, "mine")
    assert {environment(Path("src"))[name] for name in names} == {"", os.devnull}


def test_a_colon_in_the_path_of_the_checkout(monkeypatch, tmp_path):
    """It would end one folder of PYTHONPATH and begin another."""
    folder = tmp_path / "12:30"
    (folder / "src").mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert environment(folder / "src")["PYTHONPATH"] == "src"
