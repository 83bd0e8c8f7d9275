"""Write CLAIMS.md, and README.md's totals and table of claims, from the reference run. Run by hand: `make claims`."""

from ndgm.decide.root_seeds import read_root_seeds
from ndgm.paper.claims_document import claims_document, read_claims
from ndgm.paper.other_runs import OtherRuns
from ndgm.paper.readme_text import readme_of
from ndgm.paper.rule_changes import read_rule_changes
from ndgm.pipeline.deviations import read_measured
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.files import write_atomically


def main() -> None:
    """Run the program."""
    arguments = argument_parser(__doc__, "repository").parse_args()
    with program(arguments):
        claims = read_claims(arguments.repository)
        seen = read_measured(arguments.repository / "reference/deviations.json").verdicts.get("laptop", {})
        past = read_rule_changes(arguments.repository / "reference/rules.json")
        seeds = read_root_seeds(arguments.repository / "reference/laptop/seeds.json").by_rules(past.digests)
        others = OtherRuns(seen, seeds)
        readme = arguments.repository / "README.md"
        texts = {
            arguments.repository / "CLAIMS.md": claims_document(claims, arguments.repository, others, past),
            readme: readme_of(readme.read_text(encoding="utf-8"), claims, others),
        }
        for path, text in texts.items():
            with write_atomically(path) as temporary:
                temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
