"""One session as a user would run it: models of their own, ordinary tests, a report, JUnit, and the history."""

import json
from xml.etree import ElementTree as ET

import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import Measurement, Outcome, RunState

OWN = """
import pytest
from pytest_xeonperf import Inputs, Phase, Workload

pytestmark = pytest.mark.min_fidelity(cosine=0.999)


def make():
    import torch

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = torch.nn.Linear(32, 32)

        def forward(self, *, x, mask=None):
            hidden = self.inner(x)
            return hidden, {"pooled": hidden.mean(-1)}

    return Model()


def keyed():
    import torch
    return Inputs(kwargs={"x": torch.linspace(-1, 1, 64).reshape(2, 32)})


class TestKeywordsAndTuples:
    @pytest.fixture
    def workload(self):
        return Workload(name="keyed", build=make, inputs=keyed)

    @pytest.mark.min_speedup(1000.0)  # the smoke preset does not judge speed
    def test_named(self, xeonperf, sdpa_bf16):
        (result,) = xeonperf.check(sdpa_bf16)
        assert result.case.workload == "keyed"

    @pytest.mark.variant(dtype="bf16", attention="plain")
    def test_described(self, xeonperf, variant):
        xeonperf.check(variant)

    @pytest.mark.max_memory(gib=64)
    def test_weighed(self, xeonperf, eager_bf16):
        xeonperf.check(eager_bf16)


@pytest.mark.parametrize("width", [32, 64])
class TestParameters:
    @pytest.fixture
    def workload(self, width):
        def build():
            from torch import nn
            return nn.Linear(width, 4)

        def inputs():
            import torch
            return Inputs(args=(torch.ones(2, width),))

        return Workload(name=f"wide-{width}", build=build, inputs=inputs)

    def test_width(self, xeonperf, eager_bf16):
        xeonperf.check(eager_bf16)


class TestPhases:
    @pytest.fixture
    def workload(self):
        return Workload(name="phased", phases=(
            Phase(name="first", build=make, inputs=keyed),
            Phase(name="second", build=make, inputs=keyed, item="token", items_per_call=4),
        ))

    @pytest.mark.workload(phase="second")
    def test_second(self, xeonperf, eager_bf16):
        xeonperf.check(eager_bf16)

    @pytest.mark.workload(phase="third")
    def test_unknown(self, xeonperf, eager_bf16):
        xeonperf.check(eager_bf16)


@pytest.mark.min_speedup(1.0, over="eager_fp32")
@pytest.mark.min_speedup(1.0, over="eager_bf16")
def test_two_baselines(xeonperf, sdpa_bf16):
    assert len(xeonperf.check(sdpa_bf16)) == 2


@pytest.mark.uses_kernel("aten::no_such_kernel")
def test_wrong_kernel(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)


@pytest.mark.xfail(reason="known", strict=True)
@pytest.mark.uses_kernel("aten::no_such_kernel")
def test_known_to_be_red(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)


@pytest.mark.skip(reason="not today")
def test_skipped(xeonperf, woq_int8):
    raise AssertionError


@pytest.mark.skipif("2 > 1", reason="not here")
def test_skipped_by_a_condition(xeonperf, woq_int4):
    raise AssertionError


def test_of_the_user_s_own_making(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)
    assert "the body after check" == "runs too"


def test_free_form(xeonperf):
    import torch
    weight = torch.ones(16, 16)
    result = xeonperf.compare(lambda: weight @ weight, lambda: weight.mm(weight), name="operator")
    assert result.case.variant == "operator"


def test_free_form_that_is_wrong(xeonperf):
    import torch
    xeonperf.compare(lambda: torch.tensor([1.0, 0.0]), lambda: torch.tensor([0.0, 1.0]))


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    path = tmp_path_factory.mktemp("once") / "file"
    path.write_text("made once")
    return path


def test_temporary_folder_here_before(once):
    assert once.exists()


def test_temporary_folder_in_the_child(xeonperf, tmp_path, eager_bf16):
    (tmp_path / "file").write_text("in the child")
    xeonperf.check(eager_bf16)


def test_temporary_folder_here_after(once):
    assert once.exists()
"""


WITHOUT_TENSORS = """
def test_free_form_without_tensors(xeonperf):
    xeonperf.compare(lambda: sum(range(10)), lambda: 45)
"""


@pytest.fixture(scope="module")
def session(suite, run):
    folder = suite({"test_own.py": OWN, "test_without_tensors.py": WITHOUT_TENSORS})
    arguments = ("--xeonperf-report=pages", "--junitxml=junit.xml", "-v", f"--basetemp={folder / 'temporary'}")
    return run(folder, *arguments)


@pytest.fixture(scope="module")
def results(session):
    return session.results


@pytest.fixture(scope="module")
def junit(session):
    tree = ET.parse(session.folder / "junit.xml")  # noqa: S314 - written by the session above
    return {case.get("name"): case for case in tree.iter("testcase")}


def _properties(case):
    return {item.get("name"): item.get("value") for item in case.iter("property")}


def test_something_red_is_exit_code_one(session):
    assert session.code == ExitCode.RED
    assert session.runs[-1].state is RunState.FINISHED


@pytest.mark.parametrize(
    "name", ["test_named", "test_described", "test_weighed", "test_width[32]", "test_width[64]", "test_second"]
)
def test_a_model_of_the_user_s_own_passes(results, session, name):
    assert results[name].verdict.outcome is Outcome.PASS, results[name].verdict.reason
    session.lines.fnmatch_lines([f"*{name.replace('[', '[[]')} PASSED*"])


def test_the_workload_of_a_result_is_the_one_the_fixture_made(results):
    assert results["test_named"].case.workload == "keyed"
    assert results["test_width[64]"].case.workload == "wide-64"


def test_a_variant_is_named_by_what_it_is_made_of(results):
    assert results["test_described"].case.variant == "bf16-plain"


def test_a_named_and_a_described_variant_of_one_workload_share_a_ladder(results):
    rounds = [
        [sample.baseline_ns for sample in results[name].measurement.samples]
        for name in ("test_named", "test_described")
    ]
    assert rounds[0] == rounds[1]


def test_the_phase_that_was_asked_for_is_measured(results):
    assert results["test_second"].case.phase == "second"
    assert results["test_second"].measurement.item == "token"


def test_a_phase_the_model_does_not_have_fails_with_those_it_has(session):
    session.lines.fnmatch_lines(["*test_unknown FAILED*", "*unknown phase 'third'*", "*first, second*"])


def test_a_test_over_two_baselines_has_a_result_for_each(session):
    found = [result for result in session.runs[-1].results if result.node_id.endswith("test_two_baselines")]
    assert {result.case.over for result in found} == {"eager_fp32", "eager_bf16"}


def test_memory_is_weighed_where_it_was_promised_and_only_there(results):
    assert isinstance(results["test_weighed"].measurement.evidence.peak_rss_bytes, int)
    assert 50 << 20 < results["test_weighed"].measurement.evidence.peak_rss_bytes < 64 << 30
    assert not isinstance(results["test_named"].measurement.evidence.peak_rss_bytes, int)


def test_a_broken_promise_fails_its_test_with_the_verdict_s_words(session, results):
    assert results["test_wrong_kernel"].verdict.outcome is Outcome.WRONG_KERNEL
    session.lines.fnmatch_lines(["*test_wrong_kernel FAILED*", "WRONG_KERNEL: tiny/forward eager_bf16*no_such_kernel*"])


def test_a_red_test_that_was_expected_to_be_is_xfailed_and_not_undecided(session, results):
    assert results["test_known_to_be_red"].verdict.outcome is Outcome.WRONG_KERNEL
    session.lines.fnmatch_lines(["*test_known_to_be_red XFAIL*"])


def test_a_test_that_fails_after_its_check_still_has_its_measurement(session, results):
    assert isinstance(results["test_of_the_user_s_own_making"].measurement, Measurement)
    session.lines.fnmatch_lines(["*test_of_the_user_s_own_making FAILED*", "*the body after check*"])


def test_two_callables_can_be_compared(results):
    assert results["test_free_form"].verdict.outcome is Outcome.PASS
    assert results["test_free_form"].case.over == "baseline"


def test_callables_that_return_no_tensors_can_be_compared_too(results):
    assert results["test_free_form_without_tensors"].verdict.outcome is Outcome.PASS


def test_callables_that_disagree_are_red(results):
    assert results["test_free_form_that_is_wrong"].verdict.outcome is Outcome.FIDELITY_FAILED


def test_skipped_tests_are_skipped_and_their_variants_never_built(session, results):
    session.lines.fnmatch_lines(["*test_skipped SKIPPED*not today*", "*test_skipped_by_a_condition SKIPPED*not here*"])
    assert not {"test_skipped", "test_skipped_by_a_condition"} & set(results)
    (journal,) = (session.folder / ".xeonperf").rglob("journal.jsonl")
    entered = {line["facts"]["variant"] for line in map(json.loads, journal.read_text().splitlines())
               if line["event"] == "entering"}  # fmt: skip
    assert "eager_bf16" in entered
    assert not {"woq_int8", "woq_int4"} & entered


@pytest.mark.parametrize("name", ["here_before", "in_the_child", "here_after"])
def test_the_child_leaves_the_session_s_temporary_folders_alone(session, name):
    session.lines.fnmatch_lines([f"*test_temporary_folder_{name} PASSED*"])


def test_the_plan_is_printed_before_the_first_test(session):
    plan = session.out.index("cases on")
    assert plan < session.out.index("test_named")
    session.lines.fnmatch_lines(["xeonperf: * cases on * ladders, *", "*[[]smoke[]] over eager_fp32: *"])


def test_the_header_says_on_what_and_where(session):
    session.lines.fnmatch_lines(["xeonperf: *, 1 threads", f"xeonperf history: {session.folder}/xeonperf.db"])


def test_the_table_and_the_places_come_at_the_end(session):
    session.lines.fnmatch_lines(
        ["*= xeonperf =*", "case *variant *verdict*", "keyed/forward *PASS*", "history: *xeonperf.db (run *)",
         f"report: file://{session.folder}/pages/*.html"]
    )  # fmt: skip


def test_the_report_that_was_named_is_there(session):
    named = next(line for line in session.out.splitlines() if line.startswith("report: file://"))
    assert (session.folder / "pages" / named.rpartition("/")[2]).exists() or list(
        (session.folder / "pages").rglob("*.html")
    )


def test_junit_has_verdict_speedup_and_latency_of_every_measured_test(junit, results):
    properties = _properties(junit["test_named"])
    assert properties["xeonperf.verdict"] == "PASS"
    assert float(properties["xeonperf.speedup_ratio"]) == pytest.approx(results["test_named"].measurement.speedup.ratio)
    assert int(properties["xeonperf.median_ns"]) == results["test_named"].measurement.candidate_median_ns


def test_junit_has_every_test_once_and_knows_what_failed(junit):
    assert junit["test_wrong_kernel"].find("failure") is not None
    assert junit["test_named"].find("failure") is None
    assert junit["test_temporary_folder_here_before"] is not None


def test_raw_pairs_are_kept(results):
    assert len(results["test_named"].measurement.samples) == 3


def test_the_run_says_how_to_repeat_it(session):
    run = session.runs[-1]
    assert "--xeonperf-preset=smoke" in run.command
    assert dict(run.options)["preset"] == "smoke"
    assert json.dumps(run.options)
