"""What runs with other root seeds decided, from made-up claims.json files."""

import json

import pytest

from ndgm.decide.root_seeds import RootSeeds, gathered, read_root_seeds, write_root_seeds
from ndgm.store.files import InputError


def decided(**verdicts):
    return [{"id": name, "verdict": verdict, "effect": [0.1, 0.0, 0.2]} for name, verdict in verdicts.items()]


RUNS = {
    7: decided(a="supported", b="refuted"),
    8: decided(b="refuted", a="inconclusive"),
    9: [
        {"id": "a", "verdict": "supported"},
        {"id": "b", "verdict": "inconclusive", "effect": None},
    ],
}


DIGESTS = {"a": "1f", "b": "2e", "of nobody": "3d"}


def test_verdicts_and_effects_are_gathered_by_claim_in_the_order_of_the_root_seeds(tmp_path):
    found = gathered(RUNS, DIGESTS)
    assert found.root_seeds == [7, 8, 9]
    assert found.claims == {
        "a": ["supported", "inconclusive", "supported"],
        "b": ["refuted", "refuted", "inconclusive"],
    }
    assert found.effects == {"a": [0.1, 0.1, None], "b": [0.1, 0.1, None]}
    assert [found.decided("a", verdict) for verdict in ("supported", "refuted")] == [(3, 2), (3, 0)]
    assert found.decided("of nobody", "supported") == (0, 0)
    write_root_seeds(tmp_path / "seeds.json", found)
    assert read_root_seeds(tmp_path / "seeds.json") == found


def test_what_another_rule_has_decided_is_left_out():
    found = gathered(RUNS, DIGESTS)
    assert found.rules == {"a": "1f", "b": "2e"} and found.by_rules(DIGESTS) == found
    kept = found.by_rules({"a": "1f", "b": "another"})
    assert kept.root_seeds == found.root_seeds and set(kept.claims) == set(kept.effects) == set(kept.rules) == {"a"}
    assert kept.decided("b", "refuted") == (0, 0) and kept.effect_range("b") is None
    # Of a claim that there no longer is, or whose rule the file does not say, nothing is known.
    assert found.by_rules({}).claims == gathered(RUNS, {}).by_rules(DIGESTS).claims == {}


def test_some_claims_are_decided_anew_and_the_others_stay():
    before = gathered(RUNS, DIGESTS)
    later = gathered({seed: decided(b="supported") for seed in RUNS}, {"b": "4c"})
    both = before.renewed(later)
    assert both.claims == {"a": before.claims["a"], "b": ["supported"] * 3} and both.rules == {"a": "1f", "b": "4c"}
    assert both.effects["b"] == [0.1] * 3 and both.root_seeds == [7, 8, 9]
    assert RootSeeds().renewed(before) == before
    with pytest.raises(InputError, match=r"^root seeds \[7\] cannot stand beside those of before, \[7, 8, 9\]$"):
        before.renewed(gathered({7: decided(b="supported")}, DIGESTS))


def test_effects_range_where_every_run_has_one():
    found = RootSeeds([7, 8], effects={"a": [0.2, -0.1], "b": [0.2, None]})
    assert found.effect_range("a") == (-0.1, 0.2)
    assert found.effect_range("b") is found.effect_range("of nobody") is None


def test_a_claim_that_a_run_lacks_is_named():
    with pytest.raises(InputError, match="^root seed 8: no claim b, which another root seed has$"):
        gathered({7: RUNS[7], 8: decided(a="supported")}, DIGESTS)


def test_without_the_file_nothing_is_known(tmp_path):
    assert read_root_seeds(tmp_path / "seeds.json") == RootSeeds()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ([], "expected one JSON object"),
        ({"root_seeds": [1], "of nobody": 2}, "of nobody"),
        ({"root_seeds": [1, 2], "claims": {"a": ["supported"]}}, "a: not a verdict for each of 2 root seeds"),
        ({"root_seeds": [1], "claims": {"a": ["true"]}}, "a: not a verdict for each of 1 root seeds"),
    ],
)
def test_what_is_no_such_file_is_named(tmp_path, content, fault):
    path = tmp_path / "seeds.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError) as raised:
        read_root_seeds(path)
    assert str(path) in str(raised.value) and fault in str(raised.value)
