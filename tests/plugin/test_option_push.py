"""``--xeonperf-push``: a session's run reaches a real service, at once or with the next session."""

from pytest_xeonperf.ci.box import outbox
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.tokens import Scope

PLAIN = "def test_plain(xeonperf, eager_bf16):\n    xeonperf.check(eager_bf16)\n"


def test_a_run_waits_while_the_service_is_away_and_goes_with_the_next_session(suite, run, free_port, tmp_path, serving):
    shared, folder = tmp_path / "shared.db", suite({"test_it.py": PLAIN})
    with open_store(str(shared)) as store:
        token = store.create_token("nightly", [Scope.INGEST])[1]
    port = free_port()
    url, box = f"http://127.0.0.1:{port}", outbox(folder, f"http://127.0.0.1:{port}")
    away = run(folder, f"--xeonperf-push={url}", extra={"XEONPERF_TOKEN": token})
    assert away.code == 0
    away.lines.fnmatch_lines(["1 run kept for the next session to push: no answer of a service: *"])
    assert [path.stem for path in box.glob("*.json")] == [away.runs[0].id]
    with serving(shared, port):
        there = run(folder, f"--xeonperf-push={url}", extra={"XEONPERF_TOKEN": token})
    there.lines.fnmatch_lines([f"pushed 2 runs to {url}"])
    assert list(box.glob("*.json")) == []
    with open_store(str(shared), readonly=True) as store:
        assert [store.run(each.id) for each in there.runs] == list(there.runs)
