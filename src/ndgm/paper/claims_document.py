"""CLAIMS.md, and README's table: every claim of the reference run, and where each of its numbers comes from.

Both are Markdown for GitHub, made from `reference/laptop/claims.json`, the manifest and the sources.
"""

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from textwrap import fill

from ndgm.decide.root_seeds import RootSeeds
from ndgm.decide.rule_history import Change, Origin, Withdrawal
from ndgm.groups import GROUPS, OF_TRAINING, Experiment, Group, Job
from ndgm.paper.columns import COLUMNS
from ndgm.paper.github_markdown import formulas, function_lines, markdown_table
from ndgm.paper.other_runs import FRAGILE, NO_OTHER_RUNS, OtherRuns
from ndgm.paper.rule_changes import NOT_DECIDED, RuleChanges, after_or_in_place, known_before
from ndgm.paper.verdicts import VERDICTS, DecidedClaim
from ndgm.store.files import InputError, read_json_list

REFERENCE = "reference/laptop"
REPLICATES = 20
"""Replicates that a finding has to have in each cell."""

_INTRODUCTION = """\
# Claims

Every claim of the paper, decided at the scale *laptop* (the size of the experiments that `make paper` runs), with its
numbers and where they come from. This file is made by `make claims` from `reference/laptop/claims.json`; a test fails
where it is out of date. At another scale a command has that scale's name twice, as in `snakemake --cores all
results/smoke/claims/l1_paradox_law.json --config scale=smoke`.

A **finding** could have come out otherwise. An **identity** is algebra or a theorem: it checks the code, and is counted
apart. Each claim holds in every *cell* (a design, a penalty, a step, a network) or not at all; the numbers are those of
the cell that speaks most against it, over its *n* replicates. Brackets hold the 90 % interval of a median, which covers
whichever cell was chosen, or the range where every single value counts. Beside the number of cells stands the effect
over all of them: in how many the median deviation lies above the margin, near zero, and as far below it, and the
geometric mean of the ratio of what was measured to what it is held against. The rule says how large a margin could be
for the same verdict. The column beside *measured* says what it is held against: what theory *predicted*, a *bound* that
measurements have to be above, or below, or the *other arm* of a comparison, with the median ratio *in pairs* where an
order is claimed: this is what decides, and medians of both arms may lie the other way round. A number after *>* is as
far as could be measured; runs that diverged never got there. *p* is the probability, adjusted for the number of
findings of a group, of evidence as strong *for* the claim were it false or, where it is refuted, *against* it were it
true; where every single value counts there is none."""

_FRAGILE = fill(f"A verdict is *fragile* if {FRAGILE} (`reference/deviations.json`).", width=120)

_PAST = """\
A rule is a test with its margin, and a *selection*: the code that takes the values from the tables, with its constants.
Where the test *changed*, or the outcome after another selection, and where a claim was added after the outcome of
another one or in place of it, the outcome of that time is told: the verdict, what was measured, and in brackets what
that was held against, or *not decided yet* where no run that was kept had decided it. Claims that went, or got another
name, after a run had decided them stand at the end of their group."""

_OTHER_ROOT_SEEDS = """\
Runs with other root seeds are in `reference/laptop/seeds.json`, by `make seeds`. Beside *finding* or *identity* stands
how many of them decide as the reference, such as *{all} of {all} root seeds*, with the smallest and the largest
*effect* of these runs: how far what decides is from what it is held against, as the margin counts. What was decided by
a rule that has changed since is left out."""

_DATA = """\
What `samples` says in the config, by owner and name, is made once by the rule `make_samples`: arrays of inputs and
targets, drawn from the root seed or taken from a package that is installed. [config/README.md](config/README.md)
explains every source. Other tables draw what they need as they are made.

Beside each table in `runs` and `exact`, a file `<table>.json` holds what it was made with: its settings, the root seed
among them where it draws or trains, the versions of packages, and hashes of its code and data."""


NO_PAST = RuleChanges()


def read_claims(root: Path) -> list[DecidedClaim]:
    """The claims of the reference run of the repository `root`.

    Raises:
        InputError: naming an entry that is not a claim or whose group is not in the manifest.
    """
    path = root / REFERENCE / "claims.json"
    try:
        claims = [DecidedClaim.read(entry) for entry in read_json_list(path)]
    except (KeyError, TypeError, AttributeError) as fault:
        raise InputError(f"{path}: {fault}") from None
    known = {group.name for group in GROUPS}
    for claim in claims:
        if claim.group not in known:
            raise InputError(f"{path}: {claim.id}: {claim.group!r} is not a group of src/ndgm/groups.py")
    return claims


def claims_document(
    claims: Sequence[DecidedClaim], root: Path, others: OtherRuns = NO_OTHER_RUNS, past: RuleChanges = NO_PAST
) -> str:
    """The text of CLAIMS.md: counts, the fields of `claims.json`, and every claim by group, in the order of its source.

    Args:
        claims: The claims of the reference run.
        root: Folder of the repository, whose sources tell the lines that links lead to.
        others: How other runs decided.
        past: Changes of rules, and where claims come from that were added for what another
            one had said.

    Raises:
        InputError: naming the function, if one of the manifest or of a claim is not in the sources.
    """
    parts = [_introduction(others.root_seeds), groups_table(claims, "")]
    if few := too_few_replicates(claims):
        named = ", ".join(f"`{name}` ({n})" for name, n in few.items())
        parts.append(f"Findings with fewer than {REPLICATES} replicates in a cell, and how many: {named}.")
    parts += [
        "## The fields of `claims.json`",
        _fields(),
        "## The data",
        _data(),
        "## The columns of the tables",
        _columns(),
    ]
    for group in GROUPS:
        lines = function_lines(root / f"src/ndgm/claims/{group.name}.py")
        here = sorted((claim for claim in claims if claim.group == group.name), key=lambda claim: lines[claim.id])
        # The anchor of the heading itself would be as long as the title, and change with it.
        parts += [f'## <a id="{group.name}"></a>{group.title}', _experiments(group, root)]
        for kind, title in (("finding", "Findings"), ("identity", "Identities")):
            of_kind = [claim for claim in here if claim.kind == kind]
            parts += [f"### {title}: {_counted(of_kind)}"] if of_kind else []
            for claim in of_kind:
                link = f"src/ndgm/claims/{group.name}.py#L{lines[claim.id]}"
                added = map(_added, filter(None, [past.origins.get(claim.id)]))
                changed = map(_changed, past.rules.get(claim.id, ()))
                parts.append(_entry(claim, link, _checked(claim, others), [*added, *changed]))
        if gone := past.withdrawn_from(group.name):
            parts += ["### Withdrawn", "\n".join(map(_withdrawn, *zip(*gone, strict=True)))]
    return "\n\n".join(parts) + "\n"


def _withdrawn(claim: Withdrawal, instead: Sequence[str]) -> str:
    """A claim that there is no more, its last outcome, and what came in its place."""
    after = f"; then {', '.join(f'`{name}`' for name in instead)}" if instead else ""
    return f"- `{claim.claim}` on {claim.date}: {claim.outcome}{after}"


def too_few_replicates(claims: Sequence[DecidedClaim]) -> dict[str, int]:
    """Findings that have fewer than `REPLICATES` replicates in a cell, and how many they have."""
    findings = (claim for claim in claims if claim.kind == "finding" and not claim.gap)
    return {claim.id: claim.replicates for claim in findings if claim.replicates < REPLICATES}


def groups_table(claims: Sequence[DecidedClaim], document: str = "CLAIMS.md") -> str:
    """A row for each claim group: its findings by verdict, and how many of its identities hold."""
    rows = []
    for group in GROUPS:
        here = [claim for claim in claims if claim.group == group.name]
        rows.append([f"[{group.title}]({document}#{group.name})", *_counts(here)])
    rows.append(["all", *_counts(claims)])
    return markdown_table(["claims", *(f"{verdict}" for verdict in VERDICTS), "identities that hold"], rows)


def _introduction(root_seeds: RootSeeds) -> str:
    """The head of CLAIMS.md, with what root seeds decided where runs with other ones were made."""
    parts = [_INTRODUCTION, _FRAGILE, _PAST]
    if root_seeds.root_seeds:
        parts.append(_OTHER_ROOT_SEEDS.format(all=len(root_seeds.root_seeds)))
    return "\n\n".join(parts)


def _fields() -> str:
    """The fields of `claims.json`, in the words of its schema."""
    schema = json.loads((files("ndgm.decide") / "claims.schema.json").read_text(encoding="utf-8"))
    described = schema["items"]["properties"]
    # What looks like a tag, such as the scale in a path, would not be shown.
    rows = [[f"`{name}`", described[name]["description"].replace("<", "&lt;")] for name in described]
    text = "By `src/ndgm/decide/claims.schema.json`, a JSON schema that a reader may validate against."
    return f"{text}\n\n" + markdown_table(["field", "what it holds"], rows)


def _data() -> str:
    """The samples that experiments run on: their settings, where they are, and what is made from them."""
    tables: dict[str, dict[str, None]] = {}
    for job in (job for group in GROUPS for job in group.jobs):
        for pattern in job.samples:
            of_owner = tables.setdefault(pattern.partition("/")[0], {})
            of_owner |= dict.fromkeys(f"`{made.table}`" for made in job.experiments)
    rows = [[f"`samples.{name}`", f"`data/{name}/*.npz`", ", ".join(made)] for name, made in tables.items()]
    return f"{_DATA}\n\n" + markdown_table(
        ["settings", "files in `results/laptop`", "tables of the jobs that read them"], rows
    )


def _columns() -> str:
    """Every column of the tables in `runs` and `exact`, with meaning and unit."""
    text = "A row is a run at a recorded step. A unit of 1 is none; the unit of a weight is the problem's own."
    rows = [[f"`{name}`", meaning, unit] for name, (meaning, unit) in COLUMNS.items()]
    return f"{text}\n\n" + markdown_table(["column", "what it holds", "unit"], rows)


def _counts(claims: Sequence[DecidedClaim]) -> list[str]:
    """Findings by verdict, and how many identities hold, of how many."""
    findings = [claim.verdict for claim in claims if claim.kind == "finding"]
    identities = [claim.verdict for claim in claims if claim.kind == "identity"]
    held = f"{identities.count('supported')} of {len(identities)}" if identities else "–"
    return [*(str(findings.count(verdict)) for verdict in VERDICTS), held]


def _counted(claims: Sequence[DecidedClaim]) -> str:
    """How many claims have each verdict, such as `8 supported, 1 refuted`."""
    verdicts = [claim.verdict for claim in claims]
    return ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in VERDICTS if verdict in verdicts)


def _checked(claim: DecidedClaim, others: OtherRuns) -> str:
    """What follows a claim's label: whether other replicates, processors and root seeds decide it alike."""
    words = others.why_fragile(claim)
    fragile = [f"fragile: {', '.join(words)}"] if words else []
    agreement = others.agreement(claim) if others.alike(claim) else ""  # else it is among these words
    return "".join(f", {part}" for part in filter(None, [*fragile, agreement]))


def _entry(claim: DecidedClaim, function: str, checked: str, past: Sequence[str]) -> str:
    """One claim: statement, verdict and how it was checked, numbers, rule and its past, links to what is behind."""
    numbers = f"No numbers: {claim.gap}."
    if claim.compared:  # which is said wherever something was measured
        header = ["measured", claim.compared, "cell that decides", "cells", "n", "p"]
        count = f"{claim.n}, {claim.diverged} runs diverged" if claim.diverged else str(claim.n)
        p = f"{claim.p} {claim.p_of}".strip()
        cells = ": ".join(filter(None, [str(claim.cells), claim.effect]))
        measured = ", ".join(filter(None, [claim.result, claim.in_pairs]))
        row = [measured, claim.held_against, claim.where, cells, count, p]
        numbers = "\n\n".join([*([f"No verdict: {claim.gap}."] if claim.gap else []), markdown_table(header, [row])])
    margin = "" if str(claim.margin) in ("–", "0") else f"; margin {claim.margin}"
    stands = f"; {claim.verdict} {claim.stands}" if claim.stands else ""
    tables = ", ".join(f"`{name}`" for name in claim.experiments)
    figure = f"[figure]({REFERENCE}/figures/{claim.figure}.svg), [notebook](figures/{claim.figure}.py)"
    return "\n".join(
        [
            f"#### {claim.id}\n",
            f"**{claim.verdict.capitalize()}** ({claim.label}{checked}): {formulas(claim.statement)}\n",
            numbers + "\n",
            f"- Rule: {formulas(claim.test)}{margin}{stands}",
            *past,
            f"- From: [function]({function}), {figure}, tables {tables}",
            f"- Alone: `snakemake --cores all results/laptop/claims/{claim.id}.json`",
        ]
    )


def _added(origin: Origin) -> str:
    """Which claim this one was split off from, or added after."""
    return f"- Added on {origin.date} {after_or_in_place(origin)}; {known_before(origin)}"


def _changed(change: Change) -> str:
    """A change of a claim's rule: what changed, and what was known then."""
    what = f"`{change.test_before}` stayed"
    if "test" in change.changed:
        what = f"`{change.test_before}` became `{change.test_after}`"
    if "selection" in change.changed:
        what += ", on another selection"
    before, after = (each or NOT_DECIDED for each in (change.outcome_before, change.outcome_after))
    outcome = f"{before} became {after}" if before != after else f"verdict and numbers stayed: {before}"
    return f"- Rule changed on {' and '.join(change.dates)}: {what}; {outcome}"


def _experiments(group: Group, root: Path) -> str:
    """The tables that a group brings: where they are, what makes them, and their settings."""
    rows = [_made(job, experiment, root) for job in group.jobs for experiment in job.experiments]
    return f"Section {group.section} of the {group.document}.\n\n" + markdown_table(
        ["table", "function", "settings", "rule"], rows
    )


def _made(job: Job, experiment: Experiment, root: Path) -> list[str]:
    """A table's files, the function behind it, its block in the config, and the rule of the workflow."""
    module, _, name = experiment.function.rpartition(".")
    path = f"src/ndgm/experiments/{module}.py"
    made = f"results/laptop/{job.folder}/{experiment.table}{'_*' if job.parts else ''}.parquet"
    link = f"[`{experiment.function}`]({path}#L{function_lines(root / path)[name]})"
    keys = dict.fromkeys((experiment.settings, *experiment.also, *(OF_TRAINING if job.trains else ())))
    settings = ", ".join(f"`{key}`" for key in filter(None, keys))
    return [f"`{made}`", link, settings or "–", f"`{job.name}`"]
