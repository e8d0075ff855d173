from pytest_xeonperf.alerts import AlertSource, AlertState
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report.page_case import case_page


def series_with(make, *alerts, points=()):
    """The one series of a case with these alerts."""
    points = points or [make.point(day=day, run_id=f"run-{day}", sha=f"{day:040}") for day in range(1, 6)]
    (series,) = case_page(make.case(), points, machines={}, pages=(), alerts=alerts).series
    return series


def marked(series):
    """By index, what is told there."""
    return {index: [mark.text for mark in marks] for index, marks in series.chart.alerts.items()}


def test_an_alert_stands_at_the_first_run_that_is_slow(make):
    assert marked(series_with(make, make.alert(run_id="run-3"))) == {2: ["▼ new: 10.0 % slower"]}


def test_what_a_gate_saw_stands_at_the_first_run_of_its_head(make):
    gates = {"source": AlertSource.GATE, "run_id": Unknown(reason="a gate's rounds are no run")}
    points = [make.point(day=day, run_id=f"run-{day}", sha=f"{max(day, 2):040}") for day in (1, 2, 3)]
    assert marked(series_with(make, make.alert(sha_after=f"{2:040}", **gates), points=points)) == {
        0: ["▼ new: 10.0 % slower"]
    }
    assert marked(series_with(make, make.alert(sha_after="f" * 40, **gates), points=points)) == {}


def test_alerts_of_another_machine_or_of_runs_that_are_not_shown_stand_nowhere(make):
    alerts = (make.alert(run_id="run-3", comparability_class="another"), make.alert(run_id="run-99"))
    series = series_with(make, *alerts)
    assert marked(series) == {}
    assert not series.alerts


def test_every_state_is_shown_as_it_is_called_and_coloured(make):
    alerts = [make.alert(run_id="run-2", state=state, id=f"{number:012}") for number, state in enumerate(AlertState)]
    marks = series_with(make, *alerts).chart.alerts[1]
    assert [mark.text.split(" ")[1] for mark in marks] == [f"{state.value}:" for state in AlertState]
    assert [mark.tone for mark in marks] == ["bad", "open", "open", "good", "good", "good"]


def test_table_and_chart_tell_the_same(make, draw):
    series = series_with(make, make.alert(run_id="run-3"))
    in_table = [[mark.text for mark in row.alerts] for row in reversed(series.rows)]
    assert [[mark["text"] for mark in spot["alerts"]] for spot in draw(series.chart).spots] == in_table
    assert series.rows[2].alerts[0].href == "alert-3f9a1c0b77de.html"
