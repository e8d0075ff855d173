import torch

from pytest_xeonperf.host import limits
from pytest_xeonperf.host.onednn import bf16_over_fp32, parse_isa, parse_kernels, parse_speed, speed_line

VERBOSE = """\
onednn_verbose,v1,info,oneDNN v3.12.0 (commit 80afa71)
onednn_verbose,v1,info,cpu,isa:Intel AVX-512 with Intel DL Boost and bfloat16 support
onednn_verbose,v1,primitive,info,template:operation,engine,primitive,implementation,prop_kind
onednn_verbose,v1,primitive,exec,cpu,matmul,brg_matmul:avx10_1_512_amx,undef,src:bf16::blocked:ab::f0,,,64x64:64x64,0.04
onednn_verbose,v1,primitive,exec,cpu,reorder,jit:uni,undef,src:bf16::blocked:abcd::f0,,,1x16x16x16,0.005
onednn_verbose,v1,primitive,exec,cpu,matmul,brg_matmul:avx10_1_512_amx,undef,src:bf16::blocked:ab::f0,,,64x64:64x64,0.04
onednn_verbose,v1,primitive,exec,cpu,gemm_api,,undef,src_s8::blocked:ab:f0,,,64x64:64x64,6.0
a line of somebody else,exec,cpu,matmul,fake:amx,
"""


def test_kernels_are_listed_once_and_reorders_are_none():
    assert parse_kernels(VERBOSE) == ("matmul:brg_matmul:avx10_1_512_amx",)


def test_onednn_names_its_instruction_set():
    assert parse_isa(VERBOSE) == "Intel AVX-512 with Intel DL Boost and bfloat16 support"
    assert parse_isa("") == ""


def test_the_speed_of_bf16_is_found_again_among_other_lines():
    assert parse_speed(f"{VERBOSE}xeonperf_bf16_over_fp32 0.523\n{VERBOSE}") == 0.523
    assert parse_speed(VERBOSE + speed_line()) > 0
    assert parse_speed(VERBOSE) == 0


def test_the_speed_of_bf16_is_the_time_that_fp32_takes_over_its_own(monkeypatch):
    clock, calls = [0], {torch.float32: 0, torch.bfloat16: 0}

    def mm(left, right):
        assert left.dtype is right.dtype
        calls[left.dtype] += 1
        first = calls[left.dtype] == 1  # it generates code
        clock[0] += 1000 if first else {torch.float32: 8, torch.bfloat16: 4}[left.dtype]

    monkeypatch.setattr(torch, "mm", mm)
    monkeypatch.setattr(limits.time, "perf_counter_ns", lambda: clock[0])
    assert bf16_over_fp32(16) == 2
