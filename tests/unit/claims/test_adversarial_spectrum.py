"""Each claim on adversarial spectra on tables that obey it, break it, or say nothing: every one can fail."""

import numpy as np
import pandas as pd
import pytest
from claims_on_made_up_tables import (
    change,
    claims_of,
    copied_for_each_test,
    every_claim_is_in,
    law,
    row_of,
    verdict,
    why_inconclusive,
)

import ndgm.claims.adversarial_spectrum  # noqa: F401  (registers its claims)
from ndgm.decide.entries import decide
from ndgm.experiments.grids import grid
from ndgm.theory.adversarial_spectrum import Statistics

CLAIMS = claims_of("adversarial_spectrum")
ATTACKS, CLEAN, EXACT = (f"adversarial_spectrum_{name}" for name in ("attacks", "clean", "identities"))
DESIGNS, SEEDS, PICTURES = ["digits", "mnist", "cifar10"], 3, 60
SCORES = list(Statistics._fields)


def clean_table(rng):
    """Scores of one law for every design, so that a threshold carries over."""
    table = pd.concat([
        grid(experiment=[CLEAN], design=DESIGNS, half=[half], picture=range(count))
        for half, count in (("train", 2000), ("test", 400))
    ], ignore_index=True).drop(columns="run")  # fmt: skip
    return table.assign(**{name: rng.standard_normal(len(table)) for name in SCORES})


def attacks_table(rng, clean):
    """Attacks that are told apart, as noise is; the adaptive one has the scores of the clean pictures."""
    table = grid(
        experiment=[ATTACKS],
        design=DESIGNS,
        attack=["pgd", "deepfool", "subspace"],
        bits=["8 bits", "as found"],
        seed=range(SEEDS),
        picture=range(PICTURES),
    ).drop(columns="run")
    table["right"] = rng.uniform(size=len(table)) < 0.9
    table["succeeded"] = table["right"] & (rng.uniform(size=len(table)) < 0.85)
    attacked = {name: 4 + rng.standard_normal(len(table)) for name in SCORES}
    noisy = {"noisy_smallest": 3 + rng.standard_normal(len(table))}
    table = table.assign(empty=False, length=1.0, **attacked, **noisy)
    unseen = table[["design", "picture"]].merge(clean.query("half == 'test'"))
    adaptive = table["attack"] == "subspace"
    table.loc[adaptive, SCORES] = unseen.loc[adaptive.to_numpy(), SCORES].to_numpy()
    return table


def identities_table(rng):
    table = grid(experiment=[EXACT], design=DESIGNS, picture=range(40)).drop(columns="run")
    tail = rng.lognormal(size=len(table))
    noisy = tail * (1 + 0.003 * rng.standard_normal(len(table)))
    return table.assign(tail_change=1e-16, noisy_tail=noisy, predicted_noisy_tail=tail)


def lawful():
    rng = np.random.default_rng(0)
    clean = clean_table(rng)
    return {CLEAN: clean, ATTACKS: attacks_table(rng, clean), EXACT: identities_table(rng)}


tables = copied_for_each_test(lawful)


def test_tables_that_obey_the_laws_support_all_claims(tables):
    assert {row["id"]: row["verdict"] for row in decide(CLAIMS, tables)} == dict.fromkeys(CLAIMS, "supported")


def stored(attack, design="any"):
    """Rows of an attack in 8 bits, of one design or of any."""
    return f"bits == '8 bits' and attack == '{attack}'" + f" and design == '{design}'" * (design != "any")


SCORE = "smallest"
# Claim, table, column, rows, and what is done to them.
BREAKS = [
    ("tail_invisible", EXACT, "tail_change", "design == 'mnist' and picture == 3", law("1.1e-12 + 0 * picture")),
    ("noise_floor", EXACT, "noisy_tail", "design == 'cifar10'", law("1.02 * noisy_tail")),
    ("noise_floor", EXACT, "predicted_noisy_tail", "design == 'digits'", law("1.02 * predicted_noisy_tail")),
    *[(f"unseen_{name}", ATTACKS, SCORE, stored("pgd", name), law("smallest - 3.2")) for name in DESIGNS],
    ("unseen_digits", ATTACKS, SCORE, stored("deepfool"), law("smallest * 0 - 40")),
    *[(f"better_{name}", ATTACKS, SCORE, stored("pgd", name), law("smallest - 5")) for name in DESIGNS[1:]],
    ("better_mnist", ATTACKS, SCORE, stored("deepfool"), law("smallest * 0 - 40")),
    ("threshold_mnist", CLEAN, SCORE, "half == 'test' and design == 'mnist'", law("smallest + 1")),
    ("threshold_mnist", CLEAN, SCORE, "half == 'train' and design == 'digits'", law("smallest - 1")),
    ("threshold_cifar10", CLEAN, SCORE, "half == 'test' and design == 'cifar10'", law("smallest - 2")),
    ("more_than_noise", ATTACKS, SCORE, stored("pgd", "mnist"), law("smallest - 4")),
    ("more_than_noise", ATTACKS, SCORE, stored("deepfool", "digits"), law("smallest - 3")),
    ("adaptive_unseen", ATTACKS, SCORE, stored("subspace", "mnist"), law("smallest + 1")),
    ("adaptive_succeeds", ATTACKS, "succeeded", stored("subspace") + " and picture % 5 > 0", lambda rows: False),
]


@pytest.mark.parametrize(("name", "table", "column", "where", "value"), BREAKS)
def test_tables_that_break_the_law_refute_the_claim(name, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert verdict(f"adversarial_spectrum_{name}", tables) == "refuted"


def test_every_claim_was_refuted_above():
    every_claim_is_in("BREAKS", [name for name, *_ in BREAKS], CLAIMS, "adversarial_spectrum_")


KNOWING, OTHER = "attack == 'subspace'", "attack != 'subspace'"
NOTHING = [
    (("unseen_digits", "unseen_mnist", "unseen_cifar10"), ATTACKS, SCORE, OTHER, law("smallest - 2")),
    (("better_mnist", "better_cifar10"), ATTACKS, SCORE, OTHER, law("smallest - 3.8")),
    (("more_than_noise",), ATTACKS, SCORE, OTHER, law("smallest - 1.25")),
    (("threshold_mnist", "threshold_cifar10"), CLEAN, SCORE, "half == 'test'", law("smallest + 0.3")),
    (("adaptive_unseen",), ATTACKS, SCORE, KNOWING, law("smallest + 0.25")),
    (("adaptive_succeeds",), ATTACKS, "succeeded", KNOWING, lambda rows: (rows["picture"] % 2 == 0) & rows["right"]),
]


@pytest.mark.parametrize(("names", "table", "column", "where", "value"), NOTHING)
def test_what_lies_at_a_margin_is_not_decided(names, table, column, where, value, tables):
    change(tables[table], column, where, value)
    for name in names:
        assert verdict(f"adversarial_spectrum_{name}", tables) == "inconclusive", name


def test_every_finding_was_left_undecided_above():
    names = {f"adversarial_spectrum_{name}" for names, *_ in NOTHING for name in names}
    assert names == {name for name, one in CLAIMS.items() if one.kind == "finding"}


@pytest.mark.parametrize(
    ("name", "table", "column", "where", "value"),
    [
        ("unseen_digits", ATTACKS, SCORE, "attack == 'subspace'", law("smallest - 99")),
        ("unseen_digits", ATTACKS, SCORE, "bits == 'as found'", law("smallest - 99")),
        ("unseen_digits", ATTACKS, SCORE, "not succeeded", law("smallest - 99")),
        ("unseen_digits", ATTACKS, SCORE, "design == 'mnist'", law("smallest - 99")),
        ("unseen_digits", ATTACKS, "tail", "design == 'digits'", law("tail - 99")),
        ("better_mnist", CLEAN, SCORE, "picture >= 60", law("smallest + 99")),
        ("more_than_noise", ATTACKS, "noisy_smallest", "attack == 'subspace' or not succeeded", law("smallest + 99")),
        ("adaptive_unseen", ATTACKS, SCORE, "attack != 'subspace' or not succeeded", law("smallest + 99")),
        ("adaptive_succeeds", ATTACKS, "succeeded", "attack != 'subspace' or not right", lambda rows: False),
        ("threshold_mnist", CLEAN, SCORE, "half == 'train' and design == 'mnist'", law("smallest + 99")),
    ],
)
def test_what_a_claim_does_not_speak_of_does_not_matter(name, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert verdict(f"adversarial_spectrum_{name}", tables) == "supported"


def test_claims_on_a_design_without_data_are_absent_and_not_undecided(tables):
    for name, table in tables.items():
        tables[name] = table[table["design"] != "cifar10"]
    decided = {row["id"]: row["verdict"] for row in decide(CLAIMS, tables)}
    there = [name for name in CLAIMS if not name.endswith("_cifar10")]
    assert decided == dict.fromkeys(there, "supported") and len(there) == len(CLAIMS) - 3


@pytest.mark.parametrize(
    ("name", "table", "where", "gap"),
    [
        ("unseen_digits", ATTACKS, "attack == 'subspace'", "no runs of attacks that do not know the detector"),
        ("unseen_digits", CLEAN, "half == 'train'", "no runs of test"),
        ("unseen_mnist", ATTACKS, "not succeeded", "too few attacked pictures to decide: 0 of 20 needed"),
        ("more_than_noise", ATTACKS, "bits == 'as found'", "no runs of 8 bits"),
        ("adaptive_unseen", ATTACKS, "attack != 'subspace'", "no runs of subspace"),
        ("adaptive_succeeds", ATTACKS, "not right", "no runs of networks that are right"),
        ("threshold_mnist", CLEAN, "design != 'digits'", "no runs of digits"),
        ("threshold_mnist", CLEAN, "half == 'test'", "no runs of train"),
    ],
)
def test_what_is_missing_is_said(name, table, where, gap, tables):
    tables[table] = tables[table].query(where)
    assert why_inconclusive(f"adversarial_spectrum_{name}", tables) == gap


def test_what_is_told_of_each_attack(tables):
    told = row_of("adversarial_spectrum_unseen_digits", tables)["table"]
    assert set(told) == {"pgd", "deepfool"}
    one = told["pgd"]
    assert one["low"] < one["area"] < one["high"] and one["area"] > one["noisy_smallest_area"] > 0.9
    assert one["success"] == pytest.approx(0.85, abs=0.1) and one["empty"] == 0
    rows = tables[ATTACKS].query("attack == 'pgd' and design == 'digits'")
    pairs = rows.pivot(index=["seed", "picture"], columns="bits", values="succeeded")
    assert one["undone"] == pytest.approx((pairs["as found"] & ~pairs["8 bits"]).sum() / pairs["as found"].sum())
