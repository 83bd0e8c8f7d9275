"""The workflow with results in a store of objects: a local S3 server holds the bytes of a local run. No cluster."""

import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from conftest import SMOKE, run_snakemake
from copies import ROOT, SMOKE_RESULTS, copy_repository
from servers import free_port, wait_for

NEEDED = ("moto", "flask", "flask_cors", "snakemake_storage_plugin_s3", "snakemake_executor_plugin_kubernetes")
MISSING = [name for name in NEEDED if not find_spec(name)]
PROFILE = ("--workflow-profile", "profiles/kubernetes", "--default-storage-prefix", "s3://bucket/folder")
SAMPLES = SMOKE_RESULTS / "data/l1_paradox/diabetes_quadratic.npz"
TABLE = SMOKE_RESULTS / "runs/l1_paradox_lasso_diabetes_quadratic.parquet"
CREDENTIALS = {"SNAKEMAKE_STORAGE_S3_ACCESS_KEY": "nobody", "SNAKEMAKE_STORAGE_S3_SECRET_KEY": "nothing"}

with_a_store = pytest.mark.skipif(
    bool(MISSING), reason=f"{', '.join(MISSING)}: pip install -c constraints.txt -e '.[elsewhere,kubernetes]'"
)


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """Address of an S3 server with an empty bucket, in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers() -> bool:
        assert server.poll() is None, "the server has ended"
        with socket.socket() as knock:
            return knock.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_for(answers, lambda: "the server takes no connection")
        address = f"http://127.0.0.1:{port}"
        urllib.request.urlopen(urllib.request.Request(f"{address}/bucket", method="PUT")).close()
        yield address
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def variables(store: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The store and credentials for it, in the environment; those of the user are out of sight."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "SNAKEMAKE_STORAGE_"))]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("SNAKEMAKE_STORAGE_S3_ENDPOINT_URL", store)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


def test_the_profile_asks_for_the_memory_that_slurm_is_asked_for() -> None:
    """What was measured stands in one place, and the scheduling is the same."""
    ours, slurm = (
        yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text(encoding="utf-8"))
        for name in ("kubernetes", "slurm")
    )
    asked = {rule: {"mem_mb": found["mem_mb"]} for rule, found in slurm["set-resources"].items() if "mem_mb" in found}
    assert ours["set-resources"] == asked
    assert ours["default-resources"]["mem_mb"] == slurm["default-resources"]["mem_mb"]
    for name in ("quiet", "rerun-incomplete", "scheduler", "max-checksum-file-size"):
        assert ours[name] == slurm[name]


@pytest.mark.elsewhere
@with_a_store
@pytest.mark.usefixtures("variables")
def test_the_whole_is_planned(repository: Path) -> None:
    """With the profile as it stands; everything that is made goes to the bucket, and nothing of the repository."""
    done = run_snakemake(repository, *PROFILE, "--dry-run", "--printshellcmds", *SMOKE)
    assert done.returncode == 0 and "This was a dry-run" in done.stdout, done.stdout
    commands = re.findall(r"^.* (scripts/\w+\.py .* --log .*)$", done.stdout, re.MULTILINE)
    assert len(commands) > 80
    assert [command for command in commands if re.search(r"(^|\s)results/", command)] == []


@pytest.mark.elsewhere
@with_a_store
@pytest.mark.usefixtures("variables")
def test_the_bytes_of_a_local_run(tmp_path: Path, store: str) -> None:
    """Of data, and of a table that is trained from them: objects of the bucket, and no files of the folder."""
    folder = copy_repository(tmp_path / "repository")
    files = [SAMPLES, TABLE, TABLE.with_suffix(".json")]
    for file in (SAMPLES, TABLE):
        done = run_snakemake(folder, *PROFILE, "--executor", "local", "--jobs", "1", str(file), *SMOKE)
        assert done.returncode == 0 and len(re.findall("^Job ", done.stdout, re.MULTILINE)) == 1, done.stdout
    assert not [file for file in files if (folder / file).exists()]
    done = run_snakemake(folder, "--cores", "1", str(TABLE), *SMOKE)
    assert done.returncode == 0, done.stdout
    for file in files:
        asked = urllib.request.Request(f"{store}/bucket/folder/{file}", headers={"Authorization": "AWS nobody:nothing"})
        with urllib.request.urlopen(asked) as found:
            assert found.read() == (folder / file).read_bytes(), file


@pytest.mark.elsewhere
@with_a_store
@pytest.mark.usefixtures("variables")
@pytest.mark.parametrize(
    ("prefix", "lacks", "line"),
    [
        ("s3://nosuch/folder", (), "s3://nosuch: there is no such bucket; make it first"),
        ("s3://bucket/folder", CREDENTIALS, "s3://bucket: Unable to locate credentials"),
    ],
)
def test_a_store_that_cannot_be_used(
    repository: Path, monkeypatch: pytest.MonkeyPatch, prefix: str, lacks: tuple[str, ...], line: str
) -> None:
    """One line says what is wrong, before anything is run."""
    for name in lacks:
        monkeypatch.delenv(name)
    done = run_snakemake(repository, *PROFILE[:3], prefix, "--executor", "local", str(SAMPLES), *SMOKE)
    assert done.returncode == 1 and done.stdout.splitlines()[-1] == line, done.stdout
