"""What else is known of a verdict than its run: other replicates, root seeds and processors, and so what is fragile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ndgm.decide.root_seeds import RootSeeds
from ndgm.paper.verdicts import DecidedClaim

FRAGILE = (
    "other replicates, another root seed or another processor give it another verdict: more than one in twenty "
    "resamples of its replicates, a run with another root seed, or a run on a processor that rounds otherwise"
)
"""When a verdict is fragile, as `OtherRuns.why_fragile` decides it."""


@dataclass(frozen=True)
class OtherRuns:
    """How runs decide that differ from a run in their processor or their root seed alone.

    Attributes:
        processors: All verdicts that were seen of a claim, where other processors gave another one.
        root_seeds: Verdicts and effects with other root seeds; the text does not speak of them where there are none.
    """

    processors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    root_seeds: RootSeeds = field(default_factory=RootSeeds)

    def why_fragile(self, claim: DecidedClaim) -> list[str]:
        """Why the verdict of a claim is fragile, in words; nothing where it is not.

        It is where more than one in twenty resamples of its replicates, a run with another root seed, or a run on
        another processor decides otherwise. Of these `fragile` of `claims.json` knows the resamples alone.
        """
        words = [claim.fragile] if claim.fragile else []
        if seen := " or ".join(verdict for verdict in self.processors.get(claim.id, ()) if verdict != claim.verdict):
            words.append(f"also {seen} on other processors")
        return words + ([] if self.alike(claim) else [self.agreement(claim)])

    def alike(self, claim: DecidedClaim) -> bool:
        """Whether runs with other root seeds, if there are any, all decide a claim as this run does."""
        runs, agreeing = self.root_seeds.decided(claim.id, claim.verdict)
        return agreeing == runs

    def mostly_alike(self, claim: DecidedClaim) -> bool:
        """Whether of runs with other root seeds, if there are any, half or more decide a claim as this run does."""
        runs, agreeing = self.root_seeds.decided(claim.id, claim.verdict)
        return 2 * agreeing >= runs

    def agreement(self, claim: DecidedClaim) -> str:
        """How many runs with other root seeds decide a claim as this run does, and their effects; empty without any."""
        runs, agreeing = self.root_seeds.decided(claim.id, claim.verdict)
        effects = self.root_seeds.effect_range(claim.id)
        of_effects = f", effects from {claim.size(effects[0])} to {claim.size(effects[1])}" if effects else ""
        return f"{agreeing} of {runs} root seeds{of_effects}" if runs else ""


NO_OTHER_RUNS = OtherRuns()
