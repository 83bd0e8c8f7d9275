"""A run that is not its scale's is said to be none, since its results go to the folder of the scale."""

from pathlib import Path

import pytest
from conftest import run_snakemake


def said(repository: Path, *arguments: str) -> list[str]:
    """Lines at the start of a run that name a folder that gets results of other settings."""
    done = run_snakemake(repository, "--list-rules", *arguments)
    assert done.returncode == 0, done.stdout
    return [line for line in done.stdout.splitlines() if line.startswith("results/")]


@pytest.mark.parametrize(
    ("arguments", "scale", "keys"),
    [
        (("--config", "scale=smoke", "device=cuda"), "smoke", "device"),
        (
            ("--config", "root_seed=7", "l1_paradox={lasso: {methods: [ista]}}"),
            "laptop",
            "root_seed, l1_paradox.lasso.methods",
        ),
        (("--configfile", "{mine}"), "laptop", "convergence.cures.methods, convergence.cures.seeds"),
        (
            ("--configfile", "config/smoke.yaml", "{mine}", "--config", "root_seed=7"),
            "smoke",
            "convergence.cures.methods, convergence.cures.seeds, root_seed",
        ),
    ],
)
def test_other_settings_than_the_scales(
    repository: Path, tmp_path: Path, arguments: tuple[str, ...], scale: str, keys: str
) -> None:
    """One line names the folder, the keys, and the way to a folder of its own."""
    mine = tmp_path / "mine.yaml"
    mine.write_text("convergence: {cures: {seeds: 3, methods: [polyak]}}")
    (line,) = said(repository, *(argument.replace("{mine}", str(mine)) for argument in arguments))
    assert line.startswith(f"results/{scale} will hold a run with {keys} changed from config/{scale}.yaml;")
    assert "config/mine.yaml" in line and "`scale: mine`" in line


@pytest.mark.parametrize(
    "arguments",
    [(), ("--config", "scale=smoke", "root_seed=20240116"), ("--configfile", "config/smoke.yaml")],
)
def test_the_settings_of_the_scale(repository: Path, arguments: tuple[str, ...]) -> None:
    """Nothing is said where only the scale is chosen, or where values equal its own."""
    assert said(repository, *arguments) == []


def test_a_config_that_replaces_all_others(repository: Path) -> None:
    """With this option the command line is all that there is, and lacks the rest; alone the option says nothing."""
    option = "--replace-workflow-config"
    assert run_snakemake(repository, "--list-rules", option).returncode == 0
    done = run_snakemake(repository, "--list-rules", option, "--config", "scale=smoke")
    assert done.returncode != 0 and "root_seed: is missing" in done.stdout, done.stdout


def test_the_files_of_a_scale_go_with_the_workflow(repository: Path, tmp_path: Path) -> None:
    """As Snakemake sends them to a machine that shares no files; git need not track a scale of one's own."""
    probe, mine = tmp_path / "Snakefile", repository / "config/mine.yaml"
    probe.write_text(f"include: {str(repository / 'Snakefile')!r}\nprint('sent', *workflow.configfiles)\n")
    mine.write_text("scale: mine\n")
    try:
        where = ("--snakefile", str(probe), "--directory", str(repository))
        done = run_snakemake(repository, *where, "--list-rules", "--config", "scale=mine")
    finally:
        mine.unlink()
    assert "sent config/laptop.yaml config/mine.yaml" in done.stdout.splitlines(), done.stdout


def test_a_scale_of_ones_own(repository: Path) -> None:
    """What the line says to do gives a run with a folder of its own, and nothing to be said."""
    mine = repository / "config/mine.yaml"
    mine.write_text("scale: mine\nroot_seed: 7\n")
    try:
        assert said(repository, "--config", "scale=mine") == []
        plan = run_snakemake(repository, "--dry-run", "--config", "scale=mine", "--", "results/mine/paper.pdf")
        assert plan.returncode == 0, plan.stdout
    finally:
        mine.unlink()
