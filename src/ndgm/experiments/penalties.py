"""How methods treat an L1 penalty, a factor of the run tables by which claims choose methods."""

from ndgm.engine.methods import METHODS


def penalty_by(method: str) -> str:
    """What a method does with the penalty: `shrink` takes its proximal map, `subgradient` a subgradient, or `factors`.

    On two factors of each weight the penalty is half the squares of both, which is smooth.

    Args:
        method: A name in `METHODS`.
    """
    chosen = METHODS[method]
    if chosen.on_factors:
        return "factors"
    return "shrink" if "shrink" in chosen.asks else "subgradient"
