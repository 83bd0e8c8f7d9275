"""Faults that name a design: what they are made of, and over all experiments on designs."""

import re
from unittest import mock

import pytest
from smoke_scale import Smoke

from ndgm.experiments.input_faults import faults_of
from ndgm.pipeline.jobs import JOBS, parts, samples, settings
from ndgm.store.files import InputError
from ndgm.theory.lasso import CertificateError

PLACE = re.compile(r"samples\.l1_paradox\.[a-z_]+: |l1_paradox\.designs\.families\.[a-z_]+: design 0: ")


@pytest.mark.parametrize("fault", [InputError, CertificateError])
def test_what_a_design_lacks_is_told_by_its_place(fault):
    with pytest.raises(InputError, match="^samples.mine: design 3: no solution$") as told:  # noqa: SIM117
        with faults_of("samples.mine"), faults_of("design 3"):
            raise fault("no solution")
    assert told.value.__cause__ is not None


def test_a_fault_of_ours_stays_what_it_is():
    with pytest.raises(ZeroDivisionError), faults_of("samples.mine"):
        _ = 1 / 0


class Begun(Exception):
    """A run has begun, so that all is solved that is solved before."""


def on_designs():
    """Tables of experiments on designs of linear models, with a part of each."""
    for job in JOBS.values():
        for part in parts(job, Smoke.config)[:1]:
            data = any(entry.startswith("l1_paradox/") for entry in samples(job, Smoke.config, part))
            for each, told in zip(job.experiments, settings(job, Smoke.config, part), strict=True):
                if data or "families" in told:
                    yield each.table, part


@pytest.mark.parametrize(
    "tolerance", ["lasso.KKT_TOLERANCE", "rounded_lasso.GRADIENT_TOLERANCE", "convergence.GRADIENT_TOLERANCE"]
)
def test_where_no_solution_is_certified_the_design_is_named(tolerance, smoke, monkeypatch):
    """Whichever solver it is, in every experiment that calls it before a run; a fault of another kind ends the test."""
    monkeypatch.setattr(f"ndgm.theory.{tolerance}", -1.0)
    monkeypatch.setattr("ndgm.experiments.l1_paradox_designs.until_stationary", mock.Mock(side_effect=Begun))
    raised = mock.Mock(return_value=None)
    monkeypatch.setattr(CertificateError, "__init__", lambda fault, said: raised(said))
    told, uncertified = {}, set()
    for table, part in on_designs():
        raised.reset_mock()
        try:
            smoke.experiment(table, part)
        except InputError as fault:
            told[table] = str(fault)
        except Begun:
            pass
        uncertified |= {table} if raised.called else set()
    assert set(told) == uncertified != set()
    assert all(PLACE.match(each) and "no " in each and "\n" not in each for each in told.values()), told
