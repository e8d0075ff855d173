"""Segment Anything on CPU: the ladder of Segment Anything Fast, eager FP32 with plain attention at its foot."""

import pytest


@pytest.mark.workload("sam-vit-b", phase="encode")
class TestImageEncoderB:
    """The image encoder of vit_b; the blog's figure for BF16 + compile + SDPA is 2.91.

    Where BF16 is no faster than FP32, that rung alone shows it.
    """

    @pytest.mark.only_isa("amx_bf16", "avx512_bf16")
    @pytest.mark.min_speedup(1.7, isa="amx_bf16")
    @pytest.mark.min_speedup(1.1, isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.9995)
    def test_eager_bf16(self, xeonperf, eager_bf16):
        xeonperf.check(eager_bf16)

    @pytest.mark.only_isa("amx_bf16", "avx512_bf16")
    @pytest.mark.min_speedup(2.5, isa="amx_bf16")
    @pytest.mark.min_speedup(1.3, isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.9995)
    def test_sdpa(self, xeonperf, sdpa_bf16):
        xeonperf.check(sdpa_bf16)

    @pytest.mark.min_speedup(2.91, isa="amx_bf16")
    @pytest.mark.min_speedup(1.5, isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.9995)
    @pytest.mark.max_graph_breaks(0)
    def test_compiled(self, xeonperf, compiled_bf16):
        xeonperf.check(compiled_bf16)

    # no mask, no windows cut out, weights packed once; BF16 where it is no slower than FP32
    @pytest.mark.variant(dtype="fp32", attention="fused", compile=True, freeze=True)
    @pytest.mark.variant(dtype="bf16", isa="avx512_bf16")
    @pytest.mark.min_speedup(7.0, isa="amx_bf16")
    @pytest.mark.min_speedup(2.0, isa="avx512_bf16")
    @pytest.mark.min_speedup(1.7, isa="avx512")
    @pytest.mark.min_fidelity(cosine=0.9995)
    @pytest.mark.uses_kernel("xeonperf::rel_pos_attention")
    @pytest.mark.uses_kernel("mkldnn::_linear_pointwise", isa="avx512_bf16")
    @pytest.mark.max_graph_breaks(0)
    def test_fused(self, xeonperf, variant):
        xeonperf.check(variant)

    # bytes on both sides of linear layers and in attention, where there is no AMX: four times FP32's speed
    @pytest.mark.only_isa("avx512", "avx512_bf16")
    @pytest.mark.variant(attention="fused", internals="int8", compile=True, woq="int8", kernel="dynamic")
    @pytest.mark.min_speedup(3.8, isa="avx512")
    @pytest.mark.min_speedup(2.0, isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.999)
    @pytest.mark.uses_kernel("xeonperf::rel_pos_attention_int8", "xeonperf::dynamic_int8")
    @pytest.mark.max_graph_breaks(0)
    def test_dynamic_int8(self, xeonperf, variant):
        xeonperf.check(variant)

    # what people would use instead, in the same rounds; ONNX Runtime has no BF16 on CPUs
    @pytest.mark.variant(runtime="openvino", dtype="fp32")
    @pytest.mark.variant(dtype="bf16", isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.9995)
    def test_openvino(self, xeonperf, variant):
        xeonperf.check(variant)

    @pytest.mark.variant(runtime="openvino", dtype="fp32", woq="int8", kernel="nncf")
    @pytest.mark.variant(dtype="bf16", isa="avx512_bf16")
    def test_openvino_int8(self, xeonperf, variant):
        xeonperf.check(variant)

    @pytest.mark.variant(runtime="onnxruntime", dtype="fp32")
    @pytest.mark.min_fidelity(cosine=0.9995)
    def test_onnx_runtime(self, xeonperf, variant):
        xeonperf.check(variant)


@pytest.mark.workload("sam-vit-h", phase="encode")
class TestImageEncoderH:
    """The image encoder of vit_h; the blog's figure is 3.95. The rungs below are those of vit_b, at twice the time."""

    @pytest.mark.only_isa("amx_bf16")
    @pytest.mark.min_speedup(3.95, isa="amx_bf16")
    @pytest.mark.min_fidelity(cosine=0.9995)
    @pytest.mark.max_graph_breaks(0)
    def test_compiled(self, xeonperf, compiled_bf16):
        xeonperf.check(compiled_bf16)

    @pytest.mark.only_isa("amx_bf16", "avx512_bf16")
    @pytest.mark.variant(attention="fused", compile=True, freeze=True)
    @pytest.mark.min_speedup(6.0, isa="amx_bf16")
    @pytest.mark.min_speedup(2.0, isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.9995)
    @pytest.mark.uses_kernel("xeonperf::rel_pos_attention", "mkldnn::_linear_pointwise")
    @pytest.mark.max_graph_breaks(0)
    def test_fused(self, xeonperf, variant):
        xeonperf.check(variant)

    @pytest.mark.only_isa("avx512", "avx512_bf16")
    @pytest.mark.variant(attention="fused", internals="int8", compile=True, woq="int8", kernel="dynamic")
    @pytest.mark.min_speedup(2.8, isa="avx512")
    @pytest.mark.min_speedup(2.0, isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.999)
    @pytest.mark.uses_kernel("xeonperf::rel_pos_attention_int8", "xeonperf::dynamic_int8")
    @pytest.mark.max_graph_breaks(0)
    def test_dynamic_int8(self, xeonperf, variant):
        xeonperf.check(variant)

    @pytest.mark.variant(runtime="openvino", dtype="fp32")
    @pytest.mark.variant(dtype="bf16", isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.9995)
    def test_openvino(self, xeonperf, variant):
        xeonperf.check(variant)

    @pytest.mark.variant(runtime="openvino", dtype="fp32", woq="int8", kernel="nncf")
    @pytest.mark.variant(dtype="bf16", isa="avx512_bf16")
    def test_openvino_int8(self, xeonperf, variant):
        xeonperf.check(variant)


@pytest.mark.workload("sam-vit-b", phase="decode")
@pytest.mark.min_fidelity(iou=0.97, cosine=0.999)
class TestMaskDecoder:
    """Prompt encoder and mask decoder on given points: a few milliseconds, where overhead counts."""

    @pytest.mark.min_speedup(1.1, isa="amx_bf16")
    @pytest.mark.min_speedup(1.05, isa="avx512_bf16")
    def test_sdpa(self, xeonperf, sdpa_bf16):
        xeonperf.check(sdpa_bf16)

    @pytest.mark.min_speedup(2.0, isa="amx_bf16")
    @pytest.mark.min_speedup(1.5, isa="avx512_bf16")
    @pytest.mark.max_graph_breaks(0)
    def test_compiled(self, xeonperf, compiled_bf16):
        xeonperf.check(compiled_bf16)

    # weights packed once; the image looks at a prompt's few tokens through a kernel made for that
    @pytest.mark.variant(dtype="fp32", attention="fused", compile=True, freeze=True)
    @pytest.mark.variant(dtype="bf16", isa="avx512_bf16")
    @pytest.mark.min_speedup(2.5, isa="amx_bf16")
    @pytest.mark.min_speedup(1.5, isa="avx512_bf16")
    @pytest.mark.min_speedup(1.1, isa="avx512")
    @pytest.mark.uses_kernel("xeonperf::few_keys_attention", isa="avx512_bf16")
    @pytest.mark.max_graph_breaks(0)
    def test_fused(self, xeonperf, variant):
        xeonperf.check(variant)
