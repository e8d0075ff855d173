"""The large history, small: it is one, and its report is below its limits."""

import json

import pytest

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report.site import write_site
from pytest_xeonperf.store import maintenance
from pytest_xeonperf.store.engine import open_store
from tests.scale.asv_results import write_asv
from tests.scale.history import next_run, write_history
from tests.scale.report import FROM_NOTHING, ONE_MORE, Cost, broken, main


def test_it_is_a_sound_history_that_goes_on(tmp_path):
    path = tmp_path / "large.db"
    write_history(path, cases=20, runs=70)
    maintenance.check(str(path))
    run = next_run(path, cases=20)
    with open_store(str(path)) as store:
        assert store.extent().results == 1400
        assert len({mark.comparability_class for mark in store.marks(until=store.extent().newest_id)}) == 3
        assert store.add_run(run)
        assert store.resolve("latest") == run.id
        gaps = [point.gap for case in store.cases() for point in store.trend(case.id) if point.gap]
        assert 0 < len(gaps) < 100
        folder = write_site(store, tmp_path / "reports", run_id=run.id).parent
        assert len(list(folder.glob("*.html"))) == 4 + 20 + 50
    assert max(page.stat().st_size for page in folder.iterdir()) < 2_000_000


def test_asv_gets_the_latency_of_every_run(tmp_path):
    write_history(tmp_path / "large.db", cases=3, runs=5)
    write_asv(tmp_path / "large.db", tmp_path / "asv")
    found = [json.loads(path.read_text()) for path in (tmp_path / "asv" / "results").glob("*/*-existing-*.json")]
    assert len(found) == 5
    with open_store(str(tmp_path / "large.db"), readonly=True) as store:
        for case in store.cases():
            values = sorted(told["results"][f"suite.time_{case.id}"][0][0] or 0 for told in found)
            latencies = [point.candidate_median_ns for point in store.trend(case.id)]
            assert values == sorted(0 if isinstance(each, Unknown) else each / 1e9 for each in latencies)


def cost(what, wall_s, mib=900):
    return Cost(what=what, wall_s=wall_s, cpu_s=wall_s, peak_rss_bytes=mib << 20)


def test_a_bound_that_is_broken_is_named():
    held = [cost(FROM_NOTHING, 59.9), cost(ONE_MORE, 2.9), cost("report, nothing new", 5)]
    assert broken(held, [1_999_999, 20]) == []
    assert broken([cost(FROM_NOTHING, 60.1)], []) == ["report, from nothing: 60.10 s, at most 60"]
    assert broken([cost(ONE_MORE, 3.5)], []) == ["report, one run more: 3.50 s, at most 3"]
    assert broken([cost(FROM_NOTHING, 1, mib=1025)], []) == ["report, from nothing: 1025 MiB, at most 1024"]
    assert broken(held, [2_000_001, 2_100_000, 3]) == ["2 pages above 2 MB, the largest 2.10 MB"]


def test_the_program_exits_with_1_after_it_has_printed_everything(tmp_path, monkeypatch, capsys):
    write_history(tmp_path / "large.db", cases=2, runs=3)
    monkeypatch.setattr("sys.argv", ["report", str(tmp_path / "large.db")])
    monkeypatch.setattr("tests.scale.report.MOST_PAGE_BYTES", 20_000)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in lines[:3]] == ["report"] * 3
    assert lines[4].startswith("bound broken: ")
