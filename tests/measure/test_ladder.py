import pytest
import torch
from torch import nn

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.measure.failure import Failure, FailureKind
from pytest_xeonperf.measure.ladder import build_step, measure_ladder
from pytest_xeonperf.records import Measurement, Score, Unknown
from pytest_xeonperf.variants.named import NAMED
from pytest_xeonperf.workloads.protocol import Inputs, Phase


class Choosy(nn.Module):
    """Does in BF16 what it is told to; is a Linear otherwise."""

    def __init__(self, in_bf16):
        super().__init__()
        self.inner = nn.Linear(32, 4)
        self.in_bf16 = in_bf16

    def forward(self, x):
        if x.dtype is torch.bfloat16:
            self.in_bf16()
        return self.inner(x)


def _raise(error):
    def do_raise():
        raise error

    return do_raise


def _cosine(measurement):
    return next(score.value for score in measurement.fidelity if score.name == "cosine")


def test_every_rung_of_a_ladder_is_measured_over_its_baseline(make_ladder, linear, bench):
    found = measure_ladder(make_ladder(linear, "eager_bf16", "sdpa_bf16"), bench)
    assert list(found) == ["eager_bf16", "sdpa_bf16"]
    for name, measurement in found.items():
        assert isinstance(measurement, Measurement)
        assert (measurement.case.variant, measurement.case.over) == (name, "eager_fp32")
        assert len(measurement.samples) == 3
        assert measurement.baseline_median_ns > 0
        assert measurement.seed == bench.seed


def test_rungs_of_one_ladder_share_the_baseline_of_each_round(make_ladder, linear, bench):
    found = measure_ladder(make_ladder(linear, "eager_bf16", "sdpa_bf16"), bench)
    shared = [[sample.baseline_ns for sample in found[name].samples] for name in found]
    assert shared[0] == shared[1]


def test_a_model_that_seeds_nothing_is_the_same_in_every_variant(make_ladder, linear, bench):
    # without the seed the two sets of weights would be strangers, and so would the outputs
    found = measure_ladder(make_ladder(linear, "eager_bf16"), bench)
    assert _cosine(found["eager_bf16"]) > 0.999


def test_inputs_that_are_drawn_anew_are_the_same_in_every_variant(make_ladder, linear, bench):
    ladder = make_ladder(linear, "eager_bf16", inputs=lambda: Inputs(args=(torch.randn(2, 32),)))
    assert _cosine(measure_ladder(ladder, bench)["eager_bf16"]) > 0.999


def test_building_leaves_the_user_s_random_numbers_alone(make_ladder, linear):
    torch.manual_seed(7)
    untouched = torch.randn(3)
    torch.manual_seed(7)
    build_step(make_ladder(linear), NAMED["eager_bf16"])
    assert torch.equal(torch.randn(3), untouched)


def test_a_rung_that_raises_does_not_take_the_others_along(make_ladder, bench):
    built = iter([None, _raise(ValueError("broken")), lambda: None])  # baseline, first rung, second rung
    found = measure_ladder(make_ladder(lambda: Choosy(next(built)), "eager_bf16", "sdpa_bf16"), bench)
    assert found["eager_bf16"] == Failure(kind=FailureKind.RAISED, reason="ValueError: broken")
    assert isinstance(found["sdpa_bf16"], Measurement)


def test_a_rung_that_raises_only_when_it_is_timed_does_not_take_the_others_along(make_ladder, bench, witness):
    def worn_out_when_timed():
        if any(stage == "timing" for _, stage in witness.entered):
            raise RuntimeError("worn out")

    built = iter([None, worn_out_when_timed, lambda: None])
    found = measure_ladder(make_ladder(lambda: Choosy(next(built)), "eager_bf16", "sdpa_bf16"), bench)
    assert found["eager_bf16"] == Failure(kind=FailureKind.RAISED, reason="RuntimeError: worn out")
    assert isinstance(found["sdpa_bf16"], Measurement)
    assert len(found["sdpa_bf16"].samples) == 3


def test_a_baseline_that_raises_only_when_it_is_timed_leaves_every_rung_without_one(make_ladder, bench, witness):
    class WornOut(nn.Linear):
        def forward(self, x):
            if x.dtype is torch.float32 and any(stage == "timing" for _, stage in witness.entered):
                raise RuntimeError("worn out")
            return super().forward(x)

    found = measure_ladder(make_ladder(lambda: WornOut(32, 4), "eager_bf16", "sdpa_bf16"), bench)
    assert {failure.kind for failure in found.values()} == {FailureKind.NO_BASELINE}


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")]
)
def test_running_out_of_memory_is_told_from_other_errors(make_ladder, bench, error):
    found = measure_ladder(make_ladder(lambda: Choosy(_raise(error))), bench)
    assert found["eager_bf16"].kind is FailureKind.OUT_OF_MEMORY
    assert type(error).__name__ in found["eager_bf16"].reason


def test_an_allocation_that_no_machine_can_serve_is_out_of_memory(make_ladder, bench):
    found = measure_ladder(make_ladder(lambda: Choosy(lambda: torch.empty(1 << 60))), bench)
    assert found["eager_bf16"].kind is FailureKind.OUT_OF_MEMORY


def test_what_cannot_run_here_is_not_applicable(make_ladder, bench):
    found = measure_ladder(make_ladder(lambda: Choosy(_raise(NotApplicableError("needs AMX")))), bench)
    assert found["eager_bf16"] == Failure(kind=FailureKind.NOT_APPLICABLE, reason="needs AMX")


def test_a_baseline_that_raises_leaves_every_rung_without_one(make_ladder, bench):
    def build():
        raise OSError("the disk is gone")

    found = measure_ladder(make_ladder(build, "eager_bf16", "sdpa_bf16"), bench)
    assert {failure.kind for failure in found.values()} == {FailureKind.NO_BASELINE}
    assert all(failure.reason == "baseline eager_fp32: OSError: the disk is gone" for failure in found.values())


def test_a_keyboard_interrupt_is_nobody_s_verdict(make_ladder, bench):
    with pytest.raises(KeyboardInterrupt):
        measure_ladder(make_ladder(lambda: Choosy(_raise(KeyboardInterrupt()))), bench)


def test_over_another_baseline_the_reference_is_still_fp32(make_ladder, linear, bench):
    ladder = make_ladder(linear, "sdpa_bf16", baseline="eager_bf16")
    measurement = measure_ladder(ladder, bench)["sdpa_bf16"]
    assert measurement.case.over == "eager_bf16"
    assert 0.99 < _cosine(measurement) < 1.0  # against eager BF16 it would be 1
    assert ("eager_fp32", "running the reference") in bench.watcher.entered
    assert ("eager_fp32", "timing") not in bench.watcher.entered


def test_a_reference_that_raises_is_the_reason_of_every_rung(make_ladder, bench):
    class OnlyBf16(nn.Linear):
        def forward(self, x):
            if x.dtype is torch.float32:
                raise RuntimeError("never in FP32")
            return super().forward(x)

    ladder = make_ladder(lambda: OnlyBf16(32, 4), "sdpa_bf16", baseline="eager_bf16")
    failure = measure_ladder(ladder, bench)["sdpa_bf16"]
    assert "FP32 reference" in failure.reason
    assert "never in FP32" in failure.reason


def test_the_reference_is_computed_once_for_ladders_of_one_phase(make_ladder, linear, bench):
    built = []

    def build():
        built.append(1)
        return linear()

    measure_ladder(make_ladder(build, "sdpa_bf16", baseline="eager_bf16"), bench)
    once = len(built)
    measure_ladder(make_ladder(build, "sdpa_bf16", baseline="eager_bf16"), bench)
    assert (once, len(built)) == (3, 5)


def test_the_scores_of_a_family_stand_beside_those_that_every_output_gets(make_ladder, linear, bench):
    phase = Phase(
        name="forward",
        build=linear,
        inputs=lambda: Inputs(args=(torch.ones(2, 32),)),
        scores=lambda _reference, _output: (Score(name="top1", value=0.75),),
    )
    found = measure_ladder(make_ladder(linear, "eager_bf16", phases=(phase,)), bench)
    assert [score.name for score in found["eager_bf16"].fidelity] == ["cosine", "psnr_db", "top1"]


def test_scores_that_raise_are_the_rung_s_failure(make_ladder, linear, bench):
    def scores(_reference, _output):
        raise KeyError("masks")

    phase = Phase(name="forward", build=linear, inputs=lambda: Inputs(args=(torch.ones(2, 32),)), scores=scores)
    found = measure_ladder(make_ladder(linear, "eager_bf16", phases=(phase,)), bench)
    assert found["eager_bf16"].kind is FailureKind.RAISED


def test_medians_are_for_one_item_and_samples_for_the_call(make_ladder, linear, bench):
    phase = Phase(name="forward", build=linear, inputs=lambda: Inputs(args=(torch.ones(2, 32),)), items_per_call=4)
    found = measure_ladder(make_ladder(linear, "eager_bf16", phases=(phase,)), bench)["eager_bf16"]
    call_ns = sorted(sample.candidate_ns for sample in found.samples)[1]
    assert found.candidate_median_ns == call_ns // 4


def test_keyword_inputs_and_tuple_outputs_are_fine(make_ladder, bench):
    class Keyed(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(32, 4)

        def forward(self, *, x, scale):
            return self.inner(x) * scale, {"extra": x.sum(-1)}

    ladder = make_ladder(
        Keyed, "eager_bf16", inputs=lambda: Inputs(kwargs={"x": torch.linspace(-1, 1, 64).reshape(2, 32), "scale": 2})
    )
    assert _cosine(measure_ladder(ladder, bench)["eager_bf16"]) > 0.999


def test_evidence_says_what_the_variant_weighs_and_which_kernels_ran(make_ladder, linear, bench):
    evidence = measure_ladder(make_ladder(linear, "eager_bf16"), bench)["eager_bf16"].evidence
    assert evidence.weight_bytes == 2 * (32 * 32 + 32 + 32 * 8 + 8)
    assert any("addmm" in kernel or "linear" in kernel for kernel in evidence.kernels)
    assert (evidence.graph_breaks, evidence.recompiles) == (0, 0)
    assert isinstance(evidence.peak_rss_bytes, Unknown)


def test_the_watcher_knows_who_is_running(make_ladder, linear, bench, witness):
    measure_ladder(make_ladder(linear, "eager_bf16"), bench)
    stages = list(dict.fromkeys(witness.entered))
    assert stages[:4] == [
        ("eager_fp32", "building"), ("eager_fp32", "warming up"),
        ("eager_bf16", "building"), ("eager_bf16", "warming up"),
    ]  # fmt: skip
    assert set(stages[4:-1]) == {("eager_fp32", "timing"), ("eager_bf16", "timing")}
    assert stages[-1] == ("eager_bf16", "comparing")
    assert witness.rounds == [0, 1, 2]


def test_nothing_records_gradients(make_ladder, bench):
    seen = []

    class Asks(nn.Linear):
        def forward(self, x):
            seen.append(torch.is_grad_enabled())
            return super().forward(x)

    measure_ladder(make_ladder(lambda: Asks(32, 4)), bench)
    assert not any(seen)
    assert torch.is_grad_enabled()


def test_a_compiled_rung_is_as_good_as_an_eager_one_and_compiles_nothing_while_it_is_timed(
    make_ladder, linear, bench, compiler
):
    found = measure_ladder(make_ladder(linear, "sdpa_bf16", "compiled_bf16"), bench)
    compiled = found["compiled_bf16"]
    assert _cosine(compiled) > 0.999
    assert (compiled.evidence.graph_breaks, compiled.evidence.recompiles) == (0, 0)
    assert compiled.evidence.compile_ns > found["sdpa_bf16"].evidence.compile_ns
    assert ("compiled_bf16", "compiling") in bench.watcher.entered


def test_only_the_rung_that_recompiles_while_it_is_timed_is_blamed(make_ladder, bench, witness, compiler):
    class Restless(nn.Module):
        """Gets another width once it is timed."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.linspace(-1, 1, 32 * 32).reshape(32, 32))

        def forward(self, x):
            return x @ self.weight

    def bind(module, inputs, compile_it):
        call, wide = compile_it(module), torch.ones(5, 32)

        def step():
            (x,) = inputs.args
            being_timed = ("compiled_bf16", "timing") in witness.entered
            return call(wide.to(x.dtype))[:2] if being_timed else call(x)

        return step

    phase = Phase(name="forward", build=Restless, inputs=lambda: Inputs(args=(torch.ones(2, 32),)), bind=bind)
    found = measure_ladder(make_ladder(Restless, "sdpa_bf16", "compiled_bf16", phases=(phase,)), bench)
    assert found["compiled_bf16"].evidence.recompiles == 1
    assert found["sdpa_bf16"].evidence.recompiles == 0
