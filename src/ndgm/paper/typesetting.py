"""From Markdown to what is read: the paper as PDF and web page, and pictures inside pages."""

import re
import shutil
import subprocess
from pathlib import Path

import pypandoc
import typst

from ndgm.paper.colours import INK, PAPER
from ndgm.store.files import InputError, check_fingerprint, read_text, temporary_folder

# The pandoc that comes with the package: another one on the PATH would write other bytes.
_PANDOC = Path(pypandoc.__file__).parent / "files/pandoc"

MARKDOWN = "markdown-implicit_figures+smart"
"""The Markdown of the paper, in pandoc's words."""


def convert(text: str, source: str, target: str, *options: str) -> str:
    """Text in one of pandoc's formats, converted to another.

    Raises:
        InputError: in pandoc's words, on a fault or a warning, such as a citation of nothing.
    """
    ours = [f"--data-dir={_PANDOC.parent}", "--wrap=none", "--fail-if-warnings"]  # no templates or filters of the user
    command = [str(_PANDOC), f"--from={source}", f"--to={target}", *ours, *options]
    done = subprocess.run(command, input=text.encode(), capture_output=True)
    if done.returncode:
        raise InputError("pandoc: " + " ".join(done.stderr.decode().split("stack traceback")[0].split()))
    return done.stdout.decode()


def page(text: str, source: str, templates: Path, *options: str) -> str:
    """Text in one of pandoc's formats as one web page that needs no other file, with formulas as MathML."""
    style = f"--variable=style:{(templates / 'page.css').read_text(encoding='utf-8')}"
    return convert(
        text,
        source,
        "html5",
        "--standalone",
        "--mathml",
        "--syntax-highlighting=pygments",
        f"--template={templates / 'page.html'}",
        f"--lua-filter={templates / 'numbering.lua'}",
        style,
        *options,
    )


def document_html(markdown: str, templates: Path, references: Path, figures: Path) -> str:
    """The filled source of a document as one web page, with its figures as SVG inside it."""
    text = page(markdown, MARKDOWN, templates, "--number-sections", "--section-divs", *_citations(references))

    def drawn(image: re.Match) -> str:
        name, alt = image.groups()
        return inline_svg(read_text(figures / f"{name}.svg"), name, alt)

    return re.sub(r'<img data-figure="([^"]+)" alt="([^"]*)"\s*/?>', drawn, text)


def document_pdf(markdown: str, templates: Path, references: Path, figures: Path) -> bytes:
    """The filled source of a document as PDF, set by Typst with fonts that come with matplotlib and Typst."""
    import matplotlib  # here, because every page of a notebook would wait for it

    text = convert(
        markdown,
        MARKDOWN,
        "typst",
        "--standalone",
        f"--template={templates / 'paper.typ'}",
        f"--lua-filter={templates / 'numbering.lua'}",
        *_citations(references),
    )
    with temporary_folder() as folder:
        source = folder / "paper.typ"
        source.write_text(text, encoding="utf-8")
        for name in sorted(set(re.findall(r'image\("(\w+)\.pdf"', text))):
            drawing = figures / f"{name}.pdf"
            check_fingerprint(drawing)
            shutil.copy(drawing, folder)
        fonts = [str(Path(matplotlib.get_data_path(), "fonts/ttf"))]
        try:
            return typst.compile(str(source), ignore_system_fonts=True, font_paths=fonts)
        except typst.TypstError as fault:
            raise InputError(f"typst: {str(fault).splitlines()[0]}") from None


def _citations(references: Path) -> list[str]:
    """Options for pandoc that set citations and the list of references."""
    return ["--citeproc", f"--bibliography={references}", "--metadata=link-citations:true"]


def inline_svg(picture: str, name: str, alt: str) -> str:
    """An SVG as part of a page: ids of its own, a description, and ink and paper in the page's colours."""
    picture = picture[picture.index("<svg") :].strip()
    picture = re.sub(r"<metadata>.*?</metadata>\s*", "", picture, flags=re.DOTALL)
    picture = re.sub(r'\bid="', f'id="{name}-', picture)
    picture = re.sub(r'href="#', f'href="#{name}-', picture).replace("url(#", f"url(#{name}-")
    picture = picture.replace(INK, "currentColor").replace(PAPER, "var(--paper)")
    return picture.replace("<svg", f'<svg role="img" aria-label="{alt}"', 1)
