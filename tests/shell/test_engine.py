from dataclasses import replace

import pytest
import torch
from torch import nn

from pytest_xeonperf.errors import DataError, NotApplicableError, UsageError
from pytest_xeonperf.judge.expectations import Promises, Threshold
from pytest_xeonperf.measure.canary import Canary
from pytest_xeonperf.records import Case, Limits, Measurement, Metric, Outcome, Score, Unknown
from pytest_xeonperf.shell import engine as engine_module
from pytest_xeonperf.shell.engine import Engine
from pytest_xeonperf.shell.fixtures import Compared
from pytest_xeonperf.shell.protocol import FreshLook, WantsFreshLook, WantsWeights, Weigh
from pytest_xeonperf.shell.rungs import Own
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Footprint, Inputs, Phase, Workload


class Calm(Canary):
    """Says that nobody disturbs the machine."""

    def healthy(self):
        return True


class Listener:
    """Remembers what it heard; weighs everything at one MiB."""

    def __init__(self):
        self.entered, self.rounds, self.weighed, self.raised, self.looked = [], [], [], [], []
        self.fresh_look = FreshLook(results=(), problem="there is no other process")

    def named(self, ladder, workload, phase):
        pass

    def entering(self, ladder, variant, stage):
        self.entered.append((ladder, variant, stage))

    def round_done(self, ladder, index, pairs):
        self.rounds.append((ladder, index))

    def limits_raised(self, limits):
        self.raised.append(limits)

    def timing_begins(self, ladder, budget_ns, min_rounds):
        pass

    def round_voided(self, ladder, index):
        pass

    def look_afresh(self, wanted):
        self.looked.append(wanted)
        return self.fresh_look

    def weigh(self, wanted):
        self.weighed.append(wanted)
        return {each.variant: 1 << 20 for each in wanted.wanted}


@pytest.fixture
def make_engine(settings, machine):
    """Makes an engine for these rungs on a machine that nobody disturbs."""

    def make(*rungs, **changes):
        fields = {"settings": settings, "machine": machine, "barred": (), "listener": Listener(), **changes}
        return Engine(rungs=rungs, canaries=[Calm(sing=lambda: None)], **fields)

    return make


def _workload(width=4, name="tiny", built=None):
    def build():
        if built is not None:
            built.append(width)
        return nn.Linear(32, width)

    return Workload(name=name, build=build, inputs=lambda: Inputs(args=(torch.linspace(-1, 1, 64).reshape(2, 32),)))


def test_a_ladder_is_measured_at_its_first_check_for_all_its_rungs(make_engine, make_rung):
    rungs = (make_rung("eager_bf16"), make_rung("sdpa_bf16"))
    engine, built = make_engine(*rungs), []
    first = engine.result(rungs[0], _workload(built=built))
    assert len(built) == 3
    second = engine.result(rungs[1], _workload(built=built))
    assert len(built) == 3
    assert [sample.baseline_ns for sample in first.measurement.samples] == [
        sample.baseline_ns for sample in second.measurement.samples
    ]


def test_a_result_is_about_its_test_and_case(make_engine, make_rung):
    rung = make_rung("eager_bf16")
    result = make_engine(rung).result(rung, _workload())
    assert (result.node_id, result.location) == (rung.node_id, rung.location)
    assert (result.case.workload, result.case.phase, result.case.variant) == ("tiny", "forward", "eager_bf16")
    assert result.verdict.outcome is Outcome.PASS


def test_models_of_one_name_and_different_inputs_or_weights_have_references_of_their_own(make_engine, make_rung):
    # as two marks of one shipped model with another batch or checkpoint
    first = make_rung("sdpa_bf16", over="eager_bf16")
    second = replace(first, ladder=replace(first.ladder, source=Own(defined_in="test_it.py", parameters="[wide]")))
    engine = make_engine(first, second)
    assert engine.result(first, _workload(4)).verdict.outcome is Outcome.PASS
    assert engine.result(second, _workload(8)).verdict.outcome is Outcome.PASS


def test_a_fixture_that_gives_one_ladder_two_models_is_told_so(make_engine, make_rung):
    first, second = make_rung("eager_bf16"), make_rung("sdpa_bf16")
    engine = make_engine(first, second)
    engine.result(first, _workload(name="small"))
    with pytest.raises(UsageError, match=r"gives 'large' to this test and 'small' to another of its ladder"):
        engine.result(second, _workload(name="large"))


def test_the_smoke_preset_weighs_only_what_was_promised(make_engine, make_rung):
    light, heavy = make_rung("eager_bf16"), make_rung("sdpa_bf16", promises=Promises(max_memory_bytes=1 << 30))
    engine = make_engine(light, heavy)
    unweighed = engine.result(light, _workload())
    weighed = engine.result(heavy, _workload())
    wanted = Weigh(node_id=heavy.node_id, variant="sdpa_bf16")
    assert engine.listener.weighed == [WantsWeights(wanted=(wanted,), at_once=1)]
    assert isinstance(unweighed.measurement.evidence.peak_rss_bytes, Unknown)
    assert weighed.measurement.evidence.peak_rss_bytes == 1 << 20


def test_a_variant_on_two_ladders_is_weighed_once(make_engine, make_rung):
    heavy = Promises(max_memory_bytes=1 << 30)
    rungs = [make_rung("sdpa_bf16", over=over, promises=heavy) for over in ("eager_fp32", "eager_bf16")]
    engine = make_engine(*rungs)
    found = [engine.result(rung, _workload()).measurement.evidence.peak_rss_bytes for rung in rungs]
    assert found == [1 << 20, 1 << 20]
    assert len(engine.listener.weighed) == 1


def test_what_a_model_raises_is_the_verdict_of_its_variant(make_engine, make_rung):
    class Picky(nn.Linear):
        def forward(self, x):
            if x.dtype is torch.bfloat16:
                raise ValueError("not in BF16")
            return super().forward(x)

    rung = make_rung("eager_bf16")
    workload = Workload(name="picky", build=lambda: Picky(4, 4), inputs=lambda: Inputs(args=(torch.ones(1, 4),)))
    result = make_engine(rung).result(rung, workload)
    assert (result.verdict.outcome, result.verdict.reason) == (Outcome.CRASHED, "ValueError: not in BF16")
    assert result.measurement == Unknown(reason="ValueError: not in BF16")


def test_a_baseline_that_raises_is_no_baseline(make_engine, make_rung):
    rung = make_rung("eager_bf16")
    result = make_engine(rung).result(rung, Workload(name="broken", build=lambda: 1 / 0))
    assert result.verdict.outcome is Outcome.NO_BASELINE


def test_what_cannot_run_here_is_raised_for_the_test_to_skip(make_engine, make_rung):
    def build():
        raise NotApplicableError("needs more memory")

    rung = make_rung("eager_bf16")
    with pytest.raises(NotApplicableError, match="needs more memory"):
        make_engine(rung).result(rung, Workload(name="huge", build=build))


@pytest.mark.parametrize("over", ["eager_fp32", "eager_bf16"])
def test_bad_data_of_the_user_s_is_raised_as_what_it_is(make_engine, make_rung, over):
    def build():
        raise DataError("truncated", where="weights.safetensors", remedy="fetch it again")

    rung = make_rung("sdpa_bf16", over=over)
    with pytest.raises(DataError, match=r"weights\.safetensors: truncated"):
        make_engine(rung).result(rung, Workload(name="broken", build=build))


def test_what_this_machine_is_too_small_for_is_a_result_and_undecided(make_engine, make_rung):
    rung = make_rung("sdpa_bf16", preset=Preset.QUICK, promises=Promises(floors=(Threshold(ratio=2.0),)))
    huge = Footprint(parameters=1 << 50, activation_bytes=0, flop=1)
    phase = Phase(name="forward", build=lambda: pytest.fail("built"), inputs=Inputs, footprint=huge)
    result = make_engine(rung).result(rung, Workload(name="huge", phases=(phase,)))
    assert (result.verdict.outcome, result.verdict.floor_ratio) == (Outcome.OTHER_MACHINE, 2.0)
    assert "GiB are available" in result.verdict.reason


@pytest.mark.parametrize("first", ["eager_fp32", "eager_bf16"])
def test_where_fp32_does_not_fit_a_pair_over_bf16_is_told_once_and_what_fp32_needs_too(
    make_engine, make_rung, monkeypatch, first
):
    """A test with a floor over each keeps both results, whichever is asked for first: one cannot be the other's."""
    rungs = {
        over: make_rung("sdpa_bf16", over=over, preset=Preset.QUICK)
        for over in dict.fromkeys([first, "eager_fp32", "eager_bf16"])
    }
    monkeypatch.setattr(engine_module, "available_bytes", lambda: 20 << 30)
    wide = Footprint(parameters=2 << 30, activation_bytes=12 << 30, flop=1)  # 21.5 GiB in FP32
    phase = Phase(
        name="forward", build=lambda: nn.Linear(4, 4), inputs=lambda: Inputs(args=(torch.ones(1, 4),)), footprint=wide
    )
    engine = make_engine(*rungs.values())
    found = {over: engine.result(rung, Workload(name="large", phases=(phase,))) for over, rung in rungs.items()}
    over_fp32, over_bf16 = found["eager_fp32"], found["eager_bf16"]
    assert (over_fp32.case.over, over_fp32.verdict.outcome) == ("eager_fp32", Outcome.OTHER_MACHINE)
    assert "eager_fp32: needs 21.5 GiB, 20.0 GiB are available" in over_fp32.verdict.reason
    assert (over_bf16.case.over, over_bf16.verdict.outcome) == ("eager_bf16", Outcome.PASS)


def test_outputs_that_are_not_finite_are_wrong_and_can_be_stored(make_engine, make_rung):
    class Overflows(nn.Linear):
        def forward(self, x):
            return super().forward(x) * (float("nan") if x.dtype is torch.bfloat16 else 1)

    def scores(_reference, output):
        return (Score(name="kl", value=float(output.float().sum())),)

    phase = Phase(
        name="forward", build=lambda: Overflows(4, 4), inputs=lambda: Inputs(args=(torch.ones(1, 4),)), scores=scores
    )
    rung = make_rung("eager_bf16", promises=Promises(fidelity=(("kl", 0.1),)))
    result = make_engine(rung).result(rung, Workload(name="nan", phases=(phase,)))
    assert result.verdict.outcome is Outcome.FIDELITY_FAILED
    assert "kl" not in {score.name for score in result.measurement.fidelity}


def test_ladders_of_one_model_share_their_rounds_and_their_models(make_engine, make_rung):
    over_fp32, over_bf16 = make_rung("sdpa_bf16"), make_rung("sdpa_bf16", over="eager_bf16")
    engine, built = make_engine(over_fp32, over_bf16), []
    first = engine.result(over_fp32, _workload(built=built)).measurement
    second = engine.result(over_bf16, _workload(built=built)).measurement
    assert (first.case.over, second.case.over) == ("eager_fp32", "eager_bf16")
    assert len(built) == 3
    assert [pair.candidate_ns for pair in first.samples] == [pair.candidate_ns for pair in second.samples]
    assert [pair.baseline_ns for pair in first.samples] != [pair.baseline_ns for pair in second.samples]


def _picky(refusals):
    """A model that refuses to run in FP32 so many times."""
    left = [refusals]

    class Picky(nn.Linear):
        def forward(self, x):
            if x.dtype is torch.float32 and left[0] > 0:
                left[0] -= 1
                raise ValueError("not in FP32")
            return super().forward(x)

    return Workload(name="picky", build=lambda: Picky(4, 4), inputs=lambda: Inputs(args=(torch.ones(1, 4),)))


@pytest.mark.parametrize("order", [("eager_fp32", "eager_bf16"), ("eager_bf16", "eager_fp32")])
@pytest.mark.parametrize(("refusals", "over_bf16"), [(1, Outcome.PASS), (1 << 30, Outcome.NO_BASELINE)])
def test_a_ladder_whose_neighbour_has_no_baseline_is_measured_alone(make_engine, make_rung, order, refusals, over_bf16):
    rungs = [make_rung("sdpa_bf16", over=over) for over in order]
    engine, workload = make_engine(*rungs), _picky(refusals)
    found = {rung.ladder.over: engine.result(rung, workload).verdict.outcome for rung in rungs}
    assert found == {"eager_fp32": Outcome.NO_BASELINE, "eager_bf16": over_bf16}
    assert set(engine.measured) == {rung.ladder for rung in rungs}


def test_the_listener_hears_of_the_model_by_its_name(make_engine, make_rung):
    rung = make_rung("eager_bf16")
    engine = make_engine(rung)
    engine.result(rung, _workload())
    assert {ladder for ladder, _, _ in engine.listener.entered} == {rung.ladder.model}
    assert engine.listener.rounds == [(rung.ladder.model, index) for index in range(3)]


@pytest.fixture
def compared(make_engine, settings):
    """Compares two callables and judges them by these promises."""

    def run(candidate, baseline, **promises):
        test = Compared(node_id="test_it.py::test_it", location="test_it.py:1", promises=Promises(**promises))
        case = Case(
            workload=test.node_id,
            phase="call",
            preset="smoke",
            variant="candidate",
            metric=Metric.LATENCY,
            over="baseline",
        )
        return make_engine().compare(test, case, candidate, baseline)

    return run


def test_two_callables_are_measured_in_pairs(compared):
    result = compared(lambda: torch.ones(2), lambda: torch.ones(2))
    assert isinstance(result.measurement, Measurement)
    assert (result.verdict.outcome, len(result.measurement.samples)) == (Outcome.PASS, 3)


def test_callables_that_disagree_are_wrong_however_fast(compared):
    assert compared(lambda: -torch.ones(2), lambda: torch.ones(2)).verdict.outcome is Outcome.FIDELITY_FAILED


@pytest.mark.parametrize(
    ("candidate", "outcome"),
    [(lambda: "same", Outcome.PASS), (lambda: "another", Outcome.FIDELITY_FAILED)],
    ids=["equal", "not"],
)
def test_callables_that_return_no_tensors_have_to_return_the_same(compared, candidate, outcome):
    assert compared(candidate, lambda: "same").verdict.outcome is outcome


def test_what_a_compared_callable_raises_is_the_test_s_own(compared):
    with pytest.raises(ZeroDivisionError):
        compared(lambda: 1 / 0, lambda: None)


def test_limits_that_a_result_exceeds_are_measured_again_before_it_is_called_too_fast(
    make_engine, make_rung, machine, monkeypatch
):
    busy = Limits(read_bytes_per_s=1.0, fp32_flop_per_s=1.0, bf16_flop_per_s=1.0, int8_op_per_s=1.0)
    calm = Limits(read_bytes_per_s=1e15, fp32_flop_per_s=1e15, bf16_flop_per_s=1e15, int8_op_per_s=1e15)
    monkeypatch.setattr("pytest_xeonperf.shell.engine.measure_limits", lambda: calm)
    rung = make_rung("eager_bf16")
    engine = make_engine(rung, machine=replace(machine, limits=busy))
    result = engine.result(rung, _workload())
    assert result.measurement.roofline.fraction < 1
    assert engine.listener.raised == [calm]
    assert engine.machine.limits == calm


def test_limits_that_nothing_exceeds_are_left_alone(make_engine, make_rung, machine, monkeypatch):
    calm = Limits(read_bytes_per_s=1e15, fp32_flop_per_s=1e15, bf16_flop_per_s=1e15, int8_op_per_s=1e15)
    monkeypatch.setattr("pytest_xeonperf.shell.engine.measure_limits", lambda: pytest.fail("measured again"))
    rung = make_rung("eager_bf16")
    engine = make_engine(rung, machine=replace(machine, limits=calm))
    assert engine.result(rung, _workload()).verdict.outcome is Outcome.PASS
    assert engine.listener.raised == []


@pytest.fixture
def hopeless(make_rung):
    """A rung with a floor that nothing reaches."""
    promises = Promises(floors=(Threshold(ratio=1000.0),))
    return make_rung("eager_bf16", preset=Preset.QUICK, promises=promises)


def test_a_red_for_its_times_is_looked_at_again_in_a_fresh_process(make_engine, hopeless):
    engine = make_engine(hopeless)
    second = make_engine(hopeless, looks_afresh=True).result(hopeless, _workload())
    engine.listener.fresh_look = FreshLook(results=(second,))
    result = engine.result(hopeless, _workload())
    assert engine.listener.looked == [WantsFreshLook(node_ids=(hopeless.node_id,), why="red for its times")]
    assert result.verdict.outcome is Outcome.BELOW_FLOOR
    assert result.verdict.reason.endswith(second.verdict.reason)


def test_what_no_other_process_confirms_is_undecided(make_engine, hopeless):
    engine = make_engine(hopeless)
    result = engine.result(hopeless, _workload())
    assert result.verdict.outcome is Outcome.INCONCLUSIVE
    assert "there is no other process" in result.verdict.reason
    engine.listener.fresh_look = FreshLook(results=())
    assert "did not get as far as its check" in engine.result(hopeless, _workload()).verdict.reason


def test_whoever_looks_afresh_asks_nobody_and_weighs_nothing(make_engine, hopeless, settings):
    engine = make_engine(hopeless, looks_afresh=True, settings=replace(settings, processes=3))
    assert engine.result(hopeless, _workload()).verdict.outcome is Outcome.BELOW_FLOOR
    assert engine.listener.looked == engine.listener.weighed == []


def test_the_pairs_of_several_processes_are_put_together_under_their_numbers(make_engine, make_rung, settings):
    rung = make_rung("eager_bf16", preset=Preset.QUICK)
    engine = make_engine(rung, settings=replace(settings, processes=3))
    other = make_engine(rung, looks_afresh=True).result(rung, _workload())
    engine.listener.fresh_look = FreshLook(results=(other,))
    result = engine.result(rung, _workload())
    assert [wanted.why for wanted in engine.listener.looked] == ["process 2 of 3", "process 3 of 3"]
    assert {sample.process for sample in result.measurement.samples} == {0, 1, 2}
    theirs = [sample.baseline_ns for sample in result.measurement.samples if sample.process == 2]
    assert theirs == [sample.baseline_ns for sample in other.measurement.samples]
    assert result.verdict.outcome is Outcome.PASS


def test_a_process_that_is_missing_leaves_the_case_undecided(make_engine, make_rung, settings):
    rung = make_rung("eager_bf16", preset=Preset.QUICK)
    result = make_engine(rung, settings=replace(settings, processes=2)).result(rung, _workload())
    assert result.verdict.outcome is Outcome.INCONCLUSIVE
    assert result.verdict.reason == "process 2 of 2 has no pairs: there is no other process"
    assert {sample.process for sample in result.measurement.samples} == {0}


def test_what_is_wrong_in_another_process_is_wrong(make_engine, make_rung, settings):
    rung = make_rung("eager_bf16", preset=Preset.QUICK)
    engine = make_engine(rung, settings=replace(settings, processes=2))
    other = make_engine(rung, looks_afresh=True).result(rung, _workload())
    failed = replace(other.verdict, outcome=Outcome.FIDELITY_FAILED, reason="min_fidelity(cosine): 0.1, required 0.99")
    engine.listener.fresh_look = FreshLook(results=(replace(other, verdict=failed),))
    verdict = engine.result(rung, _workload()).verdict
    assert verdict.outcome is Outcome.FIDELITY_FAILED
    assert verdict.reason == f"process 2 of 2: {failed.reason}"


def test_smoke_shapes_are_measured_by_one_process(make_engine, make_rung, settings):
    rung = make_rung("eager_bf16")
    engine = make_engine(rung, settings=replace(settings, processes=3))
    assert engine.result(rung, _workload()).verdict.outcome is Outcome.PASS
    assert engine.listener.looked == []
