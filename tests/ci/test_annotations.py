"""Workflow commands: at the test's line, worst first, nothing in them that could start another command."""

from pathlib import PurePosixPath

from pytest_xeonperf.ci.annotations import workflow_commands
from pytest_xeonperf.records import Outcome

SUITES = PurePosixPath("perf/suites")


def test_a_red_case_is_an_error_at_its_test(comparison, compared):
    (line,) = workflow_commands(comparison(compared(), compared(Outcome.REGRESSION)), SUITES)
    assert line == (
        "::error file=perf/suites/test_sam.py,line=12,title=REGRESSION%3A sam-vit-b/encode compiled_bf16"
        "::takes +5.0 %25 time"
    )


def test_an_undecided_case_is_a_warning_after_the_errors(comparison, compared):
    lines = workflow_commands(comparison(compared(Outcome.INCONCLUSIVE), compared(Outcome.CRASHED)), SUITES)
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::warning"]


def test_a_baseline_without_a_test_has_no_line(comparison, compared):
    (line,) = workflow_commands(comparison(compared(Outcome.REGRESSION, location="")), SUITES)
    assert line.startswith("::error title=")


def test_no_reason_starts_another_command(comparison, compared):
    reason = "it raised\n::add-mask::x\r\n100 %"
    (line,) = workflow_commands(comparison(compared(Outcome.CRASHED, reason=reason)), SUITES)
    assert "\n" not in line
    assert line.endswith("it raised%0A::add-mask::x%0D%0A100 %25")


def test_no_more_than_github_shows(comparison, compared):
    lines = workflow_commands(comparison(*[compared(Outcome.REGRESSION)] * 30), SUITES)
    assert len(lines) == 10
