"""What our kernels share is the same with and without the processor's instructions for BF16."""

import math
from dataclasses import replace

import pytest

from pytest_xeonperf.host import extension
from pytest_xeonperf.host.compiler import Compiler, find_compiler
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.host.extension import load_operators
from pytest_xeonperf.records import Isa

SOURCE = """
#include "lanes.h"
#include <ATen/ops/empty.h>
#include <torch/library.h>
using namespace lanes;
static at::Tensor narrow_all(const at::Tensor& x, bool both) {{
  at::Tensor out = at::empty(x.sizes(), x.options().dtype(at::kBFloat16));
  const auto* from = x.const_data_ptr<float>();
  auto* to = out.data_ptr<at::BFloat16>();
  for (int64_t i = 0, step = both ? 2 * kLanes : kLanes; i < x.numel(); i += step) {{
    if (both) store_both(to + i, _mm512_loadu_ps(from + i), _mm512_loadu_ps(from + i + kLanes));
    else store(to + i, first_lanes(x.numel() - i), load(from + i, first_lanes(x.numel() - i)));
  }}
  return out;
}}
TORCH_LIBRARY_FRAGMENT(xeonperf_lanes, library) {{ library.def("{name}(Tensor x, bool both) -> Tensor"); }}
TORCH_LIBRARY_IMPL(xeonperf_lanes, CPU, library) {{ library.impl("{name}", &narrow_all); }}
"""


@pytest.mark.skipif(
    read_cpu().isa.rank < Isa.AVX512.rank or not isinstance(find_compiler(), Compiler),
    reason="needs AVX-512 and a C++ compiler",
)
@pytest.mark.parametrize("instruction", [True, False], ids=["by an instruction", "without one"])
def test_fp32_is_rounded_to_bf16_as_torch_does(tmp_path, monkeypatch, instruction):
    import torch

    if instruction and "avx512_bf16" not in read_cpu().flags:
        pytest.skip("the processor has no such instruction")
    plain = replace(read_cpu(), flags=read_cpu().flags - ({"avx512_bf16"} if not instruction else set()))
    monkeypatch.setattr(extension, "read_cpu", lambda: plain)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    name = f"narrow_{instruction}".lower()
    source = tmp_path / f"{name}.cpp"
    source.write_text(SOURCE.format(name=name), encoding="utf-8")
    load_operators(source, Isa.AVX512)
    torch.manual_seed(0)
    special = [0.0, -0.0, math.inf, -math.inf, 3.4e38, 1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20]
    x = torch.cat((torch.tensor(special), torch.randn(96 - len(special)) * 1e3))
    operator = getattr(torch.ops.xeonperf_lanes, name)
    for both in (False, True):
        assert torch.equal(operator(x, both), x.bfloat16())
        assert operator(torch.full((32,), math.nan), both).isnan().all()
    assert torch.equal(operator(x[:37].clone(), False), x[:37].bfloat16())  # noqa: FBT003 - an operator's argument
