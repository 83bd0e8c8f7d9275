"""What belongs to the rule of a claim, on made-up packages of a few modules."""

import pytest

from ndgm.decide.rules import Rule, rules_in
from ndgm.store.files import InputError

CLAIMS = '''
from ndgm.claims.rows.ends import HOLDS, ends, settled as at_rest
from ndgm.decide.statistics import equivalence, order
from ndgm.theory.lasso import FLAT, norm

MARGIN = 0.05
LOOSE = equivalence(2 * MARGIN)

@claim(figure="a", kind="finding", test=equivalence(HOLDS))
def falls(runs):
    """Falls."""
    return Evidence(ends(runs), 1.0)

@claim(figure="a", kind="finding", test=order())
def rises(runs):
    """Rises."""
    return Evidence(_last(runs), 1 - MARGIN)

@claim(figure="a", kind="finding", test=LOOSE, derived_from="falls")
def stays(runs):
    """Stays."""
    return Evidence(at_rest(runs)[runs > FLAT], norm(runs))

def _last(runs):
    return runs[-1]
'''

SOURCES = {
    "src/ndgm/claims/made_up.py": CLAIMS,
    "src/ndgm/claims/rows/ends.py": """
from ndgm.decide.statistics import SMALLEST
HOLDS = 0.03
ACCURATE = 0.9
CELL = ["design", "seed"]

def ends(runs, cell=CELL):
    return _accurate(runs, ACCURATE)

def _accurate(runs, bound):
    return runs[runs > bound]

def settled(runs):
    HOLDS = runs.max()
    return runs < HOLDS - SMALLEST
""",
    "src/ndgm/decide/statistics.py": """
SMALLEST: float = 0.01

def order(smallest=SMALLEST):
    return smallest

def equivalence(margin):
    return margin
""",
    "src/ndgm/theory/lasso.py": """
FLAT = 1e-6

def norm(runs):
    return runs.sum()
""",
}


def rules_after(path: str, before: str, after: str) -> dict[str, Rule]:
    """Rules of the package once a text in one of its modules is another one."""
    (where,) = (each for each in SOURCES if each.endswith(path))
    assert before in SOURCES[where]
    return rules_in(SOURCES | {where: SOURCES[where].replace(before, after)})


def test_a_test_has_the_values_of_its_constants_and_of_the_arguments_that_it_leaves_out() -> None:
    tests = {claim: rule.test for claim, rule in rules_in(SOURCES).items()}
    assert tests == {"falls": "equivalence(0.03)", "rises": "order(smallest=0.01)", "stays": "equivalence(0.1)"}


def test_a_selection_is_all_code_that_a_claim_uses_with_its_constants_filled_in() -> None:
    """Helpers of helpers too, also of other modules of claims; the other claims have nothing to do with them."""
    rules = rules_in(SOURCES)
    assert "runs[runs > bound]" in rules["falls"].selection and "0.9" in rules["falls"].selection
    assert "['design', 'seed']" in rules["falls"].selection
    assert "runs[-1]" in rules["rises"].selection and "0.95" in rules["rises"].selection
    assert "runs[-1]" not in rules["falls"].selection
    assert "runs > 1e-06" in rules["stays"].selection and "runs.sum()" not in rules["stays"].selection


@pytest.mark.parametrize(
    ("path", "before", "after", "changed"),
    [
        ("rows/ends.py", "HOLDS = 0.03", "HOLDS = 0.05", {"falls"}),
        ("rows/ends.py", "ACCURATE = 0.9", "ACCURATE = 0.8", {"falls"}),
        ("rows/ends.py", "[runs > bound]", "[runs >= bound]", {"falls"}),
        ("rows/ends.py", '"design", ', "", {"falls"}),
        ("made_up.py", "MARGIN = 0.05", "MARGIN = 0.1", {"rises", "stays"}),
        ("statistics.py", "0.01", "0.02", {"rises", "stays"}),
        ("lasso.py", "1e-6", "1e-5", {"stays"}),
        ("made_up.py", "equivalence(HOLDS)", "equivalence(0.03)", set()),
        ("made_up.py", "1 - MARGIN", "0.95", set()),
        ("made_up.py", "settled as at_rest", "settled\nat_rest = settled", {"stays"}),
        ("made_up.py", "_last", "_newest", set()),
        ("rows/ends.py", "_accurate", "_exact", set()),
        ("lasso.py", "sum", "max", set()),
        ("statistics.py", "return margin", "return -margin", set()),
        ("made_up.py", ', derived_from="falls"', "", set()),
    ],
)
def test_what_is_another_rule(path: str, before: str, after: str, changed: set[str]) -> None:
    """Values are, wherever they stand, and code of modules of claims; names, places and other modules' code are not."""
    old, new = rules_in(SOURCES), rules_after(path, before, after)
    assert {claim for claim in old if old[claim] != new[claim]} == changed
    assert {claim for claim in old if old[claim].digest != new[claim].digest} == changed


def test_a_name_that_a_function_binds_is_no_constant() -> None:
    """It would be read as the constant of its module: here HOLDS, which `settled` computes."""
    assert "0.03" not in rules_in(SOURCES)["stays"].selection


def test_a_helper_that_moved_to_another_module_is_the_same() -> None:
    moved = SOURCES | {
        "src/ndgm/claims/rows/last.py": "def last(runs):\n    return runs[-1]\n",
        "src/ndgm/claims/made_up.py": "from ndgm.claims.rows.last import last\n"
        + CLAIMS.replace("def _last(runs):\n    return runs[-1]\n", "").replace("_last", "last"),
    }
    assert rules_in(moved) == rules_in(SOURCES)


def test_where_a_claim_comes_from() -> None:
    assert {claim: rule.derived_from for claim, rule in rules_in(SOURCES).items()} == {
        "falls": "",
        "rises": "",
        "stays": "falls",
    }


def test_constants_that_name_each_other_end() -> None:
    """A name that is given twice, the second time from itself, is not followed without end."""
    rules = rules_after("made_up.py", "MARGIN = 0.05", "MARGIN = 0.05\nMARGIN = MARGIN / 2")
    assert rules["rises"].test == "order(smallest=0.01)"


def test_a_module_that_is_not_python_is_named() -> None:
    with pytest.raises(InputError, match=r"^claims.py: line 1: "):
        rules_in({"claims.py": "def ( @claim("})


def test_a_package_is_read_alike_after_others() -> None:
    """What is known of a module in one version is used in another only where all that it imports is the same."""
    alone = rules_in(SOURCES)
    assert rules_after("ends.py", "HOLDS = 0.03", "HOLDS = 0.04")["falls"].test == "equivalence(0.04)"
    assert rules_after("statistics.py", "float = 0.01", "float = 0.02")["rises"].test == "order(smallest=0.02)"
    fewer = {path: text for path, text in SOURCES.items() if not path.endswith("statistics.py")}
    assert rules_in(fewer)["rises"].test == "order()"
    assert rules_in(SOURCES) == alone
