import ctypes
from dataclasses import replace

import pytest

from pytest_xeonperf.errors import InfrastructureError, NotApplicableError
from pytest_xeonperf.host import extension
from pytest_xeonperf.host.compiler import Compiler, find_compiler
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.host.extension import load_operators, require
from pytest_xeonperf.records import Isa

SOURCE = """
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>
static at::Tensor shape_of(const at::Tensor& x) { return at::empty(x.sizes(), x.options()); }
TORCH_LIBRARY_FRAGMENT(xeonperf_test, library) { library.def("shape_of(Tensor x) -> Tensor"); }
TORCH_LIBRARY_IMPL(xeonperf_test, CPU, library) { library.impl("shape_of", &shape_of); }
"""


@pytest.fixture
def able():
    """Skip where kernels cannot be built at all."""
    if read_cpu().isa.rank < Isa.AVX512_BF16.rank or not isinstance(find_compiler(), Compiler):
        pytest.skip("needs AVX512_BF16 and a C++ compiler")


@pytest.mark.usefixtures("able")
def test_a_source_becomes_an_operator_and_is_compiled_once(tmp_path, monkeypatch):
    import torch

    source = tmp_path / "shape_of.cpp"
    source.write_text(SOURCE, encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    load_operators(source)
    assert torch.ops.xeonperf_test.shape_of(torch.ones(2, 3)).shape == (2, 3)
    (library,) = (tmp_path / "cache" / "xeonperf" / "operators").iterdir()
    assert ctypes.CDLL(str(library))
    before = library.stat().st_mtime_ns
    monkeypatch.setattr(torch.ops, "load_library", lambda _path: None)  # the same operator twice would be an error
    load_operators.__wrapped__(source)
    assert library.stat().st_mtime_ns == before


@pytest.mark.usefixtures("able")
def test_a_changed_header_makes_another_library(tmp_path, monkeypatch):
    import torch

    header, source = tmp_path / "value.h", tmp_path / "valued.cpp"
    source.write_text('#include "value.h"', encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.ops, "load_library", lambda _path: None)
    for value in (1, 2):
        header.write_text(f"int value = {value};", encoding="utf-8")
        load_operators.__wrapped__(source)
    assert len(list((tmp_path / "cache" / "xeonperf" / "operators").iterdir())) == 2


@pytest.mark.usefixtures("able")
def test_a_source_that_does_not_compile_is_named(tmp_path, monkeypatch):
    source = tmp_path / "broken.cpp"
    source.write_text("int operator", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(InfrastructureError, match=r"broken\.cpp"):
        load_operators(source)
    assert not list((tmp_path / "cache" / "xeonperf" / "operators").iterdir())


def test_a_processor_without_bf16_is_told_so(tmp_path, monkeypatch):
    weak = replace(read_cpu(), flags=frozenset({"avx2", "fma"}))
    monkeypatch.setattr(extension, "read_cpu", lambda: weak)
    with pytest.raises(NotApplicableError, match="need avx512_bf16; this processor has avx2"):
        load_operators(tmp_path / "any.cpp")


def test_a_processor_with_less_than_a_kernel_needs_is_told_so(tmp_path, monkeypatch, flags_of):
    plain = replace(read_cpu(), flags=flags_of["avx512"])
    monkeypatch.setattr(extension, "read_cpu", lambda: plain)
    require(Isa.AVX512, "kernels")
    with pytest.raises(NotApplicableError, match="our kernels in BF16 need avx512_bf16; this processor has avx512"):
        require(Isa.AVX512_BF16, "our kernels in BF16")
    with pytest.raises(NotApplicableError, match="need avx512_bf16"):
        load_operators(tmp_path / "any.cpp", Isa.AVX512_BF16)


def test_without_a_compiler_the_kernels_say_so(tmp_path, monkeypatch):
    strong = replace(read_cpu(), flags=frozenset.union(*extension_needs()))
    monkeypatch.setattr(extension, "read_cpu", lambda: strong)
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(NotApplicableError, match="no-such-compiler is not installed"):
        load_operators(tmp_path / "any.cpp")


def extension_needs():
    from pytest_xeonperf.host.cpu import _NEEDS

    return _NEEDS.values()
