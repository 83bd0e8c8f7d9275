"""The texts of the documents hold no typed-in result.

A result is a number with a decimal point, a percentage, a whole number from ten on, or such a number in
words. They may stand in placeholders, code, citation keys, arXiv identifiers, the name CIFAR-10, attributes and the
versions v1 to v12; in a formula, only as an exponent of ten.
"""

import json
import re

import pytest
from paper_of_a_run import FIGURES, ROOT, SOURCES

from ndgm.groups import GROUPS
from ndgm.pipeline.jobs import DOCUMENTS

TEXTS = [*SOURCES.values(), *sorted((ROOT / "workflow/report").glob("*.rst"))]

# Sentences inside placeholders are text like any other; what is left of the placeholders are names.
ALLOWED = re.compile(
    r"""
    ```.*?```            # code
    | `[^`]*`
    | <!--.*?-->
    | \{\#[^}]*\}        # anchors of pandoc
    | widths="[\d ]+"
    | \]\([^)]*\)        # targets of links
    | (?<!\w)-?@[\w:-]+  # citation keys
    | \barXiv:\S+
    | \bCIFAR-10\b
    | \bv(?:[1-9]|1[0-2])\b
    | \b10\^\{?-?\d+\}?
    | \$O\(n\^\{24\}\)\$  # what an abstract says of earlier work
    | "[a-z][\w.]*"      # names in placeholders
    | \bsettings\.[\w.]+
    """,
    re.DOTALL | re.VERBOSE,
)
WORDS = (
    "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|"
    "sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|per ?cent|tenfold|half as|twice as|halves|"
    "thirds?"
)
RESULT = re.compile(rf"\d[.,]\d|(?<![\w.])\.\d|\d\s*\\?%|\b\d\d+\b|\b(?:{WORDS})\b", re.IGNORECASE)


def typed_in(text):
    """Results that are typed into a text."""
    return [match.group() for match in RESULT.finditer(ALLOWED.sub(" ", text))]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_result_is_typed_in(path):
    assert typed_in(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "result",
    [
        "the norm is 0.6 of it",
        "the norm is .6 of it",
        "rises by 3 %",
        "rises by 3\\%",
        "over 20 seeds",
        "over twenty seeds",
        "1,000 runs",
        "$\\eta L = 0.02$",
        "$n = 442$",
        "about half as large",
        'decided("l1_paradox_law", supported="it is 12 times larger")',
    ],
)
@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_an_injected_result_is_caught(path, result):
    text = path.read_text(encoding="utf-8")
    middle = text.index(" ", len(text) // 2)
    assert typed_in(text[:middle] + f"\n\n{result}\n\n" + text[middle:])


@pytest.mark.parametrize(
    "text",
    [
        "v12",
        "arXiv:2401.08426",
        "CIFAR-10",
        "$\\frac{1}{2}$",
        "$10^{-12}$",
        "`ndgm==0.1.0`",
        "[@kumar2024]",
        "{{ settings.a.b10 }}",
    ],
)
def test_what_is_no_result_passes(text):
    assert typed_in(text) == []


def test_each_document_of_the_manifest_has_a_text():
    assert SOURCES.keys() == DOCUMENTS.keys()


def test_every_figure_has_its_parts():
    faults = without_parts(DOCUMENTS, stems("figures/*.py"), stems("workflow/report/*.rst") - {"figure"}, FIGURES)
    assert not faults, "\n".join(faults)


def stems(pattern):
    """Names of files of the repository without their suffix."""
    return {path.stem for path in ROOT.glob(pattern)}


def without_parts(documents, notebooks, captions, shown):
    """What to write, a line for each part that a figure of the manifest lacks, or that has no figure.

    Args:
        documents: Figures of the manifest, by document.
        notebooks: Names of the files in `figures`.
        captions: Names of the files in `workflow/report`.
        shown: Figures that the text of each document shows.
    """
    faults = []
    for document, figures in documents.items():
        text = f"paper/{document}.md"
        for name in figures:
            parts = {
                f"write figures/{name}.py, its notebook": name in notebooks,
                f"write workflow/report/{name}.rst, its caption": name in captions,
                f'show it in {text} with {{{{ figure("{name}") }}}}, after [](#fig-{name})': name in shown[document],
            }
            faults += [f"figure {name}: {part}" for part, there in parts.items() if not there]
        strays = sorted(set(shown[document]) - set(figures))
        faults += [f"{text} shows {name}, which is not a figure of its groups" for name in strays]
    known = {name for figures in documents.values() for name in figures}
    files = [f"figures/{name}.py" for name in sorted(notebooks - known)]
    files += [f"workflow/report/{name}.rst" for name in sorted(captions - known)]
    return faults + [f"{file}: name its figure in src/ndgm/groups.py, or remove the file" for file in files]


def test_what_a_figure_lacks_is_said_with_what_to_write():
    # Ten tests were red where a figure had neither caption nor place, and none said what to write.
    faults = without_parts({"paper": ["norm", "zeros"]}, {"norm", "zeros", "law"}, {"norm"}, {"paper": ["norm", "old"]})
    assert faults == [
        "figure zeros: write workflow/report/zeros.rst, its caption",
        'figure zeros: show it in paper/paper.md with {{ figure("zeros") }}, after [](#fig-zeros)',
        "paper/paper.md shows old, which is not a figure of its groups",
        "figures/law.py: name its figure in src/ndgm/groups.py, or remove the file",
    ]
    assert without_parts({"paper": ["norm"]}, {"norm"}, {"norm"}, {"paper": ["norm"]}) == []


def test_a_document_shows_every_figure_of_its_claims():
    claims = json.loads((ROOT / "reference/laptop/claims.json").read_text(encoding="utf-8"))
    documents = {group.name: group.document for group in GROUPS}
    elsewhere = [
        f"{claim['id']}: its figure {claim['figure']} is none of paper/{documents[claim['group']]}.md"
        for claim in claims
        if claim["figure"] not in DOCUMENTS[documents[claim["group"]]]
    ]
    assert not elsewhere, "\n".join(elsewhere)


def test_every_reference_is_cited_and_has_a_place_of_its_own():
    """One entry had the identifier of another."""
    entries = re.findall(
        r"^@\w+\{(\w+),(.*?)^\}", (ROOT / "paper/references.bib").read_text(encoding="utf-8"), re.M | re.S
    )
    places = [place for _, entry in entries for place in re.findall(r"^  (?:doi|url) = \{(.*)\}", entry, re.M)]
    assert len(set(places)) == len(places) > len(entries) / 2
    cited = "".join(text.read_text(encoding="utf-8") for text in TEXTS)
    assert [name for name, _ in entries if not re.search(rf"@{name}\b", cited)] == []
