"""PDF and web page: the same bytes everywhere, nothing from outside, every reference leads somewhere."""

import re

import pytest
from bs4 import BeautifulSoup
from paper_of_a_run import ROOT, SHOWN, SOURCES, manuscript, run

from ndgm.paper.typesetting import MARKDOWN, convert, document_html, document_pdf, inline_svg, page
from ndgm.store.files import InputError

TEMPLATES = ROOT / "paper/templates"
REFERENCES = ROOT / "paper/references.bib"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return run(tmp_path_factory.mktemp("run") / "results")


@pytest.fixture(scope="module", params=SOURCES)
def document(request):
    return request.param


@pytest.fixture(scope="module")
def markdown(folder, document):
    return manuscript(folder, document).fill(SOURCES[document])


@pytest.fixture(scope="module")
def web_page(markdown, folder):
    return document_html(markdown, TEMPLATES, REFERENCES, folder / "figures")


@pytest.fixture(scope="module")
def soup(web_page):
    return BeautifulSoup(web_page, "html.parser")


def test_the_pdf_has_the_same_bytes_in_another_folder_on_another_day(markdown, folder, tmp_path, monkeypatch):
    once = document_pdf(markdown, TEMPLATES, REFERENCES, folder / "figures")
    (folder / "figures").rename(tmp_path / "elsewhere")
    try:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        again = document_pdf(markdown, TEMPLATES, REFERENCES, tmp_path / "elsewhere")
    finally:
        (tmp_path / "elsewhere").rename(folder / "figures")
    assert once.startswith(b"%PDF")
    assert once == again
    assert b"CreationDate" not in once
    assert str(tmp_path).encode() not in once


def test_the_page_needs_no_other_file(soup):
    assert not soup.find_all(["script", "link", "iframe", "img"])
    assert not re.search(r"@import|url\((?!#)", soup.style.text)


def test_every_id_of_the_page_is_there_once_and_every_reference_leads_to_one(soup):
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    targets = {tag[key][1:] for key in ("href", "xlink:href") for tag in soup.find_all(attrs={key: re.compile("^#")})}
    assert targets <= set(ids)
    assert set(re.findall(r"url\(#([^)]+)\)", str(soup.body))) <= set(ids)


def test_every_figure_is_drawn_in_the_page_described_and_traced(soup, document):
    for name in SHOWN[document]:
        figure = soup.find("figure", id=f"fig-{name}")
        assert len(figure.svg["aria-label"]) > 20
        assert [link["href"] for link in figure.find(class_="source").find_all("a")] == [
            f"../../figures/{name}.py",
            "runs/",
            f"notebooks/{name}.html",
        ]


def test_formulas_are_mathml_and_norms_keep_their_bars_in_tables(soup):
    row = soup.find(id=re.compile("^claim-")).find_parent("tr")
    assert len(row.find_all("td")) == 5
    assert row.math.text.count("∥") + row.math.text.count("‖") >= 2


def test_equations_figures_and_tables_are_numbered_in_order(soup, document):
    numbers = [tag.text for tag in soup.select("div.equation > span, div.equation > p > span")]
    assert numbers == [f"({i})" for i in range(1, len(numbers) + 1)]
    captions = [figure.figcaption.text.split(".")[0] for figure in soup.find_all("figure")]
    assert captions == [f"Figure {i}" for i in range(1, len(SHOWN[document]) + 1)]
    to_sections = [link for link in soup.select('a[href^="#sec-"]') if re.match("(Section|Appendix) ", link.text)]
    numbers_of = {link["href"][1:]: link.text.split()[1] for link in to_sections}
    assert numbers_of == {name: soup.find(id=name).get("data-number") for name in numbers_of} != {}


def test_sections_of_the_appendix_have_letters():
    source = """---
title: t
---

See [](#sec-one), [](#sec-part), [](#sec-detail) and [](#sec-second).

# One {#sec-one}

## Part {#sec-part}

# First {#sec-first .appendix}

## Detail {#sec-detail}

# Second {#sec-second .appendix}

## Another {#sec-another}
"""
    written = BeautifulSoup(page(source, MARKDOWN, TEMPLATES, "--number-sections", "--section-divs"), "html.parser")
    numbers = {
        section["id"]: section.find(class_="header-section-number").text for section in written.select("section[id]")
    }
    letters = {"first": "A", "detail": "A.1", "second": "B", "another": "B.1"}
    assert numbers == {f"sec-{name}": number for name, number in {"one": "1", "part": "1.1", **letters}.items()}
    assert "See Section 1, Section 1.1, Appendix A.1 and Appendix B." in written.text
    typeset = convert(source, MARKDOWN, "typst", f"--lua-filter={TEMPLATES / 'numbering.lua'}")
    begins = '#counter(heading).update(0)\n#set heading(numbering: "A.1")'
    assert typeset.count(begins) == 1 and typeset.index("= One") < typeset.index(begins) < typeset.index("= First")


@pytest.mark.parametrize(
    ("source", "name"), [("See [](#eq-nothing).", "#eq-nothing"), ("As in [@nobody1999].", "nobody1999")]
)
def test_a_reference_to_nothing_is_a_fault_in_one_line(source, name):
    with pytest.raises(InputError, match=name) as fault:
        page(
            f"---\ntitle: t\n---\n\n{source}",
            MARKDOWN,
            TEMPLATES,
            "--citeproc",
            f"--bibliography={REFERENCES}",
        )
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(("terms", "fits"), [(6, True), (14, False)])  # of some 25 points; a column has 237
def test_an_equation_wider_than_its_column_is_named(tmp_path, terms, fits):
    sum_of_terms = " + ".join([r"\frac{\lambda^2}{2\eta}"] * terms)
    text = f"---\ntitle: t\n---\n\n::: {{.equation #eq-sum}}\n$$ {sum_of_terms} $$\n:::\n"
    if fits:
        assert document_pdf(text, TEMPLATES, REFERENCES, tmp_path).startswith(b"%PDF")
    else:
        with pytest.raises(InputError, match="wider than its column: eq-sum"):
            document_pdf(text, TEMPLATES, REFERENCES, tmp_path)


def test_two_pictures_in_one_page_share_no_ids():
    drawing = '<?xml version="1.0"?><svg width="9pt"><path id="a" clip-path="url(#b)"/><use xlink:href="#a"/></svg>'
    first, second = (inline_svg(drawing, name, "words") for name in ("one", "two"))
    assert 'id="one-a"' in first and "url(#one-b)" in first and 'href="#one-a"' in first
    assert "one-" not in second
    assert first.startswith('<svg role="img" aria-label="words"')
