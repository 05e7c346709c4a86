"""The processor's features, read from CPUID: its flags as Linux names them, and the instruction set
that an engine is held to.

NumPy asks CPUID when it is imported, and its answer holds under an emulator too, whose files still
describe the host.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path

_umath = importlib.import_module(
    f"numpy.{'_core' if find_spec('numpy._core') else 'core'}._multiarray_umath"
)
_FEATURES: Mapping[str, bool] = _umath.__cpu_features__

_LINUX_NAMES = {
    "SSE3": "pni",
    "SSE41": "sse4_1",
    "SSE42": "sse4_2",
    "FMA3": "fma",
    "BMI": "bmi1",
    "LZCNT": "abm",
    "LAHF": "lahf_lm",
    "AVX512BF16": "avx512_bf16",
    "AVX512FP16": "avx512_fp16",
    "AVX512VBMI2": "avx512_vbmi2",
    "AVX512VNNI": "avx512_vnni",
    "AVX512BITALG": "avx512_bitalg",
    "AVX512VPOPCNTDQ": "avx512_vpopcntdq",
    "AVX5124VNNIW": "avx512_4vnniw",
    "AVX5124FMAPS": "avx512_4fmaps",
}
"""Linux's names of the flags for which it does not use the lower case of NumPy's."""

_GROUPS = ("AVX512_", "X86_V", "NEON_")
"""NumPy's names for several flags at once."""

LEVELS: Mapping[str, frozenset[str]] = {
    "sse41": frozenset({"sse4_1"}),
    "avx": frozenset({"avx"}),
    "avx2": frozenset({"avx2", "fma"}),
    "avx512": frozenset({"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}),
    "avx512_vnni": frozenset({"avx512_vnni"}),
    "avx512_bf16": frozenset({"avx512_bf16"}),
    "avx512_fp16": frozenset({"avx512_fp16"}),
    "amx": frozenset({"amx_tile", "amx_bf16"}),
}
"""Instruction sets of x86, from the least; each has its flags and those of all before it."""

ONEDNN_LIMITS = {
    "SSE41": "sse41",
    "AVX": "avx",
    "AVX2": "avx2",
    "AVX2_VNNI": "avx2",
    "AVX2_VNNI_2": "avx2",
    "AVX512_CORE": "avx512",
    "AVX512_CORE_VNNI": "avx512_vnni",
    "AVX512_CORE_BF16": "avx512_bf16",
    "AVX512_CORE_FP16": "avx512_fp16",
}
"""Values of ONEDNN_MAX_CPU_ISA (oneDNN's documentation, "CPU Dispatcher Control"); all others bring
AMX."""

XLA_LIMITS = {
    "SSE4_2": "sse41",
    "AVX": "avx",
    "AVX2": "avx2",
    "AVX512": "avx512",
    "AVX512_VNNI": "avx512_vnni",
    "AVX512_BF16": "avx512_bf16",
}
"""Values of XLA's flag xla_cpu_max_isa; all others bring AMX."""


def cpu_flags(
    features: Mapping[str, bool] = _FEATURES, info: Path = Path("/proc/cpuinfo")
) -> frozenset[str]:
    """The processor's flags.

    Those that NumPy has no name for come from the operating system's file, where that agrees with
    CPUID on all the others: under an emulator it does not.
    """
    names = {
        name: _LINUX_NAMES.get(name, name.lower())
        for name in features
        if not name.startswith(_GROUPS)
    }
    reported = {name for numpys, name in names.items() if features[numpys]}
    listed = _listed(info)
    agrees = listed & set(names.values()) == reported & listed and reported - listed <= _NOT_LISTED
    return frozenset(reported | (listed - set(names.values()) if agrees else set()))


_NOT_LISTED = {"neon", "neon_fp16", "neon_vfpv4"}
"""The flags that NumPy reports for every 64-bit ARM processor, and Linux for none."""


def _listed(info: Path) -> set[str]:
    try:
        first = info.read_text().split("\n\n")[0].splitlines()
    except OSError:
        return set()
    entries = {key.strip(): value for key, _, value in (line.partition(":") for line in first)}
    return set((entries.get("flags") or entries.get("Features") or "").split())


def isa(flags: frozenset[str] | None = None, *, limit: str | None = None) -> str:
    """The widest instruction set that the processor has, or `limit` (a name of LEVELS) if that is
    less.

    Of other processors than x86 it is "sve", "asimd" or "other".
    """
    flags = cpu_flags() if flags is None else flags
    allowed = list(LEVELS)[: None if limit is None else list(LEVELS).index(limit) + 1]
    widest = list(takewhile(lambda level: LEVELS[level] <= flags, allowed))
    return [*(name for name in ("other", "asimd", "sve") if name in {"other", *flags}), *widest][-1]


def onednn_facts() -> dict[str, str]:
    """The instruction set that oneDNN's kernels are chosen for, with the limit of its variable, and
    the processor's.
    """
    limit_name = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or ""
    return {"isa": isa(limit=ONEDNN_LIMITS.get(limit_name.upper())), "processor": isa()}


def xla_facts() -> dict[str, str]:
    """The instruction set that XLA compiles for, with the limit that XLA_FLAGS gives, and the
    processor's.
    """
    words = os.environ.get("XLA_FLAGS", "").split()
    limit_names = [
        word.partition("=")[2] for word in words if word.startswith("--xla_cpu_max_isa=")
    ]
    return {
        "isa": isa(limit=XLA_LIMITS.get(limit_names[-1].upper()) if limit_names else None),
        "processor": isa(),
    }
