"""Execute a figure's script as a notebook, which draws the figure, and keep the notebook and its web page."""

from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.files import write_atomically


def main() -> None:
    """Run the program."""
    paths = ("figure", "results", "templates", "notebook", "html")
    arguments = argument_parser(__doc__, *paths, many=("tables",)).parse_args()
    with program(arguments):
        # Imported here, so that an interruption while Jupyter loads is one line too.
        import nbformat

        from ndgm.paper.notebooks import check_drawn, execute, page

        notebook = execute(arguments.figure, arguments.results, arguments.tables)
        check_drawn(arguments.figure, arguments.results)
        with write_atomically(arguments.notebook) as temporary:
            nbformat.write(notebook, temporary)
        with write_atomically(arguments.html) as temporary:
            temporary.write_text(page(notebook, arguments.figure.stem, arguments.templates), encoding="utf-8")


if __name__ == "__main__":
    main()
