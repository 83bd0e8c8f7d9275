"""The description of a device: versions are those of the packages, the driver's is what its own program says."""

import platform

import numpy
import pytest
import torch

from ndgm.experiments.determinism import deterministic_torch
from ndgm.pipeline.device import description, driver


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    """Writes a stand-in for NVIDIA's program, which is the only one that is found."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def write(text):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)

    return write


def test_versions_are_those_that_the_packages_give():
    described = description("cpu")
    assert described["packages"]["numpy"] == numpy.__version__ and described["packages"]["torch"] == torch.__version__
    assert described["python"] == platform.python_version()
    assert described["device"] == {"name": "cpu"}


def test_the_switches_are_those_of_the_process():
    deterministic_torch("cpu")
    assert description("cpu")["deterministic"] is True and description("cpu")["tf32"] is False
    torch.set_deterministic_debug_mode("default")
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        assert description("cpu")["deterministic"] is False and description("cpu")["tf32"] is True
    finally:
        deterministic_torch("cpu")


def test_the_driver_is_what_its_program_says(nvidia_smi):
    assert driver() is None
    nvidia_smi("echo 580.159.04; echo 580.159.04")
    assert driver() == "580.159.04"


@pytest.mark.parametrize("text", ["echo NVIDIA-SMI has failed; exit 9", "exit 0"])
def test_a_driver_that_does_not_answer_has_no_version(nvidia_smi, text):
    nvidia_smi(text)
    assert driver() is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_cuda_device_is_described():
    found = description("cuda")["device"]
    assert found["name"] == torch.cuda.get_device_name() and found["cuda"] == torch.version.cuda
