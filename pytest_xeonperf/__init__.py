"""Performance-regression tests for generative-AI models on Intel Xeon CPUs with native PyTorch."""

from pytest_xeonperf.errors import XeonPerfError
from pytest_xeonperf.variants.spec import Variant
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Attention, Inputs, Phase, Workload

__all__ = ["Attention", "Inputs", "Phase", "Preset", "Variant", "Workload", "XeonPerfError"]
