"""What the processor can do: CPUID decides, and an engine's limit holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.system.processor import LEVELS, cpu_flags, isa, onednn_facts, xla_facts

SKYLAKE = {"SSE41": True, "AVX": True, "AVX2": True, "FMA3": True} | dict.fromkeys(
    ("AVX512F", "AVX512CD", "AVX512BW", "AVX512DQ", "AVX512VL", "AVX512_SKX", "X86_V4"), True
)
ABSENT = dict.fromkeys(("AVX512VNNI", "AVX512BF16", "AVX512FP16"), False)


def listed(tmp_path: Path, flags: str) -> Path:
    file = tmp_path / "cpuinfo"
    file.write_text(
        f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: none\n\nprocessor\t: 1\nflags\t\t: other\n"
    )
    return file


def test_flags_have_the_names_of_linux(tmp_path: Path) -> None:
    """Of NumPy's names those of single flags, as Linux writes them; groups are left out."""
    found = cpu_flags({**SKYLAKE, **ABSENT}, tmp_path / "none")
    assert {"sse4_1", "fma", "avx512bw", "avx512vl"} <= found
    assert not {"avx512_bf16", "avx512_skx", "x86_v4", "sse41"} & found


def test_the_file_adds_what_numpy_has_no_name_for(tmp_path: Path) -> None:
    """As the tiles of AMX; the first processor's line is read."""
    flags = "sse4_1 avx avx2 fma avx512f avx512cd avx512bw avx512dq avx512vl amx_tile hypervisor"
    assert {"amx_tile", "hypervisor"} <= cpu_flags({**SKYLAKE, **ABSENT}, listed(tmp_path, flags))


def test_a_file_of_another_processor_is_not_believed(tmp_path: Path) -> None:
    """Under an emulator it is the host's: what CPUID denies is not there, nor is anything else of
    the file.
    """
    haswell = {name: not name.startswith("AVX512") for name in SKYLAKE}
    flags = "sse4_1 avx avx2 fma avx512f avx512cd avx512bw avx512dq avx512vl amx_tile"
    found = cpu_flags({**haswell, **ABSENT}, listed(tmp_path, flags))
    assert "avx2" in found
    assert not {"avx512f", "amx_tile"} & found


def test_an_instruction_set_is_one_of_a_ladder() -> None:
    """The widest whose flags, and those of all below it, are there; or the limit."""
    flags: frozenset[str] = frozenset()
    for level, needed in LEVELS.items():
        flags |= needed
        assert isa(flags) == level
        assert isa(flags, limit="avx2") == (
            "avx2" if level.startswith(("avx512", "amx")) else level
        )
    assert isa(flags - {"avx512_vnni"}) == "avx512"
    assert isa(frozenset({"asimd"})) == "asimd"
    assert isa(frozenset({"asimd", "sve"})) == "sve"
    assert isa(frozenset()) == "other"


@pytest.mark.parametrize(
    ("value", "told"), [("AVX2", "avx2"), ("avx2_vnni", "avx2"), ("SSE41", "sse41")]
)
def test_onednn_is_held_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, value: str, told: str
) -> None:
    """Whatever the case of its letters, and never to more than the processor has."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", value)
    assert onednn_facts() == {"isa": isa(limit=told), "processor": isa()}


def test_xla_is_held_by_its_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last of several counts, as XLA reads them."""
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_max_isa=AVX512 --other --xla_cpu_max_isa=SSE4_2")
    assert xla_facts() == {"isa": isa(limit="sse41"), "processor": isa()}
    monkeypatch.delenv("XLA_FLAGS")
    assert xla_facts() == {"isa": isa(), "processor": isa()}
