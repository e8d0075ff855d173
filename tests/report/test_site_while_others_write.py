"""The report of a session is written while another session goes on in the same history."""

import pytest

from pytest_xeonperf.records import RunState, Unknown
from pytest_xeonperf.report.site import write_site
from pytest_xeonperf.store.engine import open_store


@pytest.mark.parametrize("goes_on", ["run-1", "run-2"], ids=["older", "newest"])
def test_a_case_that_another_session_adds_meanwhile_is_in_the_report(tmp_path, make, monkeypatch, goes_on):
    with open_store(str(tmp_path / "xeonperf.db")) as store:
        for day in (1, 2):
            started_at = f"2026-05-0{day}T14:00:00+00:00"
            store.add_run(make.run(make.result(), id=f"run-{day}", started_at=started_at, state=RunState.RUNNING))
        new = make.result(case=make.case(variant="woq_int4"), measurement=Unknown(reason="died by SIGILL"))
        read_cases = store.cases

        def cases():  # the runs have been read by now, and the cases have not
            store.add_results(goes_on, [new])
            return read_cases()

        monkeypatch.setattr(store, "cases", cases)
        index = write_site(store, tmp_path / "reports", run_id="run-1")
    assert (index.parent / f"case-{new.case.id}.html").is_file()
    assert "died by SIGILL" in index.read_text()
