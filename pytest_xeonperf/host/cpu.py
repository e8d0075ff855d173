"""What the processor says about itself, without torch. It is only what it *says*: `probe` tries it."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from pytest_xeonperf.records import Isa

_NEEDS: dict[Isa, frozenset[str]] = {
    Isa.AVX2: frozenset({"avx2", "fma"}),
    Isa.AVX512: frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl"}),
    Isa.AVX512_BF16: frozenset({"avx512_vnni", "avx512_bf16"}),
    Isa.AMX_BF16: frozenset({"amx_tile", "amx_bf16", "amx_int8"}),
}
"""Flags of /proc/cpuinfo that each instruction set adds to the one before it; what oneDNN asks for."""

X86 = frozenset({"x86_64", "AMD64"})
"""Architectures that anything we measure with was made for."""

INTEL = "GenuineIntel"
"""What Intel calls itself."""

_ARM_CORES = {"0xd0c": "Neoverse N1", "0xd40": "Neoverse V1", "0xd49": "Neoverse N2", "0xd4f": "Neoverse V2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """The processor as the kernel describes it; empty text where it says nothing."""

    architecture: str
    vendor: str
    model_name: str
    stepping: str
    microcode: str
    flags: frozenset[str]

    @property
    def isa(self) -> Isa:
        """The strongest instruction set that is advertised."""
        return advertised_isa(self.flags)

    @property
    def is_x86(self) -> bool:
        """Whether anything we measure with was made for this machine."""
        return self.architecture in X86

    @property
    def is_intel(self) -> bool:
        """Whether Intel made it."""
        return self.vendor == INTEL


def advertised_isa(flags: frozenset[str]) -> Isa:
    """The strongest instruction set whose flags, and those of all weaker ones, are there."""
    reached = Isa.GENERIC
    for isa, needed in _NEEDS.items():
        if not needed <= flags:
            break
        reached = isa
    return reached


def parse_cpuinfo(text: str, architecture: str) -> Cpu:
    """The first processor in the text of /proc/cpuinfo, x86 or Arm."""
    facts: dict[str, str] = {}
    for line in text.split("\n\n", 1)[0].splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    part = facts.get("CPU part", "")
    return Cpu(
        architecture=architecture,
        vendor=facts.get("vendor_id", facts.get("CPU implementer", "")),
        model_name=facts.get("model name") or _ARM_CORES.get(part) or f"{architecture} {part}".strip(),
        stepping=facts.get("stepping", facts.get("CPU revision", "")),
        microcode=facts.get("microcode", ""),
        flags=frozenset(facts.get("flags", facts.get("Features", "")).split()),
    )


def read_cpu() -> Cpu:
    """This machine's processor; without /proc only its architecture and name are known."""
    architecture = platform.machine()
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = f"model name: {platform.processor() or architecture}\n"
    return parse_cpuinfo(text, architecture)
