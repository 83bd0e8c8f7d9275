"""The processor and the instructions that libraries use on it, which decide the last bits of every number."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

INSTRUCTIONS = (
    ("AVX-512", {"avx512f", "avx512bw", "avx512dq", "avx512vl"}),
    ("AVX2 and FMA", {"avx2", "fma"}),
    ("AVX", {"avx"}),
    ("SSE4.2", {"sse4_2"}),
    ("SVE", {"sve"}),
    ("NEON", {"asimd"}),
)
"""Names of instruction sets with the flags of a processor that has them; the first that fits counts."""

SWITCHES = ("ATEN_CPU_CAPABILITY", "MKL_ENABLE_INSTRUCTIONS", "OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")
"""Environment variables that keep PyTorch, MKL, OpenBLAS and NumPy from instructions that the processor has."""

OTHER_PROCESSORS: dict[str, dict[str, str]] = {
    name: dict(zip(SWITCHES, values, strict=True))
    for name, values in {
        "sse4.2": ("default", "SSE4_2", "Nehalem", "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"),
        "avx": ("default", "AVX", "Sandybridge", "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"),
        "avx2": ("avx2", "AVX2", "Haswell", "X86_V4 AVX512_ICL AVX512_SPR"),
        "mixed": ("default", "AVX2", "Haswell", "X86_V4 AVX512_ICL AVX512_SPR"),
    }.items()
}
"""Environments in which the libraries compute as on another processor, by a name.

PyTorch's own kernels have no fused multiply-add at `default`; MKL does its matrix products and OpenBLAS those of NumPy
and SciPy. `mixed` is a processor that one library knows better than another.
"""


def instructions(flags: set[str]) -> str:
    """Instruction set of a processor with these flags, as `/proc/cpuinfo` names them."""
    return next((name for name, needed in INSTRUCTIONS if needed <= flags), "no vectors")


def processor(cpuinfo: Path = Path("/proc/cpuinfo"), environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The processor's `model`, `vendor`, `machine` and `instructions`, and what `limited` them, if anything did.

    Args:
        cpuinfo: Where Linux describes it; elsewhere only the machine is known.
        environment: In which the libraries run.
    """
    try:
        lines = [line.partition(":") for line in cpuinfo.read_text(encoding="utf-8").splitlines()]
    except OSError:
        lines = []
    said = {name.strip().lower(): value.strip() for name, _, value in reversed(lines)}
    found = {
        "model": said.get("model name") or platform.processor() or "unknown",
        "vendor": said.get("vendor_id", "unknown"),
        "machine": platform.machine(),
        "instructions": instructions(set((said.get("flags") or said.get("features") or "").split())),
    }
    limits = [f"{name}={environment[name]}" for name in SWITCHES if environment.get(name)]
    return found | ({"limited": " ".join(limits)} if limits else {})


def described(found: Mapping[str, str]) -> str:
    """One line on a processor, such as `Intel(R) Xeon(R) Processor, x86_64 with AVX-512`."""
    limited = f", limited by {found['limited']}" if "limited" in found else ""
    return f"{found['model']}, {found['machine']} with {found['instructions']}{limited}"


def compute_alike(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two processors give the same bytes: libraries choose their kernels by these properties."""
    return all(one.get(name) == other.get(name) for name in ("machine", "vendor", "instructions", "limited"))
