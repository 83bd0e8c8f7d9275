"""Faults of a design, in one line that names its place in the config."""

from collections.abc import Iterator
from contextlib import contextmanager

from ndgm.store.files import InputError
from ndgm.theory.lasso import CertificateError


@contextmanager
def faults_of(place: str) -> Iterator[None]:
    """Make what a design lacks a fault of the input.

    Args:
        place: Of the design in the config.

    Raises:
        InputError: naming the place, if a design cannot be made, or a solution of it not be certified.
    """
    try:
        yield
    except (InputError, CertificateError) as fault:
        raise InputError(f"{place}: {fault}") from fault
