import pytest

from pytest_xeonperf.records import Isa, Outcome, Unknown
from pytest_xeonperf.shell.deaths import Death, Next, conclude, dead_report
from pytest_xeonperf.shell.protocol import Barred, Entering, Purpose, Start
from pytest_xeonperf.shell.reporting import results_on
from pytest_xeonperf.shell.state import RUNGS
from pytest_xeonperf.shell.supervisor import Supervisor


@pytest.fixture
def supervisor(settings, machine, tmp_path):
    """A supervisor that has not started anything."""
    start = Start(
        purpose=Purpose.MEASURE, arguments=(), directory=str(tmp_path), settings=settings, selected=(), cases=0,
        barred=(), machine=machine,
    )  # fmt: skip
    return Supervisor(start=start, log=tmp_path / "child.log")


@pytest.fixture
def item(pytester, make_rung):
    item = pytester.getitem("def test_func(): ...")
    item.stash[RUNGS] = (make_rung("eager_bf16"),)
    return item


@pytest.fixture
def make_death(make_rung):
    """Makes the death of a child that was busy with a variant of the rung's ladder."""

    def make(variant, stage="compiling"):
        running = Entering(model=make_rung().ladder.model, variant=variant, stage=stage)
        return Death(how="died of SIGKILL (likely somebody's kill)", running=running, progressed=True)

    return make


def test_the_test_whose_own_variant_killed_the_child_is_dead(make_death, item, supervisor):
    conclusion = conclude(make_death("eager_bf16"), item, supervisor)
    assert conclusion.next is Next.REPORT_DEAD
    assert conclusion.reason.startswith("eager_bf16 killed the measuring child while compiling: it died of SIGKILL")


@pytest.mark.parametrize("culprit", ["sdpa_bf16", "eager_fp32"], ids=["another rung", "the baseline"])
def test_a_test_whose_child_was_killed_by_another_variant_runs_again(make_death, item, supervisor, culprit):
    assert conclude(make_death(culprit), item, supervisor).next is Next.RUN_AGAIN


def test_the_culprit_is_barred_from_its_ladder(make_death, item, supervisor, make_rung):
    conclude(make_death("sdpa_bf16"), item, supervisor)
    (barred,) = supervisor.start.barred
    assert isinstance(barred, Barred)
    assert (barred.model, barred.variant) == (make_rung().ladder.model, "sdpa_bf16")
    assert "SIGKILL" in barred.reason


def test_a_variant_that_kills_although_it_is_barred_does_not_get_a_third_chance(make_death, item, supervisor):
    assert conclude(make_death("eager_fp32"), item, supervisor).next is Next.RUN_AGAIN
    assert conclude(make_death("eager_fp32"), item, supervisor).next is Next.REPORT_DEAD


def test_a_death_while_nothing_was_measured_is_the_test_s_own(item, supervisor):
    death = Death(how="left with exit code 3", running=Unknown(reason="no variant was running"), progressed=True)
    conclusion = conclude(death, item, supervisor)
    assert (conclusion.next, conclusion.reason) == (Next.REPORT_DEAD, "the measuring child left with exit code 3")
    assert supervisor.start.barred == ()


def test_the_report_of_a_dead_test_is_a_failure_that_carries_its_verdict(item):
    report = dead_report(item, "it died of SIGKILL", {}, Isa.GENERIC)
    assert report.failed
    assert "CRASHED: it died of SIGKILL" in str(report.longrepr)
    (result,) = results_on(report)
    assert result.verdict.outcome is Outcome.CRASHED
    assert result.case.variant == "eager_bf16"
