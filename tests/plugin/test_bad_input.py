"""What the user gave is damaged, missing or made for something else: the test fails and says so, the others run."""

import pytest
import torch
from click.testing import CliRunner
from transformers import AutoModelForCausalLM, LlamaConfig

from pytest_xeonperf.cli.quantize import command as quantize
from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import Measurement, Outcome, RunState

SUITE = """
import pytest
from pytest_xeonperf import Inputs, Workload

@pytest.mark.workload("llama-2-7b", phase="decode", checkpoint="nowhere/llama")
def test_llm_missing(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)

@pytest.mark.workload("llama-2-7b", phase="decode", checkpoint="truncated")
def test_llm_truncated(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)

@pytest.mark.workload("sam-vit-b", phase="encode", checkpoint="nowhere/sam.pth")
def test_sam_missing(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)

@pytest.mark.workload("sam-vit-b", phase="encode", checkpoint="truncated.pth")
def test_sam_truncated(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)

@pytest.mark.workload("llama-2-7b", phase="decode", checkpoint="groups_of_32", prompt_tokens=4)
@pytest.mark.min_fidelity(cosine=0.5)
class TestQuantised:
    @pytest.mark.variant(woq="int4", group_size=64)
    def test_another_group_size(self, xeonperf, variant):
        xeonperf.check(variant)

    @pytest.mark.variant(woq="int4", group_size=32)
    def test_its_own_group_size(self, xeonperf, variant):
        xeonperf.check(variant)

class TestNaN:
    @pytest.fixture
    def workload(self):
        def build():
            import torch

            class Overflows(torch.nn.Linear):
                def forward(self, x):
                    y = super().forward(x)
                    return y * float("nan") if x.dtype is torch.bfloat16 else y

            return Overflows(32, 4)

        def inputs():
            import torch
            return Inputs(args=(torch.ones(2, 32),))

        return Workload(name="overflows", build=build, inputs=inputs)

    def test_nan(self, xeonperf, eager_bf16):
        xeonperf.check(eager_bf16)

class TestOddWidths:
    @pytest.fixture
    def workload(self):
        def inputs():
            import torch
            return Inputs(args=(torch.ones(2, 32),))

        def build():
            from torch import nn
            return nn.Sequential(nn.Linear(32, 40), nn.Linear(40, 4))

        return Workload(name="odd", build=build, inputs=inputs)

    @pytest.mark.variant(woq="int8")
    def test_odd_widths(self, xeonperf, variant):
        xeonperf.check(variant)

class TestFine:
    @pytest.fixture
    def workload(self):
        def inputs():
            import torch
            return Inputs(args=(torch.ones(2, 32),))

        def build():
            import torch
            return torch.nn.Linear(32, 4)

        return Workload(name="fine", build=build, inputs=inputs)

    def test_fine(self, xeonperf, eager_bf16):
        xeonperf.check(eager_bf16)

def test_ordinary():
    pass
"""


def _save_model(folder):
    """A language model of next to no size, in Hugging Face's layout."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=96, hidden_size=64, intermediate_size=128, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16,
    )  # fmt: skip
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(folder)
    (folder / "tokenizer_config.json").write_text("{}")


def _truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.fixture(scope="module")
def session(suite, run):
    folder = suite({"test_bad.py": SUITE}, conftest="")
    _save_model(folder / "truncated")
    quantised = CliRunner().invoke(
        quantize, [str(folder / "truncated"), str(folder / "groups_of_32"), "--woq", "int4", "--group-size", "32"]
    )
    assert quantised.exit_code == 0, quantised.output
    _truncate(folder / "truncated" / "model.safetensors")
    torch.save({"image_encoder.pos_embed": torch.zeros(1, 64, 64, 768)}, folder / "truncated.pth")
    _truncate(folder / "truncated.pth")
    return run(folder, "-v", "-rfEs")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("test_llm_missing", "nowhere/llama: no such checkpoint"),
        ("test_llm_truncated", "truncated/model.safetensors: not a readable checkpoint"),
        ("test_sam_missing", "nowhere/sam.pth: no such checkpoint"),
        ("test_sam_truncated", "truncated.pth: is cut off"),
        (
            "TestQuantised::test_another_group_size",
            "the checkpoint holds int4 with group size 32, the variant asks for int4 with group size 64",
        ),
    ],
)
def test_data_that_cannot_be_used_fails_its_test_says_what_is_wrong_and_is_not_recorded(session, name, words):
    (line,) = [line for line in session.out.splitlines() if f"test_bad.py::{name} - " in line]
    assert line.startswith(("FAILED", "ERROR"))  # an error if the workload is not even loaded
    assert words in line
    assert name.rpartition("::")[2] not in session.results


def test_outputs_that_are_no_numbers_are_wrong_and_can_be_stored(session):
    result = session.results["test_nan"]
    assert isinstance(result.measurement, Measurement)
    assert result.verdict.outcome is Outcome.FIDELITY_FAILED
    assert session.runs[-1].state is RunState.FINISHED


def test_layers_whose_widths_the_kernel_refuses_stay_in_bf16_and_are_listed(session):
    result = session.results["test_odd_widths"]
    assert result.verdict.outcome is Outcome.PASS
    (left,) = result.measurement.evidence.left_in_bf16
    assert left == "1: K=40 is not a multiple of 16"
    session.lines.fnmatch_lines([f"in part odd/forward *: 1 layer left to torch, first {left}"])


def test_the_other_tests_run(session):
    session.lines.fnmatch_lines(["*test_its_own_group_size PASSED*", "*test_fine PASSED*", "*test_ordinary PASSED*"])
    assert session.results["test_its_own_group_size"].verdict.outcome is Outcome.PASS
    assert session.results["test_fine"].verdict.outcome is Outcome.PASS


def test_the_session_is_red_and_nothing_of_it_is_an_internal_error(session):
    assert session.code == ExitCode.RED
    assert "INTERNALERROR" not in session.out
    assert "CRASHED" not in session.out
