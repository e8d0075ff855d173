"""Models that nobody here has made, brought by the fixture `workload` of a user's own test file."""

import re
import shutil
from pathlib import Path

import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import Measurement, Outcome

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

FOREIGN = """
import pytest
from pytest_xeonperf import Inputs, Workload

pytestmark = pytest.mark.min_fidelity(cosine=0.99)


def encoder():
    from transformers import BertConfig, BertModel

    return BertModel(BertConfig(hidden_size=64, num_hidden_layers=1, num_attention_heads=4, intermediate_size=128))


def tokens():
    import torch

    return Inputs(kwargs={"input_ids": torch.arange(16)[None], "attention_mask": torch.ones(1, 16, dtype=torch.long)})


def block():
    from diffusers.models.attention import BasicTransformerBlock

    return BasicTransformerBlock(64, num_attention_heads=4, attention_head_dim=16, cross_attention_dim=32)


def image():
    import torch

    torch.manual_seed(0)
    return Inputs(args=(torch.randn(1, 20, 64),), kwargs={"encoder_hidden_states": torch.randn(1, 7, 32)})


class Rungs:
    def test_eager(self, xeonperf, eager_bf16):
        xeonperf.check(eager_bf16)

    def test_sdpa(self, xeonperf, sdpa_bf16):
        xeonperf.check(sdpa_bf16)

    def test_compiled(self, xeonperf, compiled_bf16):
        xeonperf.check(compiled_bf16)

    @pytest.mark.uses_kernel("aten::_weight_int8pack_mm")
    def test_int8(self, xeonperf, woq_int8):
        xeonperf.check(woq_int8)


class TestTransformersEncoder(Rungs):
    @pytest.fixture
    def workload(self):
        return Workload(name="bert", build=encoder, inputs=tokens)


class TestDiffusersBlock(Rungs):
    @pytest.fixture
    def workload(self):
        return Workload(name="transformer-block", build=block, inputs=image)
"""

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")


@pytest.fixture(scope="module")
def session(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "test_foreign.py").write_text(FOREIGN, encoding="utf-8")
    return run(folder)


@pytest.mark.parametrize("workload", ["bert", "transformer-block"])
@pytest.mark.parametrize("variant", ["eager_bf16", "sdpa_bf16", "compiled_bf16", "woq_int8"])
def test_every_variant_works_on_a_foreign_model(session, workload, variant):
    (run,) = session.runs
    (result,) = (each for each in run.results if (each.case.workload, each.case.variant) == (workload, variant))
    assert isinstance(result.measurement, Measurement)
    assert result.verdict.outcome is Outcome.PASS


def test_the_session_is_green(session):
    assert session.code == ExitCode.OK


def test_the_readmes_own_model_is_measured(run, tmp_path):
    (example,) = re.findall(r"^## Your own model$.*?^```python\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "test_mine.py").write_text(example, encoding="utf-8")
    session = run(tmp_path)
    assert session.code == ExitCode.OK
    assert session.results["test_compiled"].case.workload == "my-encoder"
