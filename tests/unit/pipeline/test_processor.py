"""The processor as Linux describes it, and environments in which libraries compute as on another."""

import json
import os
import subprocess
import sys

import pytest

from ndgm.pipeline.processor import OTHER_PROCESSORS, SWITCHES, compute_alike, described, instructions, processor

XEON = (
    "vendor_id\t: GenuineIntel\nmodel name\t: Some Xeon\n"
    "flags\t\t: sse4_2 avx avx2 fma avx512f avx512bw avx512dq avx512vl\n"
)
ARM = "processor\t: 0\nFeatures\t: fp asimd\n"


def test_a_processor_is_described(tmp_path):
    (tmp_path / "xeon").write_text(XEON + XEON)
    found = processor(tmp_path / "xeon", {})
    assert (found["model"], found["vendor"], found["instructions"]) == ("Some Xeon", "GenuineIntel", "AVX-512")
    assert described(found) == f"Some Xeon, {found['machine']} with AVX-512"
    limited = processor(tmp_path / "xeon", OTHER_PROCESSORS["avx2"])
    assert described(limited).endswith(
        "limited by ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 "
        "OPENBLAS_CORETYPE=Haswell NPY_DISABLE_CPU_FEATURES=X86_V4 AVX512_ICL AVX512_SPR"
    )
    assert compute_alike(found, found | {"model": "Another Xeon"})
    assert not compute_alike(found, limited)
    assert not compute_alike(found, found | {"vendor": "AuthenticAMD"})
    (tmp_path / "arm").write_text(ARM)
    assert processor(tmp_path / "arm", {})["instructions"] == "NEON"
    assert processor(tmp_path / "nothing", {})["instructions"] == "no vectors"


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ({"sse4_2"}, "SSE4.2"),
        ({"sse4_2", "avx"}, "AVX"),
        ({"avx", "avx2"}, "AVX"),
        ({"avx", "avx2", "fma"}, "AVX2 and FMA"),
        ({"asimd", "sve"}, "SVE"),
        (set(), "no vectors"),
    ],
)
def test_the_best_instructions_count(flags, name):
    assert instructions(flags) == name


@pytest.mark.parametrize("name", OTHER_PROCESSORS)
def test_libraries_obey_the_switches(name):
    """PyTorch, OpenBLAS and NumPy say what they use; MKL says nothing."""
    code = (
        "import warnings; warnings.simplefilter('error')\n"
        "import json, numpy, scipy.linalg, threadpoolctl, torch\n"
        "found = threadpoolctl.threadpool_info()\n"
        "blas = {library['architecture'] for library in found if library['internal_api'] == 'openblas'}\n"
        "from numpy._core._multiarray_umath import __cpu_features__ as has\n"
        "print(json.dumps([torch.backends.cpu.get_cpu_capability(), sorted(blas), has['X86_V3'], has['X86_V4']]))"
    )
    values = dict(zip(SWITCHES, OTHER_PROCESSORS[name].values(), strict=True))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | OTHER_PROCESSORS[name],
        text=True,
        capture_output=True,
        check=True,
    )
    torch_uses, blas, v3, v4 = json.loads(done.stdout)
    assert torch_uses.lower().replace(" ", "") in (values["ATEN_CPU_CAPABILITY"], "noavx")
    assert blas == [values["OPENBLAS_CORETYPE"]]
    assert (v3, v4) == ("X86_V3" not in values["NPY_DISABLE_CPU_FEATURES"], False)
