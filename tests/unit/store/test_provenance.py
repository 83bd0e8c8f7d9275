"""Seeds that do not depend on each other, hashes by the standard, and records without time, host or path."""

import getpass
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from ndgm.store.provenance import (
    OPTIONAL,
    PACKAGES,
    code_hashes,
    file_hash,
    generator,
    origin,
    record,
    seed_sequence,
    value_hash,
)

KEYS = [(root, experiment, part, i) for root in (1, 2) for experiment in "ab" for part in "xy" for i in range(25)]


def test_every_component_of_every_replicate_has_a_stream_of_its_own():
    draws = np.array([generator(*key).standard_normal(2_000) for key in KEYS])
    assert len(np.unique(draws[:, 0])) == len(KEYS)
    # 19,900 pairs: the largest of as many normal correlations is about 4.2 standard errors.
    correlations = np.corrcoef(draws)[np.triu_indices(len(KEYS), 1)]
    assert np.abs(correlations).max() < 6 / np.sqrt(2_000)


def test_names_cannot_run_into_each_other():
    keys = [(1, "ab", "c", 0), (1, "a", "bc", 0), (1, "abc", "", 0), (1, "", "abc", 0), (11, "ab", "c", 0)]
    states = {tuple(seed_sequence(*key).generate_state(4)) for key in keys}
    assert len(states) == len(keys)


@pytest.mark.parametrize("hash_seed", ["0", "1", "12345"])
def test_seeds_are_the_same_in_every_process(hash_seed):
    code = "from ndgm.store.provenance import generator; print(generator(1, 'a', 'x', 3).integers(2**60))"
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
    answer = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert int(answer.stdout) == generator(1, "a", "x", 3).integers(2**60)


def test_hashes_are_sha_256(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    # The test vector of FIPS 180-2, appendix B.1.
    assert file_hash(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert value_hash({"b": 1, "a": [1.5, None]}) == hashlib.sha256(b'{"a":[1.5,null],"b":1}').hexdigest()


def test_value_hash_sees_values_and_not_the_order_of_keys():
    assert value_hash({"a": 1, "b": {"c": 2, "d": 3}}) == value_hash({"b": {"d": 3, "c": 2}, "a": 1})
    different = [{"a": 1}, {"a": 1.5}, {"a": "1"}, {"b": 1}, {"a": [1, 2]}, {"a": [2, 1]}, {"a": None}]
    assert len({value_hash(value) for value in different}) == len(different)


def test_code_hashes_are_those_of_the_files():
    found = code_hashes()
    source = Path(__file__).parents[3] / "src/ndgm/store/provenance.py"
    assert found["ndgm.store.provenance"] == hashlib.sha256(source.read_bytes()).hexdigest()
    imported = {name for name, module in sys.modules.items() if name.startswith("ndgm.") and module.__file__}
    assert imported <= found.keys()


def strings(value):
    if isinstance(value, dict):
        yield from (text for item in value.items() for part in item for text in strings(part))
    elif isinstance(value, list):
        yield from (text for item in value for text in strings(item))
    elif isinstance(value, str):
        yield value


def test_a_record_has_no_path_host_user_or_time(tmp_path):
    (tmp_path / "design.npz").write_bytes(b"abc")
    settings = {"device": "cpu", "steps": 10}
    data = {"design": tmp_path / "design.npz"}
    made = record(settings, data)
    assert made["settings"] == settings and made["data"] == {"design": file_hash(tmp_path / "design.npz")}
    assert made == record(settings, data)
    assert origin(settings, data).items() <= made.items()
    texts = list(strings(json.loads(json.dumps(made))))
    for text in texts:
        assert "/" not in text and "\\" not in text
        assert text not in (socket.gethostname(), getpass.getuser())
        assert not re.search(r"\b20\d\d-\d\d-\d\d\b|\d\d:\d\d", text)
    # The wheel's build tag ("+cpu") says where torch was downloaded from, not which torch it is.
    assert all(re.fullmatch(r"[\d.]+\w*", version) for version in made["packages"].values())


def test_packages_that_a_machine_may_lack_are_recorded_where_they_are_imported(monkeypatch):
    for name in OPTIONAL:
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert list(origin({}, {})["packages"]) == sorted(PACKAGES)
    monkeypatch.setitem(sys.modules, "foolbox", ModuleType("foolbox"))
    packages = origin({}, {})["packages"]
    assert set(packages) == {*PACKAGES, "foolbox"} and packages["foolbox"] == metadata.version("foolbox")
