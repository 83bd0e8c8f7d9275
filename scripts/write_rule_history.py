"""Write how the rule of each claim changed, from the history of the repository. Run by hand: `make claims`.

In a copy without history the file keeps the past that it has, and claims that are new to it are entered.
"""

import datetime
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

import yaml

from ndgm.decide.rule_history import Version, changes_of, origins_of, setting_changes, withdrawals_of
from ndgm.decide.rules import PACKAGE_FOLDER, Rule, sources_of
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.files import read_json, write_json

CONFIG = "config/laptop.yaml"
DECIDED = "reference/laptop/claims.json"


def main() -> None:
    """Run the program."""
    arguments = argument_parser(__doc__, "repository", "out").parse_args()
    with program(arguments) as say:
        newest = _newest(arguments.repository)
        if not newest.parents or _git(arguments.repository, "rev-parse", "--is-shallow-repository") == b"true\n":
            say(f"no history of {PACKAGE_FOLDER} here: {arguments.out} keeps its past")
            write_json(arguments.out, _with_new_claims(read_json(arguments.out), newest.rules))
            return
        changes, rules = changes_of(newest), newest.rules
        origins = {claim: asdict(origin) for claim, origin in origins_of(newest).items()}
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
            "withdrawn": [asdict(each) for each in withdrawals_of(newest)],
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
    return {"withdrawn": []} | history | {"claims": claims}


def _newest(root: Path) -> Version:
    """The package as it is now, which may not be committed yet, with all versions that it was made from.

    A claim's constants may stand in any of its modules, so that other commits than those on claims change rules. A rule
    may have been changed on a branch before that was merged: every commit counts, not those of one line alone.
    """
    commits = _commits(root, "--topo-order")
    changed = (commit.changed.items() for commit in commits)
    texts = _texts(root, [blob for each in changed for path, blob in each if _is_read(path)])
    versions: dict[str, Version] = {}
    last = Version("", {}, {})
    for commit in commits:
        parents = tuple(versions[name] for name in commit.parents if name in versions)
        first = parents[0] if parents else Version("", {}, {})
        sources, outcomes = dict(first.sources), first.outcomes
        read = {path: texts.get(blob) for path, blob in commit.changed.items() if _is_read(path)}
        for path, text in read.items():
            if path == DECIDED:
                outcomes = _outcomes(text)
            elif text is None:
                sources.pop(path, None)
            else:
                sources[path] = text
        same = len(parents) == 1 and not read
        versions[commit.name] = last = first if same else Version(commit.date, sources, outcomes, parents)
    return Version(datetime.date.today().isoformat(), sources_of(root), last.outcomes, (last,) if commits else ())


def _is_read(path: str) -> bool:
    """Whether rules or their outcomes are made from a file."""
    return path == DECIDED or path.startswith(f"{PACKAGE_FOLDER}/") and path.endswith(".py")


def _settings(root: Path) -> Iterator[tuple[str, dict]]:
    """The config after each commit that changed it, from the one on which the first reference run rests, and now."""
    commits = _commits(root, "--first-parent", "--", CONFIG)
    texts = _texts(root, [f"{commit.name}:{path}" for commit in commits for path in (CONFIG, DECIDED)])
    for commit in commits:
        if f"{commit.name}:{DECIDED}" in texts:
            yield commit.date, yaml.load(texts.get(f"{commit.name}:{CONFIG}", "{}"), yaml.CSafeLoader)
    yield datetime.date.today().isoformat(), yaml.load((root / CONFIG).read_text(encoding="utf-8"), yaml.CSafeLoader)


@dataclass
class _Commit:
    """A commit, its day, and for each path that it changed the blob there, which is all zeros where it took it away."""

    name: str
    date: str
    parents: list[str]
    changed: dict[str, str] = field(default_factory=dict)


def _commits(root: Path, *which: str) -> list[_Commit]:
    """The commits that arguments of `git log` choose, oldest first, with what differs from the first parent of each.

    There are none outside of a repository of git.
    """
    differences = ("--diff-merges=first-parent", "--raw", "--no-abbrev", "--no-renames")
    log = _git(root, "log", *differences, "--reverse", "--date=short", "--format=%H %ad %P", *which)
    commits: list[_Commit] = []
    for line in filter(None, (log or b"").decode().splitlines()):
        if line.startswith(":"):
            change, _, where = line.partition("\t")
            commits[-1].changed[where] = change.split()[3]
        else:
            name, date, *parents = line.split()
            commits.append(_Commit(name, date, parents))
    return commits


def _texts(root: Path, names: Sequence[str]) -> dict[str, str]:
    """Files by names such as `<commit>:<path>`, or of blobs; without those that there are not.

    Git is started twice for all of them, and reads each blob once.
    """
    found = _git(root, "cat-file", "--batch-check", say="\n".join(names)) or b""
    blobs = {
        name: line.split()[0]
        for name, line in zip(names, found.decode().splitlines(), strict=False)
        if " blob " in line
    }
    said = _git(root, "cat-file", "--batch", say="\n".join(dict.fromkeys(blobs.values()))) or b""
    texts: dict[str, str] = {}
    at = 0
    while at < len(said):
        start = said.index(b"\n", at) + 1
        blob, _, size = said[at:start].decode().split()
        texts[blob] = said[start : start + int(size)].decode()
        at = start + int(size) + 1
    return {name: texts[blob] for name, blob in blobs.items()}


@cache
def _outcomes(claims: str | None) -> dict[str, str]:
    """What a reference run said of each claim, from its `claims.json`."""
    return {entry["id"]: _outcome(entry) for entry in json.loads(claims or "[]")}


def _outcome(entry: dict) -> str:
    """Verdict and numbers of a claim, such as `supported: 1.02 (1)`."""
    measured, reference = entry.get("measured"), entry.get("reference", entry.get("predicted"))
    if measured is None or reference is None:
        return str(entry["verdict"])
    return f"{entry['verdict']}: {measured + 0.0:.3g} ({reference + 0.0:.3g})"  # a zero has no sign


def _git(root: Path, *arguments: str, say: str = "") -> bytes | None:
    """What git says to arguments and to what is said to it, or nothing where it fails."""
    done = subprocess.run(["git", *arguments], cwd=root, input=say.encode(), capture_output=True)
    return None if done.returncode else done.stdout


if __name__ == "__main__":
    main()
