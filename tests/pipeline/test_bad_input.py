"""Bad input stops the run with one clear line, exit code not 0, no traceback, and nothing half-written."""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import SMOKE, run_snakemake
from copies import ROOT

from ndgm.groups import GROUPS
from ndgm.pipeline.claim_tables import claim_tables
from ndgm.pipeline.settings import load
from ndgm.pipeline.targets import results

# A superuser writes everywhere, unless the right to do so is given up.
AS_A_USER = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if shutil.which("setpriv") else ()

SCALES = ", ".join(sorted(path.stem for path in (ROOT / "config").glob("*.yaml")))


def last_line(done) -> str:
    """What a failed run says last, after a look that it failed calmly."""
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    assert 'File "' not in done.stdout, done.stdout
    return done.stdout.splitlines()[-1]


def test_a_fault_in_a_file(repository: Path, tmp_path: Path) -> None:
    """The line is said also where nothing else is."""
    mine = tmp_path / "mine.yaml"
    mine.write_text("l1_paradox: {lasso: {step_sizes_times_lipschitz: [-0.1]}}")
    config = ("--configfile", "config/smoke.yaml", str(mine))
    done = run_snakemake(repository, "--cores", "1", *config, "--quiet", "all")
    fault = "l1_paradox.lasso.step_sizes_times_lipschitz[0]: -0.1 is not greater than 0"
    assert last_line(done).endswith(f"mine.yaml: {fault}")
    assert not (repository / "results").exists()


def test_faults_on_the_command_line(repository: Path) -> None:
    """The command line is named as their source, a line for each."""
    said = ("root_seed=abc", "scale=huge", "seed=1")
    done = run_snakemake(repository, "--cores", "1", "--config", *said)
    assert last_line(done).startswith("command line: seed: unknown key")
    assert done.stdout.splitlines()[-3:-1] == [
        "command line: root_seed: 'abc' is not a whole number",
        f"command line: scale: there is no config/huge.yaml, only {SCALES}",
    ]
    assert not (repository / "results").exists()


def test_the_name_of_a_scale_takes_its_file(repository: Path) -> None:
    """It used to run the settings of the laptop and call them smoke."""
    commands = []
    for scale in (SMOKE, ("--config", "scale=smoke")):
        plan = run_snakemake(repository, "--dry-run", "--printshellcmds", *scale).stdout
        commands.append(sorted(line for line in plan.splitlines() if "--settings" in line))
    assert commands[0] and commands[0] == commands[1]
    mine = run_snakemake(repository, "--cores", "1", "--config", "scale=smoke", "root_seed=-1")
    assert last_line(mine) == "command line: root_seed: -1 is less than 0"


def test_data_that_an_experiment_cannot_use(repository: Path, tmp_path: Path) -> None:
    """What the schema cannot know is said by the program, before it trains anything."""
    mine = tmp_path / "mine.yaml"
    mine.write_text("samples: {edge_of_stability_logistic: {digits: {components: 10}}}")
    target = "results/smoke/runs/edge_of_stability_logistic.parquet"
    done = run_snakemake(repository, "--cores", "1", "--configfile", "config/smoke.yaml", str(mine), "--", target)
    try:
        fault = "error: samples.edge_of_stability_logistic.digits: these data are separable"
        assert last_line(done) == f"results/smoke/logs/train_edge_of_stability.log: {fault}"
        assert max(map(len, done.stdout.splitlines())) < 6000, "settings stand in what is said"
        assert not list((repository / "results").rglob("edge_of_stability_*.parquet"))
    finally:
        shutil.rmtree(repository / "results")


def test_an_archive_that_is_not_there(repository: Path) -> None:
    """It is missed before anything is computed."""
    line = last_line(run_snakemake(repository, "--cores", "1", "--config", "scale=full"))
    key = "samples.edge_of_stability_networks.cifar10_squared.file"
    assert line.startswith(f"config/full.yaml: {key}: data/cifar-10-binary.tar.gz: no such file")
    assert not (repository / "results").exists()


@pytest.mark.parametrize("text", ["", "[1, 2]", "scale: [smoke"], ids=["empty", "list", "broken"])
def test_a_file_that_is_no_config(repository: Path, tmp_path: Path, text: str) -> None:
    """Snakemake itself says so, before it reads the Snakefile."""
    mine = tmp_path / "mine.yaml"
    mine.write_text(text)
    assert "Config file" in last_line(run_snakemake(repository, "--cores", "1", "--configfile", str(mine)))


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (
            "claims/l1_paradox_slpe.json",
            "there is no claim l1_paradox_slpe in this run; did you mean l1_paradox_slope or ",
        ),
        (
            "notebooks/convergence.html",
            "there is no notebook convergence in this run; did you mean convergence_floor or ",
        ),
        ("runs/adaptive_laso.parquet", "there is no table adaptive_laso in this run; did you mean adaptive_lasso or "),
        (
            "figures/weight_initialization_convolutions.svg",
            "there is no figure weight_initialization_convolutions in this run: its config has nothing for ",
        ),
    ],
)
def test_a_result_that_there_is_not(repository: Path, target: str, line: str) -> None:
    """The nearest ones are named; test_targets.py has every folder."""
    assert last_line(run_snakemake(repository, "--cores", "1", f"results/smoke/{target}", *SMOKE)).startswith(line)
    assert not (repository / "results").exists()


def test_a_figure_without_a_caption(repository: Path) -> None:
    """It can be drawn; a line at the start says what its document will ask for."""
    caption = repository / "workflow/report/l1_paradox_norm.rst"
    text = caption.read_text(encoding="utf-8")
    caption.unlink()
    try:
        done = run_snakemake(repository, "--dry-run", *SMOKE, "--", "results/smoke/figures/l1_paradox_norm.svg")
    finally:
        caption.write_text(text, encoding="utf-8")
    assert done.returncode == 0, done.stdout
    (line,) = [line for line in done.stdout.splitlines() if "caption" in line]
    assert line.startswith("figure l1_paradox_norm has no caption yet: ")
    assert line.endswith("workflow/report/l1_paradox_norm.rst")


def test_all_results_that_there_are(repository: Path) -> None:
    """What a run can be asked for is what its rules make, and all of it can be asked for at once."""
    known = results(load("smoke"), {group.name: claim_tables(group.name) for group in GROUPS})
    done = run_snakemake(repository, "--summary", *(f"results/smoke/{name}" for name in known), *SMOKE)
    assert done.returncode == 0, done.stdout
    made = re.findall(r"^results/smoke/(\S+)\t", done.stdout, re.MULTILINE)
    assert sorted(made) == sorted(known)


def test_tables_that_there_are_not(repository: Path) -> None:
    """Who reads one is named, a claim as well as a figure, before anything is computed."""
    edits = {
        "src/ndgm/claims/adaptive.py": ("(adaptive_lasso: pd.DataFrame", "(adaptive_laso: pd.DataFrame"),
        "src/ndgm/groups.py": ('("convergence_smoothing",)', '("convergence_smothing",)'),
    }
    texts = {file: (repository / file).read_text() for file in edits}
    try:
        for file, (old, new) in edits.items():
            (repository / file).write_text(texts[file].replace(old, new, 1))
        done = run_snakemake(repository, "--cores", "1", *SMOKE)
    finally:
        for file, text in texts.items():
            (repository / file).write_text(text)
    wanted = (
        r"src/ndgm/groups\.py: figure convergence_smoothing: there is no table convergence_smothing; did .*",
        r"src/ndgm/claims/adaptive\.py: adaptive_\w+: there is no table adaptive_laso; did you mean .*",
    )
    lines = [last_line(done), *reversed(done.stdout.splitlines()[:-1])]
    for line, pattern in zip(lines, wanted, strict=False):
        assert re.fullmatch(pattern, line), done.stdout


def made(folder: Path, target: str, prefix: tuple[str, ...] = (), **variables: str) -> subprocess.CompletedProcess:
    """What make says where the environment is set up, which is this one."""
    command = [*prefix, "make", target, f"CHECK={sys.executable} scripts/check_start.py --files config/laptop.yaml"]
    environment = os.environ | {"PYTHONPATH": "src"} | variables
    pipes = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.run([*command, "--old-file=.venv/ready"], cwd=folder, env=environment, **pipes)


@pytest.mark.parametrize("target", ["paper", "smoke", "verify"])
def test_make_looks_before_snakemake_starts(repository: Path, target: str) -> None:
    """A config in Latin-1 is a traceback of Snakemake's."""
    file = repository / "config/laptop.yaml"
    text = file.read_bytes()
    try:
        file.write_bytes("# größer\n".encode("latin-1") + text)
        done = made(repository, target)
        assert "Traceback" not in done.stdout and done.returncode != 0
        assert "error: config/laptop.yaml: line 1 is not UTF-8; write it anew in that encoding\n" in done.stdout
    finally:
        file.write_bytes(text)


@pytest.mark.skipif(not AS_A_USER, reason="a superuser writes everywhere, and setpriv is not there")
def test_a_home_that_cannot_be_written(repository: Path, tmp_path: Path) -> None:
    """Snakemake's own copies would go there."""
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    done = made(repository, "smoke", AS_A_USER, HOME=str(home), XDG_CACHE_HOME="")
    assert f"error: {home}: not a folder that can be written to, and Snakemake" in done.stdout
    assert "Traceback" not in done.stdout and done.returncode != 0


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("scale: smoke\n", "command line: scale: in config/mine.yaml it is 'smoke'; write `scale: mine` there"),
        ("scale: mine\nscale: mine\n", "config/mine.yaml: line 2: scale is given a second time, after line 1"),
    ],
)
def test_a_scale_of_ones_own_with_a_fault(repository: Path, text: str, line: str) -> None:
    """Its file is read before anything is merged; test_settings.py and test_config_files.py have other faults."""
    mine = repository / "config/mine.yaml"
    mine.write_text(text)
    try:
        assert last_line(run_snakemake(repository, "--cores", "1", "--config", "scale=mine")) == line
    finally:
        mine.unlink()


def test_another_scale_than_the_config(repository: Path) -> None:
    """A file of another scale is not made from this config."""
    done = run_snakemake(repository, "--cores", "1", "results/full/paper.pdf", *SMOKE)
    assert done.returncode != 0
    line = "results/full/paper.pdf is no result of this run, whose scale is smoke: say --config scale=full"
    assert last_line(done) == line


def test_another_working_folder(repository: Path, tmp_path: Path) -> None:
    """A start from elsewhere names the checkout as its folder; otherwise a line names the config that is missing."""
    snakefile = ("--snakefile", str(repository / "Snakefile"), "--dry-run", "--cores", "1")
    done = run_snakemake(tmp_path, *snakefile, "--directory", str(repository))
    assert done.returncode == 0, done.stdout
    done = run_snakemake(tmp_path, *snakefile)
    assert done.returncode != 0
    assert last_line(done) == "config/laptop.yaml: no such file"


def test_results_that_are_a_file(repository: Path) -> None:
    """A file where the results folder should be."""
    results = repository / "results"
    results.write_text("mine")
    try:
        line = last_line(run_snakemake(repository, "--cores", "1", *SMOKE))
        assert line == "results: not a folder that can be written to, and the results go there"
        assert results.read_text() == "mine"
    finally:
        results.unlink()


@pytest.mark.parametrize("folder", ["results", "results/smoke/data/l1_paradox"])
def test_results_that_cannot_be_written(repository: Path, folder: str) -> None:
    """A folder of results without the right to write; Snakemake removes old files of a job before it begins."""
    place = repository / folder
    place.mkdir(parents=True)
    place.chmod(0o500)
    try:
        line = last_line(run_snakemake(repository, "--cores", "1", *SMOKE, prefix=AS_A_USER))
        assert line == f"{folder}: not a folder that can be written to, and the results go there"
    finally:
        shutil.rmtree(repository / "results")


@pytest.mark.parametrize(
    "target", ["data/l1_paradox/gaussian.npz", "runs/adaptive_lasso.parquet", "claims/l1_paradox_law.json", "paper.pdf"]
)
def test_the_first_start_of_a_clone(repository: Path, target: str) -> None:
    """Settings are there before Snakemake looks for files, whatever is asked for."""
    shutil.rmtree(repository / ".snakemake", ignore_errors=True)
    done = run_snakemake(repository, "--dry-run", "--cores", "1", *SMOKE, "--", f"results/smoke/{target}")
    assert done.returncode == 0, done.stdout


def test_settings_of_jobs_that_were_damaged(repository: Path) -> None:
    """Another digit would be other numbers, and no line; two runs that begin at once write them together."""
    runs = ["--dry-run", "--cores", "1", *SMOKE, "--", "results/smoke/runs/adaptive_lasso.parquet"]
    folder = repository / ".snakemake/settings"
    shutil.rmtree(folder, ignore_errors=True)
    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(lambda _: run_snakemake(repository, *runs), range(2)):
            assert done.returncode == 0, done.stdout
    whole = {path: path.read_bytes() for path in folder.iterdir()}
    assert whole
    for path, content in whole.items():
        path.write_bytes(content.replace(b"1", b"2") + b" ")
    assert run_snakemake(repository, *runs).returncode == 0
    assert {path: path.read_bytes() for path in folder.iterdir()} == whole


@pytest.mark.parametrize(
    "readers",
    [
        {
            "exact/l1_paradox_exact_gaussian.parquet": "data/l1_paradox/gaussian.npz",
            "runs/l1_paradox_lasso_gaussian.parquet": "data/l1_paradox/gaussian.npz",
            "runs/l1_paradox_pruning.parquet": "weights/l1_paradox_networks_minibatch.npz",
            "claims/spurious_minima.json": "exact/spurious_minima.parquet",
            "figures/subspace_attack_regions.svg": "runs/subspace_attack_regions.parquet",
        },
        {"claims.json": "claims/adaptive.json", "companions.pdf": "claims/spurious_minima.json"},
    ],
    ids=["before claims", "claims"],
)
def test_truncated_results(smoke_copy: Path, readers: dict[str, str]) -> None:
    """Each program that reads one names it in one line, leaves no half-written file, and other results stay."""
    results = smoke_copy / "results/smoke"
    for file in set(readers.values()):
        whole = (results / file).read_bytes()
        (results / file).write_bytes(whole[: len(whole) // 2])
    before = set(results.rglob("*"))
    targets = [f"results/smoke/{target}" for target in readers]
    done = run_snakemake(smoke_copy, "--cores", "1", "--keep-going", *targets, *SMOKE)
    last_line(done)
    lines = [line for line in done.stdout.splitlines() if line.startswith("results/smoke/logs/")]
    named = [re.fullmatch(r"results/smoke/logs/\S+: error: .*results/smoke/(\S+?): .*", line) for line in lines]
    assert sorted(each[1] for each in named if each) == sorted(readers.values()), done.stdout
    assert lines == done.stdout.splitlines()[-len(readers) :]
    after = set(results.rglob("*"))
    assert not after - before
    lost = {path.stem for path in before - after if path.relative_to(results).parts[0] in ("data", "exact", "runs")}
    assert lost <= {Path(target).stem for target in readers}


def test_a_claim_that_its_group_does_not_have(tmp_path: Path) -> None:
    """By hand; in the workflow no result would have its name."""
    settings = ["--settings", '{"group": "adaptive", "section": "4"}', "--claim", "adaptive_nothing"]
    program = [sys.executable, "scripts/decide_claims.py", *settings, "--out", str(tmp_path / "adaptive.json")]
    done = subprocess.run(program, cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 1 and not list(tmp_path.iterdir())
    assert done.stderr.startswith("error: adaptive has no claim adaptive_nothing; it has adaptive_")
    assert len(done.stderr.splitlines()) == 1
