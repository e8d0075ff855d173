from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.host.cpu import advertised_isa, parse_cpuinfo, read_cpu
from pytest_xeonperf.records import Isa

EMERALD = """\
processor\t: 0
vendor_id\t: GenuineIntel
model name\t: INTEL(R) XEON(R) PLATINUM 8581C CPU @ 2.60GHz
stepping\t: 2
microcode\t: 0x210002b3
flags\t\t: fpu avx2 fma avx512f avx512bw avx512dq avx512vl avx512_vnni avx512_bf16 amx_bf16 amx_tile amx_int8

processor\t: 1
vendor_id\t: GenuineIntel
flags\t\t: fpu
"""
GRAVITON = """\
processor\t: 0
Features\t: fp asimd sve bf16
CPU implementer\t: 0x41
CPU part\t: 0xd40
CPU revision\t: 1
"""


def test_a_xeon_is_read_from_its_first_processor():
    cpu = parse_cpuinfo(EMERALD, "x86_64")
    assert (cpu.vendor, cpu.stepping, cpu.microcode) == ("GenuineIntel", "2", "0x210002b3")
    assert cpu.model_name == "INTEL(R) XEON(R) PLATINUM 8581C CPU @ 2.60GHz"
    assert cpu.isa is Isa.AMX_BF16
    assert cpu.is_x86
    assert cpu.is_intel


def test_an_arm_core_has_a_name_and_no_instruction_set_of_ours():
    cpu = parse_cpuinfo(GRAVITON, "aarch64")
    assert cpu.model_name == "Neoverse V1"
    assert cpu.isa is Isa.GENERIC
    assert not cpu.is_x86


def test_each_instruction_set_needs_its_own_flags_and_those_below(flags_of):
    assert {name: advertised_isa(flags).value for name, flags in flags_of.items()} == {name: name for name in flags_of}


def test_amx_without_avx512_is_not_believed():
    assert advertised_isa(frozenset({"amx_tile", "amx_bf16", "amx_int8", "avx2", "fma"})) is Isa.AVX2


@given(st.data())
def test_losing_a_flag_never_makes_a_processor_stronger(data):
    everything = sorted(parse_cpuinfo(EMERALD, "x86_64").flags)
    some = frozenset(data.draw(st.sets(st.sampled_from(everything))))
    fewer = frozenset(data.draw(st.sets(st.sampled_from(sorted(some))))) if some else some
    assert advertised_isa(fewer).rank <= advertised_isa(some).rank


@given(st.text())
def test_any_text_is_read_without_an_error(text):
    assert parse_cpuinfo(text, "riscv64").isa.rank >= 0


def test_this_machine_has_a_name():
    assert read_cpu().model_name
