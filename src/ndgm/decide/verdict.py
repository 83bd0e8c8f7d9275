"""Words of `claims.json`: of which kind a claim is, what it is compared with, and how it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Kind = Literal["finding", "identity"]
"""A finding could have come out otherwise; an identity follows from algebra or a theorem, and checks the code."""

Compared = Literal["predicted", "bound", "other arm"]
"""What a measurement is held against: a prediction of theory, a bound, or the other arm of a comparison."""


class Verdict(StrEnum):
    """How a claim ends."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Gap:
    """Outcome of a claim whose evidence has a gap.

    Attributes:
        reason: What is missing, in words.
        known: What `claims.json` says of the claim all the same: numbers, where only replicates are too few.
    """

    reason: str
    known: Mapping[str, Any] = field(default_factory=dict)
