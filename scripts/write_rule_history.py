"""Write how the rule of each claim changed, from the history of the repository. Run by hand: `make claims`.

In a copy without history the file keeps the past that it has, and claims that are new to it are entered.
"""

import datetime
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import yaml

from ndgm.decide.rule_history import Rule, Version, changes_of, rules_in, setting_changes
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.files import read_json, write_json

CLAIMS = "src/ndgm/claims"
CONFIG = "config/laptop.yaml"
DECIDED = "reference/laptop/claims.json"


def main() -> None:
    """Run the program."""
    arguments = argument_parser(__doc__, "repository", "out").parse_args()
    with program(arguments) as say:
        versions = list(_versions(arguments.repository))
        if len(versions) == 1:
            say(f"no history of {CLAIMS} here: {arguments.out} keeps its past")
            write_json(arguments.out, _with_new_claims(read_json(arguments.out), rules_in(versions[0].sources)))
            return
        changes, rules = changes_of(versions), rules_in(versions[-1].sources)
        settings = setting_changes(list(_settings(arguments.repository)))
        history = {
            "claims": {
                claim: {"rule": rules[claim].digest, "changes": [asdict(each) for each in found]}
                for claim, found in changes.items()
            },
            "settings": [asdict(each) for each in settings],
        }
        write_json(arguments.out, history)


def _with_new_claims(history: dict, rules: Mapping[str, Rule]) -> dict:
    """A history in which each claim that it does not know has its rule, and no past."""
    new = {claim: {"rule": rule.digest, "changes": []} for claim, rule in rules.items()}
    return history | {"claims": dict(sorted((new | history["claims"]).items()))}


def _versions(root: Path) -> Iterator[Version]:
    """The claims after each commit that changed them, and as they are now, which may not be committed yet."""
    for commit, date in _commits(root, CLAIMS):
        names = _git(root, "ls-tree", "--name-only", commit, f"{CLAIMS}/") or ""
        sources = {name: _git(root, "show", f"{commit}:{name}") or "" for name in names.split() if name.endswith(".py")}
        yield Version(date, sources, _outcomes(_git(root, "show", f"{commit}^:{DECIDED}")))
    now = {f"{CLAIMS}/{path.name}": path.read_text(encoding="utf-8") for path in (root / CLAIMS).glob("*.py")}
    today = datetime.date.today().isoformat()
    yield Version(today, now, _outcomes(_git(root, "show", f"HEAD:{DECIDED}")))


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
