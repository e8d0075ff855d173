"""SDXL on CPU: the ladder of Diffusion Fast, eager FP32 with plain attention at its foot."""

import pytest


@pytest.mark.workload("sdxl", phase="unet_step")
class TestUNetStep:
    """One denoising step, where nearly all the time of an image goes; the blog's figure for the image is 3.91.

    Where BF16 is no faster than FP32, one rung in BF16 says so.
    """

    @pytest.mark.min_speedup(3.0, isa="amx_bf16")
    @pytest.mark.min_speedup(1.3, isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.999)
    def test_sdpa(self, xeonperf, sdpa_bf16):
        xeonperf.check(sdpa_bf16)

    @pytest.mark.only_isa("amx_bf16")
    @pytest.mark.min_speedup(3.91, isa="amx_bf16")
    @pytest.mark.min_fidelity(cosine=0.999)
    @pytest.mark.max_graph_breaks(0)
    def test_compiled(self, xeonperf, compiled_bf16):
        xeonperf.check(compiled_bf16)

    # weights packed once, channels side by side, attention in one pass over tiles of scores
    @pytest.mark.only_isa("amx_bf16", "avx512_bf16")
    @pytest.mark.variant(attention="fused", compile=True, freeze=True, channels_last=True)
    @pytest.mark.min_speedup(5.0, isa="amx_bf16")
    @pytest.mark.min_speedup(1.5, isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.999)
    @pytest.mark.uses_kernel("mkldnn::_convolution_pointwise", "mkldnn::_linear_pointwise", "xeonperf::tiled_attention")
    @pytest.mark.max_graph_breaks(0)
    def test_fused(self, xeonperf, variant):
        xeonperf.check(variant)

    # bytes on both sides of linear layers, convolutions and attention, where there is no AMX: four times FP32's speed
    @pytest.mark.only_isa("avx512", "avx512_bf16")
    @pytest.mark.variant(attention="fused", internals="int8", compile=True, channels_last=True)
    @pytest.mark.variant(woq="int8", kernel="dynamic", convolutions="dynamic")
    @pytest.mark.min_speedup(3.3, isa="avx512")
    @pytest.mark.min_speedup(2.0, isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.999)
    @pytest.mark.uses_kernel("xeonperf::dynamic_int8", "xeonperf::dynamic_conv", "xeonperf::tiled_attention_int8")
    @pytest.mark.max_graph_breaks(0)
    def test_dynamic_int8(self, xeonperf, variant):
        xeonperf.check(variant)

    # what people would use instead, in the same rounds; its BF16 is not as close to FP32
    @pytest.mark.variant(runtime="openvino", dtype="fp32")
    @pytest.mark.variant(dtype="bf16", isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.995)
    def test_openvino(self, xeonperf, variant):
        xeonperf.check(variant)

    # its weights alone; to quantise the rest NNCF needs more than 20 GiB
    @pytest.mark.variant(runtime="openvino", dtype="fp32", woq="int8")
    @pytest.mark.variant(dtype="bf16", isa="avx512_bf16")
    def test_openvino_int8(self, xeonperf, variant):
        xeonperf.check(variant)


@pytest.mark.workload("sdxl", phase="vae_decode")
class TestVaeDecode:
    """From latents to pixels: convolutions at full resolution, once an image. What each rung brings, the UNet shows."""

    @pytest.mark.only_isa("amx_bf16", "avx512_bf16", "avx2", "generic")
    @pytest.mark.variant(dtype="fp32", compile=True, freeze=True, channels_last=True)
    @pytest.mark.variant(dtype="bf16", isa="avx512_bf16")
    @pytest.mark.min_speedup(4.0, isa="amx_bf16")
    @pytest.mark.min_speedup(1.3, isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.999)
    @pytest.mark.uses_kernel("mkldnn::_convolution_pointwise")
    @pytest.mark.max_graph_breaks(0)
    def test_frozen(self, xeonperf, variant):
        xeonperf.check(variant)

    # convolutions in bytes, and half of FP32's bytes between them, where memory binds
    @pytest.mark.only_isa("avx512", "avx512_bf16")
    @pytest.mark.variant(dtype="bf16", compile=True, channels_last=True, convolutions="dynamic")
    @pytest.mark.min_speedup(2.0, isa="avx512")
    @pytest.mark.min_speedup(1.3, isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.999)
    @pytest.mark.uses_kernel("xeonperf::dynamic_conv")
    @pytest.mark.max_graph_breaks(0)
    def test_dynamic_int8(self, xeonperf, variant):
        xeonperf.check(variant)


@pytest.mark.workload("sdxl", phase="image")
class TestImage:
    """A whole image, as a user waits for it: all steps and the VAE, each compiled on its own."""

    @pytest.mark.only_isa("amx_bf16", "avx512_bf16")
    @pytest.mark.variant(attention="fused", compile=True, freeze=True, channels_last=True)
    @pytest.mark.min_speedup(3.91, isa="amx_bf16")
    @pytest.mark.min_speedup(1.5, isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.99)
    def test_fused(self, xeonperf, variant):
        xeonperf.check(variant)

    @pytest.mark.only_isa("avx512", "avx512_bf16")
    @pytest.mark.variant(attention="fused", internals="int8", compile=True, channels_last=True)
    @pytest.mark.variant(woq="int8", kernel="dynamic", convolutions="dynamic")
    @pytest.mark.min_speedup(3.0, isa="avx512")
    @pytest.mark.min_speedup(2.0, isa="avx512_bf16")
    @pytest.mark.min_fidelity(cosine=0.99)
    @pytest.mark.uses_kernel("xeonperf::dynamic_int8", "xeonperf::dynamic_conv", "xeonperf::tiled_attention_int8")
    def test_dynamic_int8(self, xeonperf, variant):
        xeonperf.check(variant)
