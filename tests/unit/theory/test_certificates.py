"""Certified worst cases against their closed form, and what is said where they cannot be had."""

import builtins

import pytest

from ndgm.theory.certificates import CRITERIA, certifier, certify, rounded_up


@pytest.mark.parametrize("steps", [1, 3])
def test_the_best_of_constant_steps_has_the_known_worst_case(steps):
    pytest.importorskip("PEPit")
    # Drori and Teboulle (2014): MR/√(N + 1) with N + 1 points and the step R/(M√(N + 1)), which no method beats.
    assert certify("constant", "best", steps) == pytest.approx((steps + 1) ** -0.5, rel=1e-6)


def test_what_is_not_known_is_named_before_anything_is_solved():
    with pytest.raises(ValueError, match=r"^unknown step rule 'longer', expected one of constant, "):
        certify("longer", "best", 3)
    with pytest.raises(ValueError, match=rf"^unknown criterion 'worst', expected one of {', '.join(CRITERIA)}$"):
        certify("constant", "worst", 3)


def test_how_to_install_the_certifier_is_said(monkeypatch):
    real = builtins.__import__

    def without(name, *others):
        if name.partition(".")[0] == "PEPit":
            raise ImportError(name)
        return real(name, *others)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install -c constraints.txt -e .\[certify\]"):
        certify("constant", "best", 1)


def test_the_certifier_is_named_with_its_solver():
    found = certifier()
    assert found is None or (found.startswith("PEPit ") and ", Clarabel " in found)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(0.5, 0.500001), (0.123456, 0.123457), (1 / 3, 0.333334), (0.1234564999, 0.123457), (2.0, 2.00001)],
)
def test_rounding_keeps_an_upper_bound_of_six_digits(value, rounded):
    assert rounded_up(value) == rounded and rounded_up(value) > value
