"""Set a document as PDF and as a web page, with every number, table and figure taken from a run."""

from ndgm.pipeline.jobs import figures
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.files import write_atomically

PATHS = (
    "settings",
    "text",
    "references",
    "templates",
    "captions",
    "history",
    "deviations",
    "figures",
    "pdf",
    "html",
    "filled",
)


def main() -> None:
    """Run the program."""
    arguments = argument_parser(__doc__, *PATHS, many=("claims",), any_number=("root-seeds",)).parse_args()
    with program(arguments):
        # Imported here, so that an interruption while matplotlib loads is one line too.
        from ndgm.decide.root_seeds import read_root_seeds
        from ndgm.paper.manuscript import Manuscript
        from ndgm.paper.other_runs import OtherRuns
        from ndgm.paper.rule_changes import read_rule_changes
        from ndgm.paper.typesetting import document_html, document_pdf
        from ndgm.pipeline.deviations import read_measured

        document, rules = arguments.text.stem, read_rule_changes(arguments.history).digests
        seen = read_measured(arguments.deviations).verdicts.get(arguments.settings["scale"], {})
        # Of most scales there are none.
        seeds = [read_root_seeds(each).by_rules(rules) for each in arguments.root_seeds]
        manuscript = Manuscript(
            arguments.claims,
            arguments.settings,
            arguments.figures,
            arguments.captions,
            arguments.history,
            OtherRuns(seen, *seeds),
        )
        markdown = manuscript.fill(arguments.text)
        ingredients = (arguments.templates, arguments.references, arguments.figures)
        with write_atomically(arguments.html) as page:
            page.write_text(document_html(markdown, *ingredients), encoding="utf-8")
        with write_atomically(arguments.pdf) as printed:
            printed.write_bytes(document_pdf(markdown, *ingredients))
        for name in figures(arguments.settings, document):
            with write_atomically(arguments.filled / f"{name}.rst") as filled:
                filled.write_text(manuscript.caption(name), encoding="utf-8")


if __name__ == "__main__":
    main()
