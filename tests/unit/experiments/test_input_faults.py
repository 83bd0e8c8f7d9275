"""Faults that name a design."""

import pytest

from ndgm.experiments.input_faults import faults_of
from ndgm.store.files import InputError
from ndgm.theory.lasso import CertificateError


@pytest.mark.parametrize("fault", [InputError, CertificateError])
def test_what_a_design_lacks_is_told_by_its_place(fault):
    with pytest.raises(InputError, match="^samples.mine: design 3: no solution$") as told:  # noqa: SIM117
        with faults_of("samples.mine"), faults_of("design 3"):
            raise fault("no solution")
    assert told.value.__cause__ is not None


def test_a_fault_of_ours_stays_what_it_is():
    with pytest.raises(ZeroDivisionError), faults_of("samples.mine"):
        _ = 1 / 0
