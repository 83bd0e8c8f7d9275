"""Decide claims with other root seeds, and gather how each was decided. Run by hand: `make seeds`; takes an hour.

Each root seed is a scale of its own, whose config is that of the scale but for `root_seed`: its results stay apart, and
a run that was interrupted goes on.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from ndgm.decide.root_seeds import RootSeeds, gathered, read_root_seeds, write_root_seeds
from ndgm.decide.rules import rules_in, sources_of
from ndgm.groups import GROUPS
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.files import InputError, read_json_list

ROOT_SEEDS = (1, 2, 3, 4, 5)
"""Other ones than that of the config, the first that come to mind."""
ALL = [group.name for group in GROUPS]


def main() -> None:
    """Run the program."""
    parser = argument_parser(__doc__, "out")
    parser.add_argument("--scale", default="laptop")
    parser.add_argument("--root-seeds", type=_root_seed, nargs="+", default=list(ROOT_SEEDS))
    parser.add_argument("--groups", nargs="+", choices=ALL, default=ALL, help="the claims of others stay as they are")
    arguments = parser.parse_args()
    with program(arguments, goes_on=True) as say:
        others = RootSeeds() if {*ALL} <= {*arguments.groups} else read_root_seeds(arguments.out)
        others.check(arguments.root_seeds)
        rules = digests()
        runs: dict[int, list[dict]] = {}
        for root_seed in arguments.root_seeds:
            files = run_claims(arguments.scale, root_seed, arguments.groups)
            runs[root_seed] = [entry for file in files for entry in read_json_list(file, keys=("id", "verdict"))]
            say(f"{files[0].parent}: {len(runs[root_seed])} claims")
        if digests() != rules:
            raise InputError("src/ndgm: rules of claims were edited during the runs, which have to be made again")
        found = others.renewed(gathered(runs, rules))
        write_root_seeds(arguments.out, found)
        changing = sum(len(set(verdicts)) > 1 for verdicts in found.claims.values())
        say(f"{len(runs)} root seeds: {len(found.claims) - changing} claims decided alike, {changing} not")


def digests() -> dict[str, str]:
    """The digest of each claim's rule, from the sources as they are now."""
    return {claim: rule.digest for claim, rule in rules_in(sources_of(Path())).items()}


def run_claims(scale: str, root_seed: int, groups: Sequence[str]) -> list[Path]:
    """Decide the claims of groups with another root seed, through Snakemake; the file of each group.

    Raises:
        InputError: if the run fails.
    """
    with own_scale(scale, root_seed) as own:
        files = [Path("results", own, "claims", f"{group}.json") for group in groups]
        command = [sys.executable, "scripts/run_snakemake.py", "--cores", "all", *map(str, files)]
        if code := subprocess.run([*command, "--config", f"scale={own}", f"root_seed={root_seed}"]).returncode:
            raise InputError(f"results/{own}: the run of root seed {root_seed} ended with exit code {code}")
    return files


def _root_seed(said: str) -> int:
    """A root seed from the command line."""
    if not said.isascii() or not said.isdigit():
        raise argparse.ArgumentTypeError(f"{said} is not a whole number from 0 on")
    return int(said)


@contextmanager
def own_scale(scale: str, root_seed: int) -> Iterator[str]:
    """Give a scale with another root seed the name of a config, which is there as long as it is needed.

    Raises:
        InputError: if there is no such scale, or the root seed is its own.
    """
    config, name = Path(f"config/{scale}.yaml"), f"{scale}_root_seed_{root_seed}"
    if not config.is_file():
        raise InputError(f"{config}: no such file")
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    if root_seed == settings.get("root_seed"):
        raise InputError(f"root seed {root_seed} is that of {config}, and no other one")
    own = Path(f"config/{name}.yaml")
    own.write_text(
        yaml.safe_dump(settings | {"scale": name, "root_seed": root_seed}, sort_keys=False), encoding="utf-8"
    )
    try:
        yield name
    finally:
        own.unlink()


if __name__ == "__main__":
    main()
