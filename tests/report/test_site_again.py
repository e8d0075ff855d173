"""A report that is written again makes only what changed, and comes to what would be made from nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_xeonperf.alerts import AlertState, Triage
from pytest_xeonperf.judge.alerts import Findings
from pytest_xeonperf.judge.following import Followed
from pytest_xeonperf.records import Acceptance, RunState, Unknown
from pytest_xeonperf.report import case_series, manifest, site, trends
from pytest_xeonperf.report.site import write_site
from pytest_xeonperf.store.engine import open_store

if TYPE_CHECKING:
    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Run

VARIANTS = ("sdpa_bf16", "compiled_bf16", "woq_int4")

NEWS = ("index.html", "machines.html", "compare.html")
"""What any new run is on."""


@pytest.fixture
def made_by(monkeypatch):
    """Says who makes pages: code of another version."""
    return lambda name: monkeypatch.setattr(site, "maker", lambda: name)


@pytest.fixture
def three_run_pages(monkeypatch):
    """Only so many runs have a page."""
    monkeypatch.setattr(site, "RUN_PAGES", 3)


@pytest.fixture
def write(tmp_path):
    """Writes the report about the newest run, and gives the names of the pages that were replaced or are new."""

    def files(folder: Path) -> dict[str, int]:
        return {path.name: path.stat().st_ino for path in folder.glob("*.html")}

    def go(store, folder: Path = tmp_path / "reports") -> set[str]:
        before = files(folder)
        write_site(store, folder, run_id=store.resolve("latest"))
        return {name for name, _file in files(folder).items() - before.items()}

    return go


@pytest.fixture
def run_of(make):
    """Makes a run of a day with some variants."""

    def of(day: int, variants=VARIANTS, *, ratio: float = 3.95, minute: int = 0, **changes) -> Run:
        results = [
            make.result(
                case=make.case(variant=variant),
                measurement=replace(make.measurement(ratio), case=make.case(variant=variant)),
                node_id=f"t.py::{variant}",
            )
            for variant in variants
        ]
        started_at = f"2026-{1 + day // 28:02d}-{1 + day % 28:02d}T14:{minute:02d}:00+00:00"
        return make.run(*results, id=f"run-{day}-{minute}", started_at=started_at, **changes)

    return of


@pytest.fixture
def store(tmp_path, run_of):
    with open_store(str(tmp_path / "xeonperf.db")) as opened:
        for day in range(3):
            opened.add_run(run_of(day))
        yield opened


def case_pages(make, *variants: str) -> set[str]:
    return {f"case-{make.case(variant=variant).id}.html" for variant in variants}


def test_nothing_new_writes_nothing(store, write):
    assert write(store)
    assert write(store) == set()


def test_a_new_run_writes_its_page_those_of_its_cases_and_the_first(store, write, run_of, make):
    write(store)
    store.add_run(run_of(3, ["woq_int4"]))
    before = "run-run-2-0.html"  # which led to the comparison of what was the newest run
    assert write(store) == {*NEWS, before, "run-run-3-0.html", *case_pages(make, "woq_int4")}


@pytest.mark.usefixtures("three_run_pages")
def test_a_run_that_loses_its_page_is_not_linked_any_more_and_its_page_goes(store, write, run_of, make, tmp_path):
    write(store)
    store.add_run(run_of(3, ["woq_int4"]))
    assert write(store) == {*NEWS, "run-run-2-0.html", "run-run-3-0.html", *case_pages(make, *VARIANTS)}
    assert not (tmp_path / "reports" / "run-run-0-0.html").exists()
    assert "run-run-0-0" not in "".join(path.read_text() for path in (tmp_path / "reports").glob("*.html"))


def test_a_run_that_goes_on_has_its_page_made_again(store, write, run_of):
    store.add_run(run_of(3, [], state=RunState.RUNNING, finished_at=Unknown(reason="running")))
    write(store)
    store.finish_run("run-3-0", RunState.FINISHED, "2026-05-12T14:25:40+00:00")
    assert write(store) == {"run-run-3-0.html", "index.html"}


def test_an_older_run_that_arrives_late_has_everything_it_touches_made_from_nothing(store, write, run_of, make):
    write(store)
    store.add_run(run_of(1, ["woq_int4"], minute=30))
    assert write(store) >= {*NEWS, "run-run-1-30.html", *case_pages(make, "woq_int4")}


def test_a_run_that_another_machine_overtook_goes_on_from_the_pages(store, write, run_of, make, monkeypatch):
    """It comes later than one that began after it, and has no page made from nothing but its own."""
    elsewhere = make.machine(threads=9)
    store.add_run(run_of(4, machine=elsewhere))
    write(store)
    read = []
    monkeypatch.setattr(
        site, "read_trends", lambda *told, **said: read.append(told) or trends.read_trends(*told, **said)
    )
    store.add_run(run_of(3, ["woq_int4"]))
    assert write(store) >= {"run-run-3-0.html", *case_pages(make, *VARIANTS)}
    assert read == []
    store.add_run(run_of(2, ["woq_int4"], minute=30))  # on a machine that has measured since
    write(store)
    assert [case.variant for _store, case, _marks in read] == ["woq_int4"]


def test_an_accepted_result_is_on_no_page_and_makes_none(store, write, make):
    write(store)
    store.accept([accepted_in(make, "run-1-0")])
    assert write(store) == set()


def accepted_in(make, run_id: str) -> Acceptance:
    return Acceptance(
        case=make.case(variant="woq_int4"),
        run_id=run_id,
        accepted_at="2026-05-12T14:25:40+00:00",
        accepted_by="somebody",
        reason="meant",
    )


def test_what_was_accepted_between_the_two_runs_that_are_compared_is_compared_with(store, write, run_of, make):
    store.add_run(run_of(3, ["woq_int8"]))
    store.add_run(run_of(4, [*VARIANTS, "woq_int8"]))
    store.add_run(run_of(5, VARIANTS))
    write(store)
    store.accept([accepted_in(make, "run-4-0"), accepted_in(make, "run-1-0")])
    assert write(store) == set()  # the runs are the fourth and the fifth: nothing is between them
    store.add_run(run_of(6, ["other"]))
    store.add_run(run_of(7, ["woq_int4"]))
    write(store)
    store.accept([accepted_in(make, "run-6-0")])
    assert write(store) == {"compare.html"}


def test_an_alert_writes_its_pages_that_of_its_case_and_the_first(store, write, make):
    write(store)
    alert = _raise(store, make, "run-2-0")
    own = f"alert-{alert.id}.html"
    lists = {"alerts.html", "alerts-new.html"}
    assert write(store) == {own, *lists, "index.html", *case_pages(make, "woq_int4")}
    assert write(store) == set()
    store.triage(alert.id, Triage(assignee="somebody"), by="somebody", at="2026-05-13T15:00:00+00:00")
    assert write(store) == {own, *lists, "index.html", *case_pages(make, "woq_int4")}


def test_what_was_decided_about_an_alert_is_nowhere_said_to_be_open(store, write, make, tmp_path):
    alert = _raise(store, make, "run-2-0")
    write(store)
    store.triage(alert.id, Triage(state=AlertState.INVALID), by="somebody", at="2026-05-13T15:00:00+00:00")
    own, case = f"alert-{alert.id}.html", case_pages(make, "woq_int4")
    assert write(store) == {own, "alerts.html", "alerts-invalid.html", "index.html", *case}
    assert not (tmp_path / "reports" / "alerts-new.html").exists()
    assert "Open alerts" not in (tmp_path / "reports" / case.pop()).read_text()
    assert "no open alerts" in (tmp_path / "reports" / "index.html").read_text()


def test_an_alert_has_both_runs_compared_on_a_page_that_stays_until_an_earlier_run_says_more(
    store, write, make, run_of, tmp_path
):
    store.add_run(run_of(3, [], state=RunState.RUNNING, finished_at=Unknown(reason="running")))
    store.add_results("run-3-0", run_of(3, ["woq_int4"]).results)
    for day in (4, 5, 6):
        store.add_run(run_of(day))
    _raise(store, make, "run-5-0")
    name = (write(store) and {path.name for path in (tmp_path / "reports").glob("compare-*")}).pop()
    text = (tmp_path / "reports" / name).read_text()
    assert "xeonperf compare run-4-0 run-5-0<" in text
    store.add_run(run_of(7))
    assert name not in write(store)
    store.add_results("run-3-0", run_of(3, ["sdpa_bf16"]).results)
    assert {name, "compare.html"} <= write(store)
    assert write(store) == set()


@pytest.mark.usefixtures("three_run_pages")
def test_an_alert_has_no_link_to_a_run_that_lost_its_page(store, write, make, run_of, tmp_path):
    alert = _raise(store, make, "run-0-0")
    write(store)
    page = tmp_path / "reports" / f"alert-{alert.id}.html"
    assert "run-run-0-0.html" in page.read_text()
    store.add_run(run_of(3))
    assert page.name in write(store)
    assert "run-run-0-0.html" not in page.read_text()


def test_other_code_or_templates_make_everything_again(store, write, made_by):
    everything = write(store)
    made_by("another version")
    assert write(store) == everything


def test_who_makes_pages_is_told_by_code_templates_styles_and_version(monkeypatch):
    before = manifest.maker()
    seen = {each.name for each in manifest._makers()}
    assert {"case.html.j2", "columns.js", "xeonperf.css", "chart.py", "uPlot.iife.min.js"} <= seen
    assert {"alerts.py", "alert_words.py", "recorded_findings.py"} <= seen
    monkeypatch.setattr(manifest, "package_version", lambda: "99")
    manifest.maker.cache_clear()
    assert manifest.maker() != before
    monkeypatch.undo()
    manifest.maker.cache_clear()


@pytest.mark.parametrize(
    "spoil",
    [Path.unlink, lambda page: page.write_text("x"), lambda page: page.write_bytes(page.read_bytes()[::-1])],
    ids=["gone", "shorter", "as long as it was"],
)
def test_a_page_that_is_gone_or_was_changed_is_made_again(store, write, tmp_path, make, spoil):
    write(store)
    (name,) = case_pages(make, "woq_int4")
    whole = (tmp_path / "reports" / name).read_bytes()
    spoil(tmp_path / "reports" / name)
    assert write(store) == {name}
    assert (tmp_path / "reports" / name).read_bytes() == whole


def test_a_folder_that_was_copied_without_its_times_is_still_known(store, write, tmp_path):
    write(store)
    for path in (tmp_path / "reports").iterdir():
        path.write_bytes(path.read_bytes())
    assert write(store) == set()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"pages": {}}', '{"pages": {"a.html": {}}, "made_by": "x"}', '{"pages": 1}', "[" * 9999],
    ids=["empty", "cut", "list", "null", "nothing", "poor", "number", "deep"],
)
def test_a_manifest_that_cannot_be_understood_is_none(store, write, tmp_path, text):
    everything = write(store)
    (tmp_path / "reports" / manifest.NAME).write_text(text)
    assert write(store) == everything


def test_only_pages_in_the_folder_itself_are_ever_removed(store, write, tmp_path):
    write(store)
    told = json.loads((tmp_path / "reports" / manifest.NAME).read_text())
    (tmp_path / "mine.html").write_text("mine")
    told["pages"]["../mine.html"] = told["pages"]["index.html"]
    (tmp_path / "reports" / manifest.NAME).write_text(json.dumps(told))
    write(store)
    assert (tmp_path / "mine.html").exists()


def test_another_history_in_the_same_folder_starts_from_nothing(store, write, tmp_path, run_of):
    write(store)
    with open_store(str(tmp_path / "other.db")) as other:
        for day in range(3):
            other.add_run(replace(run_of(day, ratio=2.5), command="elsewhere", id=f"other-{day}"))
        pages = write(other)
        assert pages == {path.name for path in (tmp_path / "reports").glob("*.html")}


def test_several_processes_write_what_one_does(store, tmp_path, run_of):
    for day in range(3, 20):
        store.add_run(run_of(day))
    for number in (1, 2):
        write_site(store, tmp_path / str(number), run_id="run-19-0", processes=number)
    assert content(tmp_path / "1") == content(tmp_path / "2")


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.html")}


CHANGES = st.one_of(
    st.tuples(st.just("run"), st.sets(st.sampled_from(VARIANTS)), st.sampled_from([2.0, 3.95, 4.4]), st.integers(0, 2)),
    st.tuples(st.just("late"), st.integers(0, 5), st.sets(st.sampled_from(VARIANTS)), st.integers(2, 5)),
    st.tuples(st.just("crash"), st.sampled_from(VARIANTS)),
    st.tuples(st.just("spoil"), st.integers(0, 20)),
    st.tuples(st.just("alert"), st.sampled_from(VARIANTS)),
    st.tuples(st.just("triage"), st.integers(0, 5), st.sampled_from(AlertState)),
    st.just(("write",)),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(CHANGES, min_size=1, max_size=12))
def test_after_any_changes_the_pages_are_those_made_from_nothing(changes, make, run_of):
    with TemporaryDirectory() as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "RUN_PAGES", 3)
        patch.setattr(case_series, "ROWS", 4)
        patch.setattr(trends, "TREND_POINTS", 8)
        patch.setattr(trends, "_AT_ONCE", 3)
        folder = Path(made)
        with open_store(str(folder / "xeonperf.db")) as store:
            store.add_run(run_of(0))
            for number, change in enumerate([*changes, ("write",)], 10):
                _apply(change, number, store, folder / "reports", run_of=run_of, make=make)
            write_site(store, folder / "fresh", run_id=store.resolve("latest"))
            assert content(folder / "reports") == content(folder / "fresh")


def _raise(store, make, run_id: str, variant: str = "woq_int4") -> Alert:
    """Somebody says that a case became slower with a run."""
    since = store.run(run_id).started_at
    alert = make.alert(id=f"{run_id}-{variant}", case=make.case(variant=variant), run_id=run_id, since=since)
    store.raise_alerts(
        alert.case,
        alert.comparability_class,
        lambda known: Findings(raised=() if alert.id in {each.id for each in known} else (alert,), followed=()),
    )
    return alert


def _apply(change, number, store, folder, *, run_of, make) -> None:
    kind, *how = change
    if kind == "run":
        facts = (("torch", f"2.{how[2]}"),)
        on = make.machine(facts=facts, threads=2 + how[2] // 2)
        store.add_run(run_of(number, sorted(how[0]), ratio=how[1], machine=on))
    elif kind == "late":
        on = make.machine(threads=how[2])
        store.add_run(run_of(how[0], sorted(how[1]), minute=number, machine=on))
    elif kind == "crash":
        run = run_of(number, [how[0]])
        nothing = Unknown(reason="died by SIGILL")
        store.add_run(replace(run, results=tuple(replace(each, measurement=nothing) for each in run.results)))
    elif kind == "alert":
        _raise(store, make, store.resolve("latest"), how[0])
    elif kind == "triage" and store.alerts():
        alerts = store.alerts()
        by, at = "somebody", f"2026-08-01T15:{number}:00+00:00"
        store.triage(alerts[how[0] % len(alerts)].id, Triage(state=how[1], assignee=f"{number}"), by=by, at=at)
    elif kind == "spoil" and folder.exists():
        pages = sorted(folder.glob("*.html"))
        pages[how[0] % len(pages)].unlink()
    elif kind == "write":
        write_site(store, folder, run_id=store.resolve("latest"))


def test_the_first_page_follows_how_large_an_alert_is_and_what_became_of_it(store, write, make, tmp_path):
    alert = _raise(store, make, "run-2-0")
    write(store)
    index = tmp_path / "reports" / "index.html"
    assert "Slower than before" in index.read_text()
    store.triage(alert.id, Triage(state=AlertState.ACKNOWLEDGED), by="ann", at="2026-05-13T15:00:00+00:00")
    write(store)
    assert "Known to be slower" in index.read_text()
    moved = replace(store.alerts()[0], latency_ratio=1.25)
    followed = Findings(followed=(Followed(alert=moved, events=()),))
    store.raise_alerts(alert.case, alert.comparability_class, lambda _: followed)
    assert "index.html" in write(store)
    assert "25.0 % more time" in index.read_text()
