"""What runs again, and what does not: the checks that need a finished smoke run."""

import json
import re
import subprocess
from pathlib import Path

import grimp
import pytest
from conftest import SMOKE, run_snakemake
from copies import ROOT, hashes

from ndgm.groups import GROUPS
from ndgm.pipeline.claim_tables import claim_tables
from ndgm.pipeline.jobs import DOCUMENTS, FIGURES, JOBS, on_a_device, parts
from ndgm.pipeline.settings import load

WRITING = {f"write_{document}" for document in DOCUMENTS}
WRITTEN_IN = {group.name: f"write_{group.document}" for group in GROUPS}
GROUP_OF = {job.name: group.name for group in GROUPS for job in group.jobs}
ROOM = "ndgm.experiments"
IMPORTS = grimp.build_graph("ndgm")
HERE = load("smoke", ROOT / "config")
MODULES = sorted({module for job in JOBS.values() if parts(job, HERE) for module in job.modules})


RESULTS = "results/smoke/"


def after_deciding(*groups: str) -> set[str]:
    """Rules of what is made of the claims of groups: all claims, and the documents of these."""
    return {"gather_claims", *(WRITTEN_IN[group] for group in groups)}


def with_all_after(job: str) -> set[str]:
    """Rules of a job that trains, and of what is made of its tables."""
    return {job, "decide_group", "draw_figure", *after_deciding(GROUP_OF[job])}


def summary(folder: Path, *configfiles: str) -> list[dict[str, str]]:
    """What Snakemake says of each result: its rule, log, inputs and plan."""
    said = run_snakemake(folder, "--detailed-summary", *SMOKE, *configfiles).stdout
    head, *rows = [line.split("\t") for line in said.splitlines() if line.count("\t") == 7]
    return [dict(zip(head, row, strict=True)) for row in rows]


def pending(folder: Path, *configfiles: str) -> dict[str, str]:
    """Results that would be made now, each with its rule."""
    rows = [row for row in summary(folder, *configfiles) if row["plan"] == "update pending"]
    return {row["output_file"].removeprefix(RESULTS): row["rule"] for row in rows}


@pytest.fixture(scope="module")
def made(smoke_run: Path) -> list[dict[str, str]]:
    """What Snakemake says of each result of the finished run."""
    return summary(smoke_run)


def after_an_edit(made: list[dict[str, str]], file: str) -> dict[str, str]:
    """Results that are made anew when a file is edited, each with its rule: its readers, their readers, and so on."""
    found: dict[str, str] = {}
    edited = {file}
    while edited:
        new = {row["output_file"]: row["rule"] for row in made if edited & set(row["input-file(s)"].split(","))}
        edited = new.keys() - found.keys()
        found |= new
    return {name.removeprefix(RESULTS): rule for name, rule in found.items()}


def edit(file: Path) -> None:
    """A new line at the end of a module, a program or a text."""
    with file.open("a") as text:
        text.write("\n# edited\n")


def touch_everything(folder: Path) -> None:
    """Give every file the time of now."""
    subprocess.run(["find", ".", "-type", "f", "-exec", "touch", "{}", "+"], cwd=folder, check=True)


@pytest.mark.elsewhere
def test_same_bytes_in_another_folder_on_another_number_of_cores(smoke_run: Path, other_smoke_run: Path) -> None:
    """Every file is the same: tables, JSON, PDF, SVG, PNG, HTML and notebooks."""
    one, other = hashes(smoke_run), hashes(other_smoke_run)
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []
    kinds = {".sha256", ".npz", ".parquet", ".json", ".pdf", ".svg", ".png", ".ipynb", ".html", ".rst"}
    assert {Path(name).suffix for name in one} == kinds


def test_every_job_has_a_log_of_its_own(made: list[dict[str, str]]) -> None:
    """A figure once wrote over the log and the times of the training that it showed."""
    rules = {}
    for row in made:
        rules.setdefault(row["log-file(s)"], set()).add(row["rule"])
    assert len(rules) > 20 and [log for log, found in rules.items() if len(found) > 1] == []


def test_nothing_to_do(smoke_copy: Path) -> None:
    """A clone that kept `.snakemake`, and then with every file touched: nothing runs, and that is said."""
    assert "Nothing to be done" in run_snakemake(smoke_copy, "--cores", "all", *SMOKE).stdout
    touch_everything(smoke_copy)
    assert "Nothing to be done" in run_snakemake(smoke_copy, "--cores", "all", *SMOKE).stdout


def test_an_edit_reruns_what_reads_the_file(smoke_copy: Path, made: list[dict[str, str]]) -> None:
    """Files that are edited in earnest: by this the tests below need no more than to know who reads what.

    Of one what reads it alone; then, at once, of a module that trains and one that decides.
    """
    files = ["src/ndgm/pipeline/jobs.py", "src/ndgm/experiments/adaptive.py", "src/ndgm/claims/spurious_minima.py"]
    first, *others = [after_an_edit(made, file) for file in files]
    edit(smoke_copy / files[0])
    assert pending(smoke_copy) == first
    for file in files[1:]:
        edit(smoke_copy / file)
    assert pending(smoke_copy) == first | others[0] | others[1]


@pytest.mark.parametrize(
    ("file", "rules"),
    [
        ("src/ndgm/groups.py", WRITING),
        ("src/ndgm/pipeline/settings.py", set()),
        ("src/ndgm/pipeline/config_files.py", set()),
        ("src/ndgm/pipeline/jobs.py", WRITING),
        ("src/ndgm/pipeline/targets.py", set()),
        ("src/ndgm/data/sources.py", set()),
        ("src/ndgm/paper/manuscript.py", WRITING),
        ("paper/paper.md", {"write_paper"}),
        ("paper/companions.md", {"write_companions"}),
        ("figures/l1_paradox_norm.py", {"draw_figure", "write_paper"}),
        ("src/ndgm/paper/drawing.py", {"draw_figure", *WRITING}),
        ("scripts/decide_claims.py", {"decide_group", *after_deciding(*WRITTEN_IN)}),
        ("scripts/gather_claims.py", {"gather_claims"}),
        ("src/ndgm/data/classification.py", {"make_samples", *with_all_after("train_edge_of_stability")}),
    ],
)
def test_an_edit_reruns_what_depends_on_it(made: list[dict[str, str]], file: str, rules: set[str]) -> None:
    """Modules, programs and texts."""
    assert (ROOT / file).is_file()
    assert set(after_an_edit(made, file).values()) == rules


@pytest.mark.parametrize("module", MODULES)
def test_an_edit_of_an_experiment_reruns_its_job_and_what_depends_on_it(
    made: list[dict[str, str]], module: str
) -> None:
    """Its own job, jobs that read what that makes, and of the figures just those that show its tables."""
    found = after_an_edit(made, f"src/ndgm/experiments/{module}.py")
    importing = {module, *(name.rpartition(".")[2] for name in IMPORTS.find_downstream_modules(f"{ROOM}.{module}"))}
    jobs = [job for job in JOBS.values() if importing & set(job.modules)]
    theirs = tuple(each.table for job in jobs for each in job.experiments)
    jobs += [job for job in JOBS.values() if any(Path(file).name.startswith(theirs) for file in job.reads)]
    tables = {each.table for job in jobs for each in job.experiments}
    figures = {name for name, figure in FIGURES.items() if tables & set(figure.tables)}
    decided = [group.name for group in GROUPS if any(tables & set(read) for read in claim_tables(group.name).values())]
    writing = {f"write_{document}" for document, shown in DOCUMENTS.items() if figures & set(shown)}
    after = {"decide_group", *after_deciding(*decided)} if decided else set()
    assert set(found.values()) == {job.name for job in jobs} | {"draw_figure"} | writing | after
    assert {Path(file).stem for file in found if file.startswith("figures/")} == figures


@pytest.mark.parametrize("group", [group.name for group in GROUPS])
def test_an_edit_of_claims_decides_their_group_alone(made: list[dict[str, str]], group: str) -> None:
    """And what is made of all claims, and of its document."""
    found = after_an_edit(made, f"src/ndgm/claims/{group}.py")
    assert {file for file, rule in found.items() if rule == "decide_group"} == {f"claims/{group}.json"}
    # Figures may show what a claim defines, such as its pairs of activations.
    assert set(found.values()) - {"draw_figure"} == {"decide_group", *after_deciding(group)}


def test_one_claim_is_decided_from_its_own_tables(smoke_copy: Path, tmp_path: Path) -> None:
    """As in its group, whose other p values stand in the reference; a sibling that is missing there is named."""
    enough = tmp_path / "enough.yaml"
    enough.write_text("adaptive: {floors: {seeds: 8}}")
    config = (*SMOKE, str(enough))
    reference, name = smoke_copy / "reference/smoke/claims.json", "adaptive_adam_and_rmsprop_on_kinks"
    group, alone = "results/smoke/claims/adaptive.json", f"results/smoke/claims/{name}.json"
    done = run_snakemake(smoke_copy, group, "--cores", "2", *config)
    assert done.returncode == 0, done.stdout
    decided = json.loads((smoke_copy / group).read_text())
    reference.write_text(json.dumps(decided))
    for other in (smoke_copy / "results/smoke/runs").glob("adaptive_[!f]*.parquet"):
        other.unlink()
    done = run_snakemake(smoke_copy, alone, "--cores", "1", "--rerun-triggers", "mtime", *config)
    assert done.returncode == 0, done.stdout
    (found,) = json.loads((smoke_copy / alone).read_text())
    assert found["p_support"] is not None
    assert found == next(entry for entry in decided if entry["id"] == name)
    assert list((smoke_copy / "results/smoke/runs").glob("adaptive_[!f]*.parquet")) == []

    reference.write_text(json.dumps([entry for entry in decided if entry["id"] != "adaptive_rmsprop_norm"]))
    done = run_snakemake(smoke_copy, "--cores", "1", alone, *config)
    line = (
        f"error: reference/smoke/claims.json: no p values of adaptive_rmsprop_norm, which Holm's rule for {name} needs"
    )
    assert done.returncode != 0 and line in done.stdout.splitlines(), done.stdout


def test_an_edit_of_one_part_reruns_just_that_part(smoke_copy: Path, tmp_path: Path) -> None:
    """What the config says of another sweep, or kind of data, is not among a job's settings."""
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "l1_paradox: {networks: {sweeps: {gelu: {penalties: {count: 4}}}}}\n"
        "convergence: {networks: {data: {teacher: {problems: {noisy: {target: 0.3}}}}}}\n"
    )
    trained = {file for file in pending(smoke_copy, str(mine)) if file.endswith(".parquet")}
    of_teacher = {f"runs/{each.table}_teacher.parquet" for each in JOBS["train_convergence_networks"].experiments}
    assert trained == {"runs/l1_paradox_networks_gelu.parquet", *of_teacher}


def test_a_config_with_pictures_of_its_own_adds_a_figure(smoke_copy: Path, tmp_path: Path) -> None:
    """Its data, table and drawing; what is made of all claims and figures is made again, and nothing else."""
    full, name = load("full", ROOT / "config"), "weight_initialization"
    pictures = full["samples"][name]["cifar10"] | {"file": str(tmp_path / "cifar-10-binary.tar.gz")}
    Path(pictures["file"]).touch()
    settings = {"samples": {name: {"cifar10": pictures}}, name: {"convolutions": full[name]["convolutions"]}}
    mine = tmp_path / "mine.yaml"
    mine.write_text(json.dumps(settings))
    found = pending(smoke_copy, str(mine))
    assert set(found.values()) == {"make_samples", *with_all_after(f"train_{name}_convolutions"), *WRITING}
    drawn = {Path(file).stem for file in found if file.startswith(("figures/", "notebooks/"))}
    assert drawn == {f"{name}_convolutions"}
    written = {file for file in found if file.startswith("captions/")}
    assert written >= {f"captions/{figure}.rst" for figure in (name, *drawn)}


def test_an_edit_of_a_table_of_ones_own_makes_its_data_anew(smoke_copy: Path, tmp_path: Path) -> None:
    """The file that an entry of the samples names is an input of its data."""
    table, mine, data = tmp_path / "own.csv", tmp_path / "mine.yaml", "data/l1_paradox/own.npz"
    table.write_text("age,weight,response\n31,62,9.1\n44,80,12.4\n58,77,11.8\n23,71,8.0\n")
    mine.write_text(f"samples: {{l1_paradox: {{own: {{source: csv, file: {table}}}}}}}\n")
    done = run_snakemake(smoke_copy, "--cores", "1", f"{RESULTS}{data}", *SMOKE, str(mine))
    assert done.returncode == 0, done.stdout
    assert data not in pending(smoke_copy, str(mine))
    table.write_text(table.read_text() + "67,90,15.2\n")
    assert pending(smoke_copy, str(mine))[data] == "make_samples"


def test_two_swapped_settings_are_noticed(smoke_copy: Path, tmp_path: Path) -> None:
    """The same numbers in other places: what uses them runs again."""
    mine = tmp_path / "mine.yaml"
    mine.write_text("l1_paradox: {noise: {batch_sizes: [4, 1]}}")
    rules = {*with_all_after("train_l1_paradox_noise"), *WRITING}
    assert set(pending(smoke_copy, str(mine)).values()) == rules


def test_what_computes_on_a_device_asks_for_the_gpu(repository: Path, tmp_path: Path) -> None:
    """With `device: cuda` every job that trains or is given the device asks for one GPU; with `cpu` none does."""
    names = "|".join(name for name, job in JOBS.items() if on_a_device(job))
    rules = repository / "workflow/rules/experiments.smk"
    text = rules.read_text()
    try:
        # Without its sentence a job shows its resources.
        rules.write_text(re.sub(r" +message:\n.*\n", "", text))
        for device, asked in [("cuda", 1), ("cpu", 0)]:
            plan = run_snakemake(repository, "--dry-run", *SMOKE, "--config", f"device={device}").stdout
            planned = re.findall(rf"rule (?:{names})(?:_shard)?:", plan)
            assert plan.count("gpu=1") == asked * len(planned) and planned, plan
    finally:
        rules.write_text(text)


def test_report(smoke_copy: Path) -> None:
    """Snakemake's report is written without a network and holds every caption."""
    done = run_snakemake(smoke_copy, "--report", "report.html", *SMOKE)
    assert done.returncode == 0, done.stdout
    assert (smoke_copy / "report.html").stat().st_size > 100_000
