"""The large history, small: it is one, and its report is below its limits."""

import json

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report.site import write_site
from pytest_xeonperf.store import maintenance
from pytest_xeonperf.store.engine import open_store
from tests.scale.asv_results import write_asv
from tests.scale.history import next_run, write_history


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
