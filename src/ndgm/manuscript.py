"""The paper's source, filled with the numbers, verdicts, tables and figures of a run: Markdown in, Markdown out."""

import difflib
import html
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from ndgm.files import InputError
from ndgm.typesetting import MARKDOWN, convert

VERDICTS = ("supported", "refuted", "inconclusive")


class Quantity(float):
    """A number that prints itself with as many digits as its interval supports."""

    def __new__(cls, value: float, interval: Sequence[float] | None = None) -> "Quantity":
        """Keep `value` as a float, and `interval` for printing."""
        quantity = super().__new__(cls, value)
        quantity.interval = tuple(interval) if interval else None
        return quantity

    def __str__(self) -> str:
        """Markdown, for example `0.0412` or `1.2 × 10^−5^`."""
        return _number(self, *_precision(self, self.interval))


def _precision(value: float, interval: Sequence[float] | None) -> tuple[int, int]:
    """The power of ten to factor out, and the decimals to print then.

    The half-width of the interval decides: it keeps two digits where they are 10 to 35, else one (the rule of the
    Particle Data Group). Without an interval four significant digits are printed.
    """
    largest = max(abs(number) for number in (value, *(interval or ())))
    magnitude = math.floor(math.log10(largest)) if largest else 0
    power = 0 if -4 <= magnitude < 6 else magnitude
    half = (interval[1] - interval[0]) / 2 if interval else 0
    if half > 0:
        last = math.floor(math.log10(half))
        decimals = power - last + (half / 10**last < 3.55)
    else:
        digits = f"{abs(value) / 10**power:.{max(3 - magnitude + power, 0)}f}".partition(".")[2].rstrip("0")
        decimals = len(digits)
    return power, max(decimals, 0)


def _number(value: float, power: int, decimals: int) -> str:
    """Markdown of a number with its power of ten, a true minus, and commas between thousands."""
    digits = f"{value / 10**power:,.{decimals}f}".replace("-", "−")
    if not re.search("[1-9]", digits):
        return "0"
    return digits + (_power_of_ten(power) if power else "")


def _power_of_ten(power: int) -> str:
    return f" × 10^{power}^".replace("-", "−")


@dataclass(frozen=True)
class Claim:
    """One entry of `claims.json`, with its numbers ready to print."""

    id: str
    group: str
    section: str
    statement: str
    verdict: str
    test: str
    figure: str
    unit: str
    n: Any
    experiments: tuple[str, ...]
    measured: Any
    predicted: Any
    margin: Any
    p_value: Any
    bounds: tuple[float, float] | None

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> "Claim":
        """Check an entry of `claims.json` and take it over.

        Raises:
            InputError: if a key is missing or the verdict is not one of the three.
        """
        name = entry.get("id", "a claim without id")
        keys = set(cls.__dataclass_fields__) - {"bounds"} | {"interval"}
        if missing := sorted(keys - set(entry)):
            raise InputError(f"{name}: {missing[0]}: is missing")
        if entry["verdict"] not in VERDICTS:
            raise InputError(f"{name}: verdict: {entry['verdict']!r} is not one of {', '.join(VERDICTS)}")
        ends = entry["interval"]
        bounds = (ends[0], ends[1]) if ends and None not in ends else None
        numbers = {key: _quantity(entry[key], bounds) for key in ("measured", "predicted")}
        numbers |= {key: _quantity(entry[key]) for key in ("margin", "p_value", "n")}
        text = {key: entry[key] or "" for key in ("id", "group", "section", "statement", "verdict", "test", "figure")}
        unit = "" if entry["unit"] in (None, "1") else entry["unit"]
        return cls(**text, **numbers, unit=unit, bounds=bounds, experiments=tuple(entry["experiments"]))

    @property
    def label(self) -> str:
        """The short name that tags carry: `l1_paradox_floor` is L1-floor."""
        first = self.group.split("_")[0].capitalize()
        return "-".join([first, *self.id.removeprefix(self.group).strip("_").split("_")])

    @property
    def interval(self) -> str:
        """The interval as Markdown, with the digits of the value that it belongs to; empty where there is none."""
        if self.bounds is None:
            return ""
        value = self.measured if isinstance(self.measured, float) else self.bounds[0]
        power, decimals = _precision(value, self.bounds)
        ends = ", ".join(f"{end / 10**power:,.{decimals}f}".replace("-", "−") for end in self.bounds)
        return rf"\[{ends}\]" + (_power_of_ten(power) if power else "")

    @property
    def result(self) -> str:
        """What was measured, with interval and unit, as Markdown."""
        return " ".join(filter(None, [str(self.measured), self.interval, self.unit]))

    @property
    def p(self) -> str:
        """The p value as Markdown, never smaller than one can mean."""
        if not isinstance(self.p_value, float):
            return "–"
        return "< 0.001" if self.p_value < 0.001 else f"{self.p_value:.2g}"


def _quantity(value: Any, interval: Sequence[float] | None = None) -> Any:
    """Numbers as `Quantity`, nothing as a dash, text as it is."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return value if isinstance(value, int) and interval is None else Quantity(value, interval)


class _Unknown(Exception):
    """A name in the source that the run does not have."""


def _pick(things: Mapping[str, Any], name: str, kind: str) -> Any:
    """`things[name]`, or a fault that suggests the nearest name."""
    if name in things:
        return things[name]
    near = difflib.get_close_matches(name, things, n=1)
    raise _Unknown(f"unknown {kind} {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


class Manuscript:
    """The source of the paper and what its placeholders may name.

    Args:
        claims: Entries of `claims.json`.
        settings: The config of the run.
        figures: Folder of the drawn figures; the web page is taken to stand beside it.
        captions: Folder of the captions, one `<figure>.rst` each.
    """

    def __init__(self, claims: Sequence[Mapping], settings: Mapping, figures: Path, captions: Path) -> None:
        """Prepare the placeholders."""
        self.claims = {claim.id: claim for claim in map(Claim.read, claims)}
        self.figures = figures
        self.captions = captions
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
            "count": self.count,
            "figure": self.figure,
            "verdicts_table": self.verdicts_table,
            "claims_table": self.claims_table,
        }

    def fill(self, path: Path) -> str:
        """The text of `path` with every placeholder filled in.

        Raises:
            InputError: naming file, line and placeholder, if a placeholder cannot be filled.
        """
        try:
            source = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise InputError(f"{path}: no such file") from None
        try:
            return self._environment.from_string(source).render()
        except jinja2.TemplateSyntaxError as fault:
            raise InputError(f"{path}: line {fault.lineno}: {fault.message}") from None
        except (jinja2.UndefinedError, _Unknown, TypeError) as fault:
            raise InputError(f"{path}: line {_line(fault)}: {fault}") from None

    def claim(self, name: str) -> Claim:
        """The claim with this id."""
        return _pick(self.claims, name, "claim")

    def tag(self, name: str) -> str:
        """The mark in the text that leads to the claim's row, such as [L1-floor, supported]."""
        claim = self.claim(name)
        return rf"[\[{claim.label}, {claim.verdict}\]](#claim-{claim.id}){{.tag .{claim.verdict}}}"

    def outcome(self, name: str) -> str:
        """What a claim came to, in the same words for every claim, with its tag."""
        claim = self.claim(name)
        parts = {"measured": claim.result, "predicted": claim.predicted, "margin": claim.margin}
        return ", ".join(f"{word} {value}" for word, value in parts.items() if value != "–") + f" {self.tag(name)}"

    def decided(self, name: str, *, supported: str, refuted: str, inconclusive: str) -> str:
        """The wording that the verdict of a claim asks for; all three have to be written."""
        return {"supported": supported, "refuted": refuted, "inconclusive": inconclusive}[self.claim(name).verdict]

    def count(self, verdict: str) -> int:
        """How many claims have this verdict."""
        _pick(dict.fromkeys(VERDICTS), verdict, "verdict")
        return sum(claim.verdict == verdict for claim in self.claims.values())

    def figure(self, name: str) -> str:
        """A figure with its caption and the mark that leads to its script, data and notebook."""
        drawing = self.figures / f"{name}.svg"
        if not drawing.is_file():
            _pick({path.stem: path for path in self.figures.glob("*.svg")}, name, "figure")
        filled = self.fill(self.captions / f"{name}.rst")
        caption = convert(filled, "rst", "markdown", "--wrap=none").strip().replace("\n", " ")
        sentence = convert(caption, MARKDOWN, "plain", "--wrap=none").split(". ")[0].strip().rstrip(".")
        wide = ".wide " if _width(drawing) > 4 else ""
        mark = f"[[script](../../figures/{name}.py) · [data](runs/) · [notebook](notebooks/{name}.html)]"
        return (
            f'::: {{.figure {wide}#fig-{name} name="{name}" alt="{html.escape(sentence)}"}}\n'
            f'{caption} {mark}{{.source path="figures/{name}.py"}}\n:::'
        )

    def verdicts_table(self, group: str, caption: str) -> str:
        """What was claimed, predicted, measured and decided: a row for each claim of a group."""
        rows = [
            [
                f"[{claim.label}]{{#claim-{claim.id}}}",
                claim.statement,
                str(claim.predicted),
                claim.result,
                f"[{claim.verdict}]{{.{claim.verdict}}}",
            ]
            for claim in self._of(group)
        ]
        header = ["Claim", "Statement", "Predicted", r"Measured \[interval\]", "Verdict"]
        return _table(f"tab-verdicts-{group}", caption, (15, 42, 10, 22, 11), [header, *rows])

    def claims_table(self, group: str, caption: str) -> str:
        """How each claim of a group was decided: the rule with its margin, the p value, n and the experiments."""
        rows = [
            [
                f"[{claim.label}](#claim-{claim.id})",
                claim.test,
                str(claim.margin),
                claim.p,
                _printed(claim.n),
                ", ".join(f"`{name}`" for name in claim.experiments) or "–",
            ]
            for claim in self._of(group)
        ]
        header = ["Claim", "Decision rule", "Margin", "$p$", "$n$", "Experiments"]
        return _table(f"tab-rules-{group}", caption, (16, 42, 9, 8, 7, 18), [header, *rows])

    def _of(self, group: str) -> list[Claim]:
        groups: dict[str, list[Claim]] = {}
        for claim in self.claims.values():
            groups.setdefault(claim.group, []).append(claim)
        return _pick(groups, group, "claim group")


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
    head = drawing.read_text(encoding="utf-8")[:2000]
    found = re.search(r'<svg[^>]*? width="([\d.]+)pt"', head)
    if not found:
        raise InputError(f"{drawing}: truncated or corrupted; remove it and run again")
    return float(found[1]) / 72


def _table(anchor: str, caption: str, widths: Sequence[int], rows: Sequence[Sequence[str]]) -> str:
    """A table as nested lists, which hold any formula: the bars of a norm would end the cell of a Markdown table."""
    lines = [f'::: {{.table #{anchor} widths="{" ".join(map(str, widths))}"}}', caption, ""]
    for row in rows:
        lines += [f"{'- ' if i == 0 else '  '}- {cell or '–'}" for i, cell in enumerate(row)]
    return "\n".join([*lines, ":::"])
