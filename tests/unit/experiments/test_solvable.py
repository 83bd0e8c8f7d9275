"""Faults that name a design."""

import pytest

from ndgm.experiments.solvable import named
from ndgm.store.files import InputError
from ndgm.theory.lasso import CertificateError


@pytest.mark.parametrize("fault", [InputError, CertificateError])
def test_what_a_design_lacks_is_told_by_its_place(fault):
    with pytest.raises(InputError, match="^samples.mine: design 3: no solution$") as told:  # noqa: SIM117
        with named("samples.mine"), named("design 3"):
            raise fault("no solution")
    assert told.value.__cause__ is not None


def test_a_fault_of_ours_stays_what_it_is():
    with pytest.raises(ZeroDivisionError), named("samples.mine"):
        _ = 1 / 0
