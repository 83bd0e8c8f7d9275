"""Certified worst cases where PEPit is installed, and those of the reference where it is not."""

from dataclasses import replace
from itertools import product

import pytest

from ndgm.experiments import convergence_certificates
from ndgm.experiments.convergence_certificates import REFERENCE, certificates
from ndgm.store.files import InputError
from ndgm.theory.certificates import CRITERIA

TABLE = "convergence_certificates"


@pytest.fixture
def inputs(smoke):
    return smoke.inputs(TABLE)


def test_without_pepit_the_reference_table_is_used(smoke, inputs, monkeypatch):
    monkeypatch.setattr(convergence_certificates, "certifier", lambda: None)
    table = certificates(smoke.settings(TABLE), inputs)
    assert table.attrs["certified_by"].startswith("the reference table, made with PEPit ")
    found = table.set_index(["rule", "criterion", "steps"])["worst_case"].to_dict()
    rows = inputs.reads[REFERENCE]["rows"]
    certified = {(row["rule"], row["criterion"], row["steps"]): row["worst_case"] for row in rows}
    asked = product(smoke.settings(TABLE)["rules"], CRITERIA, range(1, smoke.settings(TABLE)["most_steps"] + 1))
    assert found == {case: certified[case] for case in asked}


def test_without_pepit_what_the_table_lacks_is_one_clear_error(smoke, inputs, monkeypatch):
    monkeypatch.setattr(convergence_certificates, "certifier", lambda: None)
    rows = [row for row in inputs.reads[REFERENCE]["rows"] if row["steps"] != 2]
    lacking = replace(inputs, reads={REFERENCE: {**inputs.reads[REFERENCE], "rows": rows}})
    with pytest.raises(InputError) as fault:
        certificates(smoke.settings(TABLE), lacking)
    assert str(fault.value) == (
        "reference/certificates.json: nothing on constant, best, 2 steps; "
        "to certify more, run `pip install -c constraints.txt -e .[certify]`"
    )


def test_with_pepit_each_case_is_certified_and_rounded_up(smoke, inputs, monkeypatch):
    monkeypatch.setattr(convergence_certificates, "certifier", lambda: "PEPit 1.0")
    monkeypatch.setattr(convergence_certificates, "certify", lambda rule, criterion, steps: 1 / (2 + steps))
    table = certificates(smoke.settings(TABLE), replace(inputs, reads={}))
    assert table.attrs["certified_by"] == "PEPit 1.0"
    assert table.set_index("steps")["worst_case"][1].unique() == [0.333334]
