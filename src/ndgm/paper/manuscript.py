"""A document's source, filled with the numbers, verdicts, tables and figures of a run."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import jinja2

from ndgm.decide.statistics import ERROR_RATE
from ndgm.decide.verdict import Verdict
from ndgm.groups import GROUPS
from ndgm.paper.other_runs import NO_OTHER_RUNS, OtherRuns
from ndgm.paper.quantities import Quantity
from ndgm.paper.rule_changes import RULES, SETTINGS, WITHDRAWN, read_rule_changes
from ndgm.paper.typesetting import MARKDOWN, convert
from ndgm.paper.verdicts import WORDS, DecidedClaim, label
from ndgm.store.files import InputError, read_json_list, read_text
from ndgm.store.names import meant


class _Unknown(Exception):
    """A name in the source that the run does not have."""


def _pick(things: Mapping[str, Any], name: str, kind: str) -> Any:
    """`things[name]`, or a fault that suggests names."""
    if name in things:
        return things[name]
    raise _Unknown(f"unknown {kind} {name!r}; {meant(name, things)}")


class Manuscript:
    """The source of a document and what its placeholders may name.

    Args:
        claims: Files of decided claims, those of the document's groups; others are unknown.
        settings: The config of the run.
        figures: Folder of the drawn figures; the web page is taken to stand beside it.
        captions: Folder of the captions, one `<figure>.rst` each.
        history: `reference/rules.json`.
        others: How runs of the scale with other root seeds, and on other processors, decided.
    """

    def __init__(
        self,
        claims: Iterable[Path],
        settings: Mapping,
        figures: Path,
        captions: Path,
        history: Path,
        others: OtherRuns = NO_OTHER_RUNS,
    ) -> None:
        """Read the claims and prepare the placeholders.

        Raises:
            InputError: naming the file and the key, if an entry of `claims` is not a claim.
        """
        decided = sorted((claim for file in claims for claim in _decided(file)), key=attrgetter("id"))
        self.claims = {claim.id: claim for claim in decided}
        self.figures = figures
        self.captions = captions
        self.history = history
        self.others = others
        elsewhere = [claim for claim in self.claims.values() if others.agreement(claim)]
        # Comments of the source are HTML comments: the usual {# #} would swallow pandoc's {#anchors}.
        self._environment = jinja2.Environment(
            undefined=jinja2.StrictUndefined,
            finalize=_printed,
            comment_start_string="<!--",
            comment_end_string="-->",
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals = {
            "settings": settings,
            "claims": list(self.claims.values()),
            "claim": self.claim,
            "tag": self.tag,
            "outcome": self.outcome,
            "decided": self.decided,
            "verdict": self.verdict,
            "number_changed": self.number_changed(),
            "count": self.count,
            "root_seeds": len(others.root_seeds.root_seeds),
            "decided_elsewhere": len(elsewhere),
            "decided_alike": sum(map(others.alike, elsewhere)),
            "error_rate": ERROR_RATE,
            "figure": self.figure,
            "verdicts_table": self.verdicts_table,
            "claims_table": self.claims_table,
            "rule_changes": self.rule_changes,
            "withdrawals": self.withdrawals,
            "number_withdrawn": len(self._withdrawn()),
            "setting_changes": self.setting_changes,
        }

    def fill(self, path: Path) -> str:
        """The text of `path` with every placeholder filled in.

        Raises:
            InputError: naming file, line and placeholder, if a placeholder cannot be filled.
        """
        source = read_text(path)
        try:
            return self._environment.from_string(source).render()
        except jinja2.TemplateSyntaxError as fault:
            raise InputError(f"{path}: line {fault.lineno}: {fault.message}") from None
        except (jinja2.UndefinedError, _Unknown, TypeError, ValueError) as fault:
            raise InputError(f"{path}: line {_line(fault)}: {fault}") from None

    def claim(self, name: str) -> DecidedClaim:
        """The claim with an id."""
        return _pick(self.claims, name, "claim")

    def fragile(self, claim: DecidedClaim) -> list[str]:
        """The word that says that a verdict is fragile, as `OtherRuns.why_fragile` has it; or nothing."""
        return ["fragile"] if self.others.why_fragile(claim) else []

    def tag(self, name: str) -> str:
        """The mark in the text that leads to the claim's row, such as [L1-floor, supported, fragile]."""
        claim = self.claim(name)
        words = ", ".join([claim.label, claim.verdict, *self.fragile(claim)])
        return rf"[\[{words}\]](#claim-{claim.id}){{.tag .{claim.verdict}}}"

    def outcome(self, name: str) -> str:
        """Numbers of a claim, in the words that every claim has, with its tag."""
        claim = self.claim(name)
        if not claim.compared:
            return f"not measured, because {claim.gap} {self.tag(name)}"
        against = "compared with" if claim.compared == "other arm" else str(claim.compared)
        margin = "–" if claim.compared == "bound" and claim.margin == claim.reference else claim.margin
        parts = {"measured": claim.result, against: claim.held_against, "margin": margin}
        said = [f"{word} {value}" for word, value in parts.items() if value != "–"]
        said[2:2] = filter(None, [claim.in_pairs])
        if claim.verdict != Verdict.SUPPORTED and claim.effect and claim.cells > 1:
            said.append(f"cells {claim.effect}")
        said += filter(None, [claim.gap])
        return f"{', '.join(said)} {self.tag(name)}"

    def decided(self, name: str, *, supported: str, refuted: str, inconclusive: str) -> str:
        """The wording that goes with the verdict of a claim; all three have to be written.

        What this run supports and most runs with other root seeds do not is left open; a refutation needs one cell.
        """
        wordings = {"supported": supported, "refuted": refuted, "inconclusive": inconclusive}
        claim = self.claim(name)
        return inconclusive if self._is_of_this_run(claim) else wordings[claim.verdict]

    def verdict(self, name: str) -> str:
        """The verdict of a claim, as a word of a sentence."""
        claim = self.claim(name)
        return f"{claim.verdict}{', but not with most other root seeds' if self._is_of_this_run(claim) else ''}"

    def _is_of_this_run(self, claim: DecidedClaim) -> bool:
        """Whether this run supports a claim and most runs with other root seeds do not."""
        return claim.verdict == Verdict.SUPPORTED and not self.others.mostly_alike(claim)

    def count(self, *words: str) -> int:
        """Number of claims to which all words apply: verdicts, kinds, `fragile`; as `count("finding", "refuted")`."""
        known = dict.fromkeys((*WORDS["kind"], *WORDS["verdict"], "fragile"))
        for word in words:
            _pick(known, word, "word of a claim")
        return sum({claim.kind, claim.verdict, *self.fragile(claim)} >= set(words) for claim in self.claims.values())

    def figure(self, name: str) -> str:
        """A figure with its caption and the mark that leads to its script, data and notebook."""
        drawing = self.figures / f"{name}.svg"
        if not drawing.is_file():
            _pick({path.stem: path for path in self.figures.glob("*.svg")}, name, "figure")
        caption = convert(self.caption(name), "rst", "markdown").strip().replace("\n", " ")
        sentence = convert(caption.split(". ")[0], MARKDOWN, "plain").strip().rstrip(".")
        wide = ".wide " if _width(drawing) > 4 else ""
        mark = f"[[script](../../figures/{name}.py) · [data](runs/) · [notebook](notebooks/{name}.html)]"
        return (
            f'::: {{.figure {wide}#fig-{name} name="{name}" alt="{html.escape(sentence)}"}}\n'
            f'{caption} {mark}{{.source path="figures/{name}.py"}}\n:::'
        )

    def caption(self, name: str) -> str:
        """A figure's caption as reStructuredText, with the line that says what the drawing lacks."""
        filled = self.fill(self.captions / f"{name}.rst")
        lacking = _description(self.figures / f"{name}.svg")
        escaped = re.sub(r"[\\*`|_]", r"\\\g<0>", lacking)  # what begins markup inside a line of reStructuredText
        return f"{filled.rstrip()} {escaped}\n" if lacking else filled

    def verdicts_table(self, group: str, caption: str) -> str:
        """Verdicts on the claims of a group, with what was measured and what it is compared with; identities apart."""
        header = ["Claim", "Statement", "Predicted, bound or other arm", r"Measured \[interval\]", "Verdict"]
        rows: dict[str, list[list[str]]] = {"finding": [], "identity": []}
        for claim in self._of(group):
            compared = "" if claim.compared in ("predicted", None) else f" ({claim.compared})"
            runs, agreeing = self.others.root_seeds.decided(claim.id, claim.verdict)
            seeds = [f"{agreeing} of {runs}"] if runs else []
            name = f"[{claim.label}]{{#claim-{claim.id}}}"
            verdict = ", ".join([f"[{claim.verdict}]{{.{claim.verdict}}}", *self.fragile(claim), *seeds])
            measured = ", ".join(filter(None, [claim.result, claim.in_pairs]))
            rows[claim.kind].append([name, claim.statement, claim.held_against + compared, measured, verdict])
        identities = f"Identities, apart from [](#tab-verdicts-{group}): algebra and theorems, which check the code."
        captions = {"finding": (f"tab-verdicts-{group}", caption), "identity": (f"tab-identities-{group}", identities)}
        widths = (15, 40, 13, 21, 11)
        tables = [_table(*captions[kind], widths, [header, *of_kind]) for kind, of_kind in rows.items() if of_kind]
        return "\n\n".join(tables)

    def claims_table(self, group: str, caption: str) -> str:
        """Rules by which the claims of a group were decided: test, margin, p value, n and experiments."""
        rows = [
            [
                f"[{claim.label}](#claim-{claim.id})",
                claim.test,
                str(claim.margin),
                claim.p,
                _printed(claim.cells),
                "; ".join(filter(None, [claim.where, claim.gap])),
                _printed(claim.n),
                ", ".join(f"`{_short(name, group)}`" for name in claim.experiments),
            ]
            for claim in self._of(group)
        ]
        header = ["Claim", "Decision rule", "Margin", "$p$", "Cells", "Deciding cell", "$n$", "Experiments"]
        return _table(f"tab-rules-{group}", caption, (15, 24, 8, 7, 6, 19, 8, 13), [header, *rows])

    def rule_changes(self, caption: str) -> str:
        """Rules that were changed, and what was known then."""
        rows = [
            # A zero-width space lets the name of another claim break.
            [f"[{claim.label}](#claim-{claim.id})", *(cell.replace("_", "_\u200b") for cell in rest), claim.verdict]
            for name, *rest in read_rule_changes(self.history).rows_of_rules()
            if (claim := self.claims.get(name))
        ]
        return _table("tab-rule-changes", caption, (14, 11, 17, 17, 16, 15, 10), [[*RULES, "Now"], *rows])

    def number_changed(self) -> int:
        """Claims whose rule was changed, or that were added, after an outcome was known."""
        return len(self.claims.keys() & read_rule_changes(self.history).claims())

    def withdrawals(self, caption: str) -> str:
        """Claims of the groups here that were withdrawn after a run had decided them."""
        return _table("tab-withdrawn", caption, (32, 13, 27, 28), [WITHDRAWN, *self._withdrawn()])

    def _withdrawn(self) -> list[list[str]]:
        """A row for each claim of the groups here that was withdrawn, as `WITHDRAWN` heads it."""
        past = read_rule_changes(self.history)
        return [
            [
                label(each.claim, group),
                each.date,
                each.outcome,
                ", ".join(f"[{self.claims[name].label}](#claim-{name})" for name in instead if name in self.claims),
            ]
            for group in sorted({claim.group for claim in self.claims.values()})
            for each, instead in past.withdrawn_from(group)
        ]

    def setting_changes(self, caption: str) -> str:
        """Settings that were changed after numbers were known."""
        rows = read_rule_changes(self.history).rows_of_settings()
        return _table("tab-setting-changes", caption, (43, 13, 22, 22), [SETTINGS, *rows])

    def _of(self, group: str) -> list[DecidedClaim]:
        """Claims of a group."""
        groups: dict[str, list[DecidedClaim]] = {}
        for claim in self.claims.values():
            groups.setdefault(claim.group, []).append(claim)
        return _pick(groups, group, "claim group")


def _decided(file: Path) -> list[DecidedClaim]:
    """The claims of a file."""
    try:
        return list(map(DecidedClaim.read, read_json_list(file)))
    except (KeyError, ValueError, TypeError, AttributeError) as fault:
        raise fault if isinstance(fault, InputError) else InputError(f"{file}: {fault}") from None


def _short(table: str, group: str) -> str:
    """A table's name inside its own group, where it need not say the group; elsewhere the whole name."""
    own = [experiment for this in GROUPS if this.name == group for job in this.jobs for experiment in job.experiments]
    names = {experiment.table: experiment.function.rpartition(".")[2] for experiment in own}
    return names.get(table, table)


def _printed(value: Any) -> str:
    """How the value of a placeholder appears in the text."""
    if isinstance(value, str | Quantity | jinja2.Undefined):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return str(Quantity(value))
    if isinstance(value, Mapping | list | tuple) and value:
        *head, last = map(_printed, value)
        return f"{', '.join(head)} and {last}" if head else last
    raise _Unknown(f"a placeholder is {value!r}, which cannot be printed")


def _line(fault: BaseException) -> int:
    """The line of the template where a fault came up: the last frame that jinja2 mapped back to it."""
    line, frame = 0, fault.__traceback__
    while frame:
        if frame.tb_frame.f_code.co_filename == "<template>":
            line = frame.tb_lineno
        frame = frame.tb_next
    return line


def _width(drawing: Path) -> float:
    """The width of an SVG in inches, as its first element states it in points."""
    head = read_text(drawing)[:2000]
    found = re.search(r'<svg[^>]*? width="([\d.]+)pt"', head)
    if not found:
        raise InputError(f"{drawing}: truncated or corrupted; remove it and run again")
    return float(found[1]) / 72


def _description(drawing: Path) -> str:
    """What an SVG says of itself in its metadata; nothing where it says nothing."""
    found = re.search(r"<dc:description>(.*?)</dc:description>", read_text(drawing), re.DOTALL)
    return " ".join(html.unescape(found[1]).split()) if found else ""


def _table(anchor: str, caption: str, widths: Sequence[int], rows: Sequence[Sequence[str]]) -> str:
    """A long table as nested lists, which hold any formula: elsewhere in Markdown a norm's bar ends the cell."""
    lines = [f'::: {{.table .long #{anchor} widths="{" ".join(map(str, widths))}"}}', caption, ""]
    for row in rows:
        lines += [f"{'- ' if i == 0 else '  '}- {cell or '–'}" for i, cell in enumerate(row)]
    return "\n".join([*lines, ":::"])
