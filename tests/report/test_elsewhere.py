"""Other machines in the verdict of the first page."""

import pytest

from pytest_xeonperf.records import Outcome, RunState, Unknown
from pytest_xeonperf.report.page_index import index_page
from pytest_xeonperf.report.render import render
from pytest_xeonperf.report.verdict import Tone

RED = ((Outcome.PASS, 37), (Outcome.BELOW_FLOOR, 2), (Outcome.CRASHED, 1))
GREEN = ((Outcome.PASS, 40),)


def elsewhere(make, day, outcomes=RED, *, kind="a guest", **changes):
    """A run on another class of machine, some days before the run of the page."""
    changes = {"id": f"run-{day}", "started_at": f"2026-05-{day:02d}T10:00:00+00:00", "outcomes": outcomes} | changes
    return make.summary(comparability_class=kind, cpu_model=kind, **changes)


def page(make, *others, outcome=Outcome.PASS, pages=("run-11",), alerts=(), **changes):
    run = make.run(make.result(outcome), **changes)
    own = make.summary(outcomes=((outcome, 1),))
    return index_page(run, [own, *others], [], pages=pages, alerts=alerts)


def test_a_green_run_has_not_passed_where_the_newest_one_on_another_machine_is_red(make):
    made = page(make, elsewhere(make, 11))
    assert (made.banner.badge.word, made.banner.badge.tone) == ("failed on another machine", Tone.BAD)
    assert made.banner.sentence == (
        "The newest run on a guest, amx_bf16, 2026-05-11, has 3 of 40 cases red. "
        "The only case of this run holds what its test promises."
    )
    assert [(count.badge.word, count.number) for count in made.banner.counts] == [("pass", 1)]
    (item,) = made.attention
    assert (item.label, item.href) == ("The newest run on a guest, amx_bf16, 2026-05-11", "run-run-11.html")
    assert (item.badge.word, item.found) == ("failed", "3 of 40 cases red")
    html = render(made)
    assert "<title>✗ pytest-xeonperf</title>" in html
    assert "fill='%23d55e00'" in html
    assert html.count('<a href="run-run-11.html">The newest run on a guest, amx_bf16, 2026-05-11</a>') == 2


def test_an_undecided_run_is_red_by_another_machine_too(make):
    made = page(make, elsewhere(make, 11), outcome=Outcome.INCONCLUSIVE)
    assert made.banner.badge.word == "failed on another machine"
    assert [item.badge.word for item in made.attention] == ["failed", "inconclusive"]


def test_a_red_run_stays_what_it_is_and_names_the_other_machine_at_its_end(make):
    made = page(make, elsewhere(make, 11), outcome=Outcome.CRASHED, alerts=[make.alert()])
    assert made.banner.badge.word == "failed"
    assert [item.badge.word for item in made.attention] == ["crashed", "failed", "10.0 % slower"]
    own, other, alert = (made.banner.sentence.index(text) for text in ("failed;", "newest run on", "more time"))
    assert own < other < alert


@pytest.mark.parametrize(
    "others",
    [
        [{"day": 11, "outcomes": GREEN}, {"day": 10}],
        [{"day": 11, "outcomes": ((Outcome.INCONCLUSIVE, 1),)}, {"day": 10}],
        [{"day": 11, "branch": "topic"}],
        [{"day": 11, "branch": Unknown(reason="no git")}],
        [{"day": 11, "state": RunState.RUNNING}],
        [{"day": 11, "state": RunState.INTERRUPTED}],
        [],
    ],
)
def test_only_the_newest_finished_run_of_a_machine_on_the_same_branch_counts(make, others):
    made = page(make, *(elsewhere(make, **each) for each in others))
    assert made.banner.badge.word == "passed"
    assert made.attention == ()


def test_an_older_run_on_the_machine_of_the_verdict_does_not_count(make):
    older = make.summary(id="older", outcomes=RED)
    assert page(make, older).banner.badge.word == "passed"


def test_a_run_that_is_under_way_does_not_hide_the_finished_one_before_it(make):
    made = page(make, elsewhere(make, 12, GREEN, state=RunState.RUNNING), elsewhere(make, 11))
    assert made.banner.badge.word == "failed on another machine"


def test_of_several_machines_the_newest_is_in_the_sentence_and_all_need_attention(make):
    made = page(make, elsewhere(make, 11), elsewhere(make, 10, kind="a laptop"), elsewhere(make, 9, kind="a third"))
    assert ", has 3 of 40 cases red, and so have those on 2 other machines. " in made.banner.sentence
    assert [item.href for item in made.attention] == ["run-run-11.html", "", ""]
    assert "<div>The newest run on a laptop, amx_bf16, 2026-05-10\n<p>" in render(made)
