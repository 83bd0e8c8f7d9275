"""Claims on what the spectrum of a picture says of an attack (part B of the companions).

Pictures are judged as files hold them, with 8 bits a pixel. The main statistic is log(sₙ/s₁). A picture is detected
where it lies above the 95 % quantile of clean pictures that the networks were trained on.
"""

import pandas as pd

from ndgm.decide.claim import Evidence, claim
from ndgm.decide.resampling import (
    NETWORK,
    area_interval,
    area_of,
    no_area_lost,
    share_above,
    share_added,
    share_within,
    told_apart,
)
from ndgm.decide.selection import nonempty, select
from ndgm.decide.statistics import MissingValue, equivalence, within

MAIN, OTHERS = "smallest", ["slope", "tail", "second_difference"]
"""The statistic that was named before the run, and those that are printed beside it."""

ADAPTIVE, STORED = "subspace", "8 bits"
QUANTILE = 0.95

APART = 0.9
"""Area under the ROC curve above which attacks count as detected."""

CHANCE = 0.5
"""Area under the ROC curve of scores that say nothing."""

MOST = 0.5
"""Share of pictures above which an attack counts as successful."""

PICTURE = "picture"
VALUES, DETECTED = "adversarial_spectrum_values", "adversarial_spectrum_detected"


@claim(figure=VALUES, kind="identity", test=within(1e-12), unit="$s_1$")
def adversarial_spectrum_tail_invisible(adversarial_spectrum_identities: pd.DataFrame) -> Evidence:
    r"""A change $UCV^\top$ in the leading half of the singular vectors, of spectral norm below $s_r - s_{r+1}$, leaves
    the other half of the singular values as they are.
    """
    pictures = adversarial_spectrum_identities.set_index(["design", PICTURE])
    return Evidence(pictures["tail_change"], 0.0, "predicted", over=PICTURE)


@claim(figure=VALUES, kind="identity", test=equivalence(0.01), unit="(squared size)")
def adversarial_spectrum_noise_floor(adversarial_spectrum_identities: pd.DataFrame) -> Evidence:
    r"""Random signs of size $\varepsilon$ add $\varepsilon^2(n - r)^2$, in the mean over signs, to the tail
    $\Vert P^\top A Q \Vert_F^2 = \sum_{i>r} s_i^2$, where $P$ and $Q$ are the trailing singular vectors of the channel
    $A$ before.
    """
    pictures = adversarial_spectrum_identities.set_index(["design", PICTURE])
    return Evidence(pictures["noisy_tail"], pictures["predicted_noisy_tail"], "predicted", over=PICTURE)


@claim(figure=DETECTED, kind="finding", test=told_apart(APART), unit="(area)", design="digits")
def adversarial_spectrum_unseen_digits(
    adversarial_spectrum_attacks: pd.DataFrame, adversarial_spectrum_clean: pd.DataFrame
) -> Evidence:
    r"""On digits of 8 × 8 pixels $\log(s_n/s_1)$ tells successful attacks from clean pictures with an area under the
    ROC curve above 0.9, whatever the attack.
    """
    return _told_apart(adversarial_spectrum_attacks, adversarial_spectrum_clean, "digits", APART)


@claim(figure=DETECTED, kind="finding", test=told_apart(APART), unit="(area)", design="mnist")
def adversarial_spectrum_unseen_mnist(
    adversarial_spectrum_attacks: pd.DataFrame, adversarial_spectrum_clean: pd.DataFrame
) -> Evidence:
    r"""On MNIST $\log(s_n/s_1)$ tells successful attacks from clean pictures with an area under the ROC curve
    above 0.9, whatever the attack.
    """
    return _told_apart(adversarial_spectrum_attacks, adversarial_spectrum_clean, "mnist", APART)


@claim(figure=DETECTED, kind="finding", test=told_apart(APART), unit="(area)", design="cifar10")
def adversarial_spectrum_unseen_cifar10(
    adversarial_spectrum_attacks: pd.DataFrame, adversarial_spectrum_clean: pd.DataFrame
) -> Evidence:
    r"""On CIFAR-10 $\log(s_n/s_1)$ tells successful attacks from clean pictures with an area under the ROC curve
    above 0.9, whatever the attack.
    """
    return _told_apart(adversarial_spectrum_attacks, adversarial_spectrum_clean, "cifar10", APART)


@claim(figure=DETECTED, kind="finding", test=told_apart(CHANCE), unit="(area)", design="mnist")
def adversarial_spectrum_better_mnist(
    adversarial_spectrum_attacks: pd.DataFrame, adversarial_spectrum_clean: pd.DataFrame
) -> Evidence:
    """On MNIST the same area is above one half, that of chance, for every attack that does not know the detector."""
    return _told_apart(adversarial_spectrum_attacks, adversarial_spectrum_clean, "mnist", CHANCE)


@claim(figure=DETECTED, kind="finding", test=told_apart(CHANCE), unit="(area)", design="cifar10")
def adversarial_spectrum_better_cifar10(
    adversarial_spectrum_attacks: pd.DataFrame, adversarial_spectrum_clean: pd.DataFrame
) -> Evidence:
    """On CIFAR-10 the same area is above one half, that of chance, for every attack that does not know the detector."""
    return _told_apart(adversarial_spectrum_attacks, adversarial_spectrum_clean, "cifar10", CHANCE)


@claim(figure=DETECTED, kind="finding", test=share_within(0.02, 0.1), unit="of the clean pictures", design="mnist")
def adversarial_spectrum_threshold_mnist(adversarial_spectrum_clean: pd.DataFrame) -> Evidence:
    """The threshold of the digits carries over to MNIST: the share of its clean pictures that lie above it is between
    0.02 and 0.10, where 0.05 is meant.
    """
    return _false_alarms(adversarial_spectrum_clean, "mnist")


@claim(figure=DETECTED, kind="finding", test=share_within(0.02, 0.1), unit="of the clean pictures", design="cifar10")
def adversarial_spectrum_threshold_cifar10(adversarial_spectrum_clean: pd.DataFrame) -> Evidence:
    """The threshold of the digits carries over to CIFAR-10: the share of its clean pictures that lie above it is
    between 0.02 and 0.10, where 0.05 is meant.
    """
    return _false_alarms(adversarial_spectrum_clean, "cifar10")


@claim(figure=DETECTED, kind="finding", test=no_area_lost(0.01), unit="(area)")
def adversarial_spectrum_more_than_noise(
    adversarial_spectrum_attacks: pd.DataFrame, adversarial_spectrum_clean: pd.DataFrame
) -> Evidence:
    """The statistic sees the attack and not only that there is a change: harmless random signs of the same length have
    an area that is at most 0.01 larger, for every attack and all pictures.
    """
    attacks = _successes(adversarial_spectrum_attacks)
    attacks = nonempty(attacks[attacks["attack"] != ADAPTIVE], "of attacks that do not know the detector")
    arms = {"attacked": attacks, "noisy": attacks.assign(**{MAIN: attacks[f"noisy_{MAIN}"]})}
    return Evidence(_scores(arms, _beside(attacks, adversarial_spectrum_clean)), 0.0, "other arm", over=PICTURE)


@claim(figure=DETECTED, kind="finding", test=share_added(0.05), unit="of the pictures")
def adversarial_spectrum_adaptive_unseen(
    adversarial_spectrum_attacks: pd.DataFrame, adversarial_spectrum_clean: pd.DataFrame
) -> Evidence:
    """An attack in the leading half of the singular vectors is not detected: the share of its successes above the
    threshold exceeds that of clean pictures by at most 0.05.
    """
    attacks = select(_successes(adversarial_spectrum_attacks), attack=ADAPTIVE)
    limits = thresholds(adversarial_spectrum_clean)
    clean = _beside(attacks, adversarial_spectrum_clean)
    arms = {
        name: rows.assign(**{MAIN: (rows[MAIN] > rows["design"].map(limits)).where(rows[MAIN].notna())})
        for name, rows in {"attacked": attacks, "clean": clean}.items()
    }
    return Evidence(_scores({"attacked": arms["attacked"]}, arms["clean"]), 0.0, "other arm", over=PICTURE)


@claim(figure=DETECTED, kind="finding", test=share_above(MOST), unit="of the pictures")
def adversarial_spectrum_adaptive_succeeds(adversarial_spectrum_attacks: pd.DataFrame) -> Evidence:
    """This attack makes networks mistaken on more than one half of the pictures that they take for what they are."""
    attacks = select(adversarial_spectrum_attacks, attack=ADAPTIVE, bits=STORED)
    attacks = nonempty(attacks[attacks["right"]], "of networks that are right")
    scores = _scores({"attacked": attacks.assign(**{MAIN: attacks["succeeded"].astype(float)})})
    return Evidence(scores, MOST, "predicted", over=PICTURE)


def thresholds(clean: pd.DataFrame) -> pd.Series:
    """The statistic above which a picture is detected, by design.

    Raises:
        MissingValue: if there are no clean pictures that networks were trained on.
    """
    return select(clean, half="train").groupby("design")[MAIN].quantile(QUANTILE)


def _told_apart(attacks: pd.DataFrame, clean: pd.DataFrame, design: str, bound: float) -> Evidence:
    """Scores of successful attacks that do not know the detector, beside those of the clean pictures."""
    attacks = select(attacks, design=design)
    attacks = nonempty(attacks[attacks["attack"] != ADAPTIVE], "of attacks that do not know the detector")
    stored, beside = _successes(attacks), _beside(attacks, clean)
    scores = _scores({"attacked": stored}, beside)
    rows = {name: _told(attacks[attacks["attack"] == name], beside) for name in attacks["attack"].unique()}
    return Evidence(scores, bound, "predicted", over=PICTURE, table=pd.DataFrame.from_dict(rows, orient="index"))


def _successes(attacks: pd.DataFrame) -> pd.DataFrame:
    """Rows of pictures as files hold them; where an attack failed, the statistic is missing."""
    stored = select(attacks, bits=STORED)
    scores = {name: stored[name].where(stored["succeeded"]) for name in (MAIN, f"noisy_{MAIN}")}
    return stored.assign(**scores)


def _beside(attacks: pd.DataFrame, clean: pd.DataFrame) -> pd.DataFrame:
    """Clean pictures that are not trained on, once for each attack and network; only those that were attacked.

    Raises:
        MissingValue: if there are none.
    """
    once = attacks[["design", "attack", NETWORK, PICTURE]].drop_duplicates()
    test = select(clean, half="test")
    return nonempty(once.merge(test, on=["design", PICTURE], validate="many_to_one"), "of clean pictures")


def _scores(arms: dict[str, pd.DataFrame], clean: pd.DataFrame | None = None, name: str = MAIN) -> pd.Series:
    """A statistic by design, attack, arm, network and picture."""
    every = arms if clean is None else {**arms, "clean": clean}
    levels = ["design", "attack", NETWORK, PICTURE]
    found = pd.concat({arm: rows.set_index(levels)[name].astype(float) for arm, rows in every.items()}, names=["arm"])
    return found.reorder_levels(["design", "attack", "arm", NETWORK, PICTURE])


def _told(attacks: pd.DataFrame, clean: pd.DataFrame) -> dict[str, float]:
    """How often one attack succeeded, how often 8 bits undid that, and its areas, of which those that there are."""
    beside = clean[clean["attack"] == attacks["attack"].iloc[0]]
    pairs = attacks.set_index(["bits", NETWORK, PICTURE])["succeeded"].unstack("bits")
    stored, found = (attacks[(attacks["bits"] == STORED) == kept] for kept in (True, False))
    told = {
        "success": (stored["succeeded"] & stored["right"]).sum() / max(stored["right"].sum(), 1),
        "empty": stored["empty"].sum(),
    }
    if stored["succeeded"].any():
        scores = _of_successes(stored, beside)
        told["area"], (told["low"], told["high"]) = area_of(scores, PICTURE), area_interval(scores, PICTURE)
        for name in (f"noisy_{MAIN}", *OTHERS):
            told[f"{name}_area"] = area_of(_of_successes(stored, beside, name), PICTURE)
    if found["succeeded"].any():
        told["undone"] = 1 - pairs.all(axis=1).sum() / found["succeeded"].sum()
        told["as_found_area"] = area_of(_of_successes(found, beside), PICTURE)
    return {key: float(value) for key, value in told.items()}


def _of_successes(attacks: pd.DataFrame, clean: pd.DataFrame, name: str = MAIN) -> pd.Series:
    """Scores that a statistic gives to the successes of one attack, and to clean pictures."""
    clean_name = name.removeprefix("noisy_")
    attacked = attacks.assign(score=attacks[name].where(attacks["succeeded"]))
    return _scores({"attacked": attacked}, clean.assign(score=clean[clean_name]), "score")


def _false_alarms(clean: pd.DataFrame, design: str) -> Evidence:
    """Whether clean pictures of a design that are not trained on lie above the threshold of the digits.

    Raises:
        MissingValue: if there are no digits.
    """
    limits = thresholds(clean)
    if "digits" not in limits:
        raise MissingValue("no runs of digits")
    test = select(clean, design=design, half="test").assign(attack="none", **{NETWORK: 0})
    alarms = test.assign(**{MAIN: test[MAIN] > limits["digits"]})
    return Evidence(_scores({}, alarms).droplevel("attack"), 1 - QUANTILE, "predicted", over=PICTURE)
