"""Write how the rule of each claim changed, from the history of the repository. Run by hand: `make claims`.

In a copy without history the file keeps the past that it has, and claims that are new to it are entered.
"""

import datetime
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path

import yaml

from ndgm.decide.rule_history import Version, changes_of, origins_of, setting_changes
from ndgm.decide.rules import PACKAGE_FOLDER, Rule, sources_of
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.files import read_json, write_json

CONFIG = "config/laptop.yaml"
DECIDED = "reference/laptop/claims.json"


def main() -> None:
    """Run the program."""
    arguments = argument_parser(__doc__, "repository", "out").parse_args()
    with program(arguments) as say:
        versions = list(_versions(arguments.repository))
        if len(versions) == 1:
            say(f"no history of {PACKAGE_FOLDER} here: {arguments.out} keeps its past")
            write_json(arguments.out, _with_new_claims(read_json(arguments.out), versions[0].rules))
            return
        changes, rules = changes_of(versions), versions[-1].rules
        origins = {claim: asdict(origin) for claim, origin in origins_of(versions).items()}
        settings = setting_changes(list(_settings(arguments.repository)))
        history = {
            "claims": {
                claim: {
                    "rule": rules[claim].digest,
                    "origin": origins.get(claim),
                    "changes": [asdict(each) for each in found],
                }
                for claim, found in changes.items()
            },
            "settings": [asdict(each) for each in settings],
        }
        write_json(arguments.out, history)


def _with_new_claims(history: dict, rules: Mapping[str, Rule]) -> dict:
    """A history of today's claims, in which each one that it does not know has its rule, and no past."""
    past = history["claims"]
    claims = {
        claim: past.get(claim, {"rule": rule.digest, "origin": None, "changes": []})
        for claim, rule in sorted(rules.items())
    }
    return history | {"claims": claims}


def _versions(root: Path) -> Iterator[Version]:
    """The package after each commit that changed it, and as it is now, which may not be committed yet.

    A claim's constants may stand in any of its modules, so that other commits than those on claims change rules.
    """
    for commit, date in _commits(root, PACKAGE_FOLDER):
        tree = (line.split() for line in (_git(root, "ls-tree", "-r", commit, f"{PACKAGE_FOLDER}/") or "").splitlines())
        sources = {name: _blob(root, blob) for *_, blob, name in tree if name.endswith(".py")}
        yield Version(date, sources, _outcomes(_git(root, "show", f"{commit}^:{DECIDED}")))
    today = datetime.date.today().isoformat()
    yield Version(today, sources_of(root), _outcomes(_git(root, "show", f"HEAD:{DECIDED}")))


@cache
def _blob(root: Path, blob: str) -> str:
    """A file as it was, read once for all commits that have it."""
    return _git(root, "cat-file", "blob", blob) or ""


def _settings(root: Path) -> Iterator[tuple[str, dict]]:
    """The config after each commit that changed it, from the one on which the first reference run rests, and now."""
    for commit, date in _commits(root, CONFIG):
        if _git(root, "cat-file", "-e", f"{commit}:{DECIDED}") is not None:
            yield date, yaml.safe_load(_git(root, "show", f"{commit}:{CONFIG}") or "{}")
    yield datetime.date.today().isoformat(), yaml.safe_load((root / CONFIG).read_text(encoding="utf-8"))


def _commits(root: Path, path: str) -> list[list[str]]:
    """Each commit that changed a path, with its day, oldest first; none outside of a repository of git."""
    log = _git(root, "log", "--first-parent", "--reverse", "--date=short", "--format=%H %ad", "--", path)
    return [line.split() for line in (log or "").splitlines()]


def _outcomes(claims: str | None) -> dict[str, str]:
    """What a reference run said of each claim, from its `claims.json`."""
    return {entry["id"]: _outcome(entry) for entry in json.loads(claims or "[]")}


def _outcome(entry: dict) -> str:
    """Verdict and numbers of a claim, such as `supported: 1.02 (1)`."""
    measured, reference = entry.get("measured"), entry.get("reference", entry.get("predicted"))
    if measured is None or reference is None:
        return str(entry["verdict"])
    return f"{entry['verdict']}: {measured + 0.0:.3g} ({reference + 0.0:.3g})"  # a zero has no sign


def _git(root: Path, *arguments: str) -> str | None:
    """What git says, or nothing where it fails."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    return None if done.returncode else done.stdout


if __name__ == "__main__":
    main()
