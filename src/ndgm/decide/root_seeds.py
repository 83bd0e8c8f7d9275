"""How runs with other root seeds decided each claim: `reference/<scale>/seeds.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ndgm.decide.verdict import Verdict
from ndgm.store.files import InputError, read_json, write_json


@dataclass(frozen=True)
class RootSeeds:
    """Verdicts and effects of runs that differ in their root seed.

    Attributes:
        root_seeds: Those of the runs.
        claims: Verdicts by claim, in the order of the root seeds.
        effects: How far what decides is from its reference by claim, in that order, as `effect` of `claims.json`
            begins; None where there is none.
        rules: Digests of the rules by which they were decided, by claim.
    """

    root_seeds: list[int] = field(default_factory=list)
    claims: dict[str, list[str]] = field(default_factory=dict)
    effects: dict[str, list[float | None]] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)

    def by_rules(self, digests: Mapping[str, str]) -> "RootSeeds":
        """What was decided by the rules with these digests, by claim; what another rule has said is left out."""
        same = {claim for claim, digest in self.rules.items() if digest == digests.get(claim)}
        return RootSeeds(
            self.root_seeds,
            {claim: verdicts for claim, verdicts in self.claims.items() if claim in same},
            {claim: effects for claim, effects in self.effects.items() if claim in same},
            {claim: digest for claim, digest in self.rules.items() if claim in same},
        )

    def check(self, root_seeds: list[int]) -> None:
        """Look whether what other root seeds decide can stand beside this.

        Raises:
            InputError: if there are claims, of other root seeds.
        """
        if self.claims and self.root_seeds != root_seeds:
            raise InputError(f"root seeds {root_seeds} cannot stand beside those of before, {self.root_seeds}")

    def renewed(self, found: "RootSeeds") -> "RootSeeds":
        """These, and in the place of what was found now that.

        Raises:
            InputError: if both have claims, and other root seeds.
        """
        self.check(found.root_seeds)
        return RootSeeds(
            found.root_seeds,
            {**self.claims, **found.claims},
            {**self.effects, **found.effects},
            {**self.rules, **found.rules},
        )

    def decided(self, claim: str, verdict: str) -> tuple[int, int]:
        """How many of the runs decided a claim, and how many of these like this."""
        seen = self.claims.get(claim, [])
        return len(seen), seen.count(verdict)

    def effect_range(self, claim: str) -> tuple[float, float] | None:
        """The smallest and the largest effect of a claim; None where a run has none."""
        known = [effect for effect in self.effects.get(claim, []) if effect is not None]
        return (min(known), max(known)) if known and len(known) == len(self.effects[claim]) else None


def gathered(runs: Mapping[int, Sequence[Mapping[str, Any]]], digests: Mapping[str, str]) -> RootSeeds:
    """What runs decided.

    Args:
        runs: Entries of `claims.json` by root seed.
        digests: Of the rules by which they did, by claim.

    Raises:
        InputError: naming the root seed and a claim that not all runs have.
    """
    decided = {seed: {entry["id"]: entry for entry in entries} for seed, entries in runs.items()}
    names = sorted(set().union(*decided.values()))
    for seed, entries in decided.items():
        if missing := sorted(set(names) - set(entries)):
            raise InputError(f"root seed {seed}: no claim {missing[0]}, which another root seed has")
    return RootSeeds(
        list(decided),
        {name: [entries[name]["verdict"] for entries in decided.values()] for name in names},
        {name: [(entries[name].get("effect") or [None])[0] for entries in decided.values()] for name in names},
        {name: digests[name] for name in names if name in digests},
    )


def write_root_seeds(path: Path, found: RootSeeds) -> None:
    """Write what runs decided, for `read_root_seeds`."""
    write_json(path, asdict(found))


def read_root_seeds(path: Path) -> RootSeeds:
    """What runs decided; nothing where there is no such file.

    Raises:
        InputError: naming the file, if it is none of these, or a claim does not have a verdict for each root seed.
    """
    if not path.exists():
        return RootSeeds()
    try:
        found = RootSeeds(**read_json(path))
        faulty = [name for name, seen in found.claims.items() if len(seen) != len(found.root_seeds)]
        unknown = [name for name, seen in found.claims.items() if not set(seen) <= set(Verdict)]
    except (TypeError, AttributeError) as fault:
        raise InputError(f"{path}: {fault}") from None
    if faulty or unknown:
        raise InputError(
            f"{path}: {(faulty + unknown)[0]}: not a verdict for each of {len(found.root_seeds)} root seeds"
        )
    return found
