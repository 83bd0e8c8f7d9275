"""How methods treat an L1 penalty, a factor of the run tables by which claims choose methods."""

from ndgm.engine.methods import METHODS

FACTORED = "spred"
"""The method that descends on two factors of each weight, whose squares are penalised: there the penalty is smooth."""


def penalty_by(method: str) -> str:
    """What a method does with the penalty: `shrink` takes its proximal map, `subgradient` a subgradient, or `factors`.

    Args:
        method: A name in `METHODS`.
    """
    if method == FACTORED:
        return "factors"
    return "shrink" if "shrink" in METHODS[method].asks else "subgradient"
