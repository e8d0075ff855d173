import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from jinja2 import FileSystemBytecodeCache, UndefinedError

from pytest_xeonperf.alerts import AlertEvent, EventKind
from pytest_xeonperf.judge.runs import Past, compare_runs
from pytest_xeonperf.records import Outcome, Score, Unknown
from pytest_xeonperf.report.figures import Shown
from pytest_xeonperf.report.grid import CaseHistory
from pytest_xeonperf.report.page_alert import alert_page, triage_form
from pytest_xeonperf.report.page_alerts import alerts_page
from pytest_xeonperf.report.page_case import case_page
from pytest_xeonperf.report.page_index import index_page
from pytest_xeonperf.report.page_machines import machines_page
from pytest_xeonperf.report.page_run import run_page
from pytest_xeonperf.report.page_two_runs import history_page
from pytest_xeonperf.report.render import environment, render
from pytest_xeonperf.report.surroundings import Surroundings
from pytest_xeonperf.report.why import KernelGroup, Why
from pytest_xeonperf.store.summaries import CommitSummary, MachineSummary

VOID = {"meta", "link", "br", "input"}


class Outline(HTMLParser):
    """What a browser would make of a page: every element closed, every id once, and the text people see."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.targets += [value for name, value in attrs if name in {"href", "src", "action"}]
        self.text += " ".join(value for name, value in attrs if name in {"title", "aria-label", "value"})
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["script"], ["style"]):
            self.text += data


@pytest.fixture
def pages(make, hostile):
    """Every page, all names in them hostile; one is about what is timed alone."""
    case = make.case(workload=hostile, phase=hostile, variant=hostile, over=hostile, preset=hostile)
    evidence = make.evidence(
        kernels=(hostile,), first_break=hostile, left_in_bf16=(hostile,), operators=make.operators(hostile, mm=1)
    )
    measurement = make.measurement(
        case=case, evidence=evidence, item=hostile, fidelity=(Score(name=hostile, value=1.0),)
    )
    verdict = make.verdict(Outcome.BELOW_FLOOR, reason=hostile, floor_ratio=Unknown(reason=hostile))
    results = [
        make.result(case=case, node_id=hostile, location=hostile, measurement=measurement, verdict=verdict),
        make.result(case=case, measurement=Unknown(reason=hostile), verdict=verdict),
    ]
    alone = make.alone(
        case=make.case(workload=hostile, variant=hostile, over="nothing"), measurement=make.timing(item=hostile)
    )
    results.append(alone)
    machine = make.machine(cpu_model=hostile, facts=((hostile, hostile),))
    commit = make.commit(sha=hostile, branch=hostile, subject=hostile, author=hostile)
    run = make.run(*results, machine=machine, commit=commit, command=hostile, options=((hostile, hostile),))
    names = {"branch": hostile, "subject": hostile, "author": hostile, "sha": hostile, "reason": hostile}
    points = (make.point(day=1, **names), make.gap(2, hostile), make.point(day=3, **names, facts=((hostile, hostile),)))
    alone_points = (make.alone_point(), make.gap(2, hostile), make.alone_point(day=3, **names))
    summary = make.summary(cpu_model=hostile, branch=hostile, sha=hostile)
    histories = [
        CaseHistory(case=case, points=points, latest=results[0]),
        CaseHistory(case=alone.case, points=alone_points, latest=alone),
    ]
    machines = {points[0].comparability_class: hostile}
    seen = MachineSummary(
        machine=machine,
        runs=1,
        first_at=run.started_at,
        last_at=run.started_at,
        newest_run=run.id,
        limits=(machine.limits,),
    )
    alert = make.alert(
        case=case, run_id=hostile, sha_after=hostile, assignee=hostile, note=hostile, issue_url=f"javascript:{hostile}"
    )
    event = AlertEvent(
        alert_id=alert.id,
        kind=EventKind.TRIAGED,
        by=hostile,
        at=alert.raised_at,
        changes=((hostile, hostile, hostile),),
        note=hostile,
    )
    past = Past(sessions=(), accepted=Unknown(reason=hostile))
    slower = replace(
        measurement,
        candidate_median_ns=2 * measurement.candidate_median_ns,
        evidence=replace(evidence, kernels=("mm",), graph_breaks=1, operators=make.operators(mm=1)),
    )
    head = replace(run, id=hostile, results=(replace(results[0], measurement=slower), *results[1:]))
    compared = compare_runs(run, head, lambda _: past, tolerance=0.05, alpha=0.05)
    around = Surroundings(
        fast_run=(hostile, run.started_at),
        commits={hostile: CommitSummary(committed_at=run.started_at, subject=hostile, author=hostile)},
        machine=hostile,
        in_trend=True,
        side=Unknown(reason=hostile),
    )
    why = Why(lines=(hostile,), operators=(), kernels=(KernelGroup(title=hostile, names=(hostile,)),))
    of_alert = {"around": around, "why": why, "compare": ""}
    return (
        index_page(run, [summary], histories, pages={run.id}, alerts=[alert]),
        run_page(run),
        case_page(case, points, machines=machines, pages={"run-01"}, alerts=[alert]),
        case_page(alone.case, alone_points, machines=machines, pages={"run-01"}),
        history_page(replace(compared, notes=(hostile,))),
        machines_page([seen], pages={run.id}),
        alerts_page([alert], state=Unknown(reason="all"), pages={alert.id}),
        alert_page(alert, [event], runs=(), cases=(), form=triage_form(alert, csrf=hostile), **of_alert),
        alert_page(alert, [event], runs={hostile}, cases={case.id}, form=Unknown(reason=hostile), **of_alert),
    )


@pytest.mark.parametrize("which", range(9))
def test_a_hostile_name_is_shown_as_text_and_breaks_nothing(pages, which):
    page = Outline(render(pages[which]))
    assert "<script>alert('1')</script>\"&amp;\\u202e{{ 7*7 }}</style>]]>\\x00".replace("\\x00", "\\u0000") in page.text
    assert "\u202e" not in page.text


@pytest.mark.parametrize("which", range(9))
def test_every_link_stays_in_the_folder(pages, which):
    page = Outline(render(pages[which]))
    outside = [
        target for target in page.targets if not re.fullmatch(r"(data:image/svg.*|[\w-]+\.html)?(#[\w-]+)?", target)
    ]
    assert outside == []
    assert "src" not in page.tags


@pytest.mark.parametrize("which", range(6))
def test_the_verdict_is_the_first_heading_of_every_page(pages, which):
    html = render(pages[which])
    first = re.search(r"<h[1-6][^>]*>(.*?)</h", html, re.DOTALL)
    assert first is not None
    assert re.search("Failed|Pass|Below|Problem|Slower", first[1])


def test_every_table_has_a_caption_and_scoped_headings(pages):
    for page in pages:
        html = render(page)
        assert html.count("<table") == html.count("<caption>") > 0
        assert "<th>" not in html


def test_only_the_trend_and_the_first_page_carry_scripts(pages):
    index, run, case, alone, *others = (render(page) for page in pages)
    assert index.count("<script") == 1
    assert "<script" not in run
    assert all("<script" not in other for other in others)
    assert case.count("<script") == alone.count("<script") == 4


def test_filters_bring_one_script_and_every_choice_as_text(make, hostile):
    case = make.case(workload=hostile)
    points = (make.point(day=1, branch=hostile), make.point(day=2))
    history = CaseHistory(case=case, points=points, latest=make.result(case=case))
    runs = [make.summary(), make.summary(id="old", branch=hostile, facts=((hostile, hostile),))]
    html = render(index_page(make.run(), runs, [history], pages=()))
    assert html.count("<script") == 1
    assert "\\u202e" in Outline(html).text
    assert html.count("<option") == 3 + len(Shown)


def test_the_data_of_a_chart_can_be_read_back(pages):
    html = render(pages[2])
    data = json.loads(re.search(r'<script type="application/json" id="trend-0">(.*?)</script>', html, re.DOTALL)[1])
    moments = re.search(r'<script type="application/json" id="trend-0-moments">(.*?)</script>', html, re.DOTALL)[1]
    assert len(json.loads(moments)) == data["trend"]["count"] == 3


def test_what_is_timed_alone_is_never_shown_with_a_speed_up(make):
    history = CaseHistory(case=make.alone().case, points=(make.alone_point(),), latest=make.alone())
    run = make.run(make.alone())
    case = case_page(history.case, history.points, machines={}, pages=())
    for page in (index_page(run, [], [history], pages=()), run_page(run), case):
        shown = Outline(render(page)).text
        assert "1.25 ms" in shown
        assert "None" not in shown
        assert not re.search(r"[0-9]x\b", shown)


def test_a_name_that_a_template_misspells_is_an_error():
    with pytest.raises(UndefinedError):
        environment().from_string("{{ page.verdikt }}").render(page=object())


def test_pages_are_rendered_where_compiled_templates_cannot_be_kept(make, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileSystemBytecodeCache, "dump_bytecode", full)
    monkeypatch.setattr(FileSystemBytecodeCache, "load_bytecode", lambda _cache, _bucket: None)
    environment.cache_clear()
    assert "<h1" in render(run_page(make.run(make.result())))
