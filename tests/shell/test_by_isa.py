import pytest

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.records import Isa
from pytest_xeonperf.shell.by_isa import meant_for_others
from pytest_xeonperf.shell.markers import promises_of, variants_of
from pytest_xeonperf.shell.state import ISA

BY_ISA = """\
@pytest.mark.variant(dtype='bf16', isa='avx512_bf16')
@pytest.mark.variant(dtype='fp32', compile=True)"""


@pytest.mark.parametrize(
    ("isa", "name"),
    [
        (Isa.AVX2, "fp32-sdpa-compiled"),
        (Isa.AVX512, "fp32-sdpa-compiled"),
        (Isa.AVX512_BF16, "bf16-sdpa-compiled"),
        (Isa.AMX_BF16, "bf16-sdpa-compiled"),
    ],
)
@pytest.mark.parametrize("of_the_class", [True, False])
def test_the_keywords_of_the_most_capable_usable_isa_win_wherever_they_are(marked, isa, name, of_the_class):
    for_isa, generic = BY_ISA.splitlines()
    item = marked(*(generic, for_isa) if of_the_class else (BY_ISA, ""), "xeonperf, variant")
    item.config.stash[ISA] = isa
    assert [made.name for made in variants_of(item)] == [name]


def test_what_cannot_be_meant_on_another_machine_is_known_on_this_one(marked):
    item = marked(BY_ISA + "\n@pytest.mark.variant(woq='int8', isa='avx2')", fixtures="xeonperf, variant")
    item.config.stash[ISA] = Isa.AMX_BF16
    with pytest.raises(UsageError, match="weight-only int8 runs on BF16 activations"):
        variants_of(item)


@pytest.mark.parametrize(("isa", "meant"), [("avx512", True), ("amx_bf16", False), ("avx2", False)])
def test_a_test_for_other_isas_says_which_is_usable_here(marked, isa, meant):
    item = marked("@pytest.mark.only_isa('avx512', 'avx512_bf16')")
    item.config.stash[ISA] = Isa(isa)
    why = "" if meant else f"only for avx512, avx512_bf16; usable here is {isa}"
    assert meant_for_others(item) == why


def test_kernels_of_an_isa_are_promised_where_it_is_usable(marked):
    item = marked("@pytest.mark.uses_kernel('a')\n@pytest.mark.uses_kernel('b', isa='avx512_bf16')")
    assert promises_of(item, "eager_fp32").kernels == ("a",)
    item.config.stash[ISA] = Isa.AMX_BF16
    assert set(promises_of(item, "eager_fp32").kernels) == {"a", "b"}
