import json

from pytest_xeonperf.records import Sample
from pytest_xeonperf.shell.journal import Journal
from pytest_xeonperf.shell.protocol import Entering, Idle, Report, RoundDone, RoundVoided, WantsWeights, Weigh

ENTERING = Entering(model="tiny over eager_fp32", variant="eager_bf16", stage="building")
PAIR = Sample(process=0, round_index=0, baseline_ns=2, candidate_ns=1, baseline_position=0, candidate_position=1)


def _lines(journal):
    return [json.loads(line) for line in (journal.folder / "journal.jsonl").read_text().splitlines()]


def test_starts_rounds_and_deaths_are_on_disk_line_by_line(tmp_path):
    journal = Journal.open(tmp_path)
    journal.hear(ENTERING)
    assert len(_lines(journal)) == 1
    journal.hear(RoundDone(model=ENTERING.model, index=4, pairs={"eager_bf16": PAIR}))
    journal.note("death", {"test": "a", "reason": "SIGKILL"})
    assert [line["event"] for line in _lines(journal)] == ["entering", "round", "death"]
    assert _lines(journal)[0]["facts"]["variant"] == "eager_bf16"
    assert _lines(journal)[1]["facts"]["pairs"]["eager_bf16"]["baseline_ns"] == 2


def test_whoever_reads_it_after_a_crash_knows_that_no_variant_was_running(tmp_path):
    journal = Journal.open(tmp_path)
    for message in (
        ENTERING,
        RoundVoided(model=ENTERING.model, index=7),
        WantsWeights(wanted=(Weigh(node_id="a", variant="eager_bf16"),), at_once=1),
        Idle(),
    ):
        journal.hear(message)
    assert [line["event"] for line in _lines(journal)] == ["entering", "voided", "weighing", "idle"]
    assert _lines(journal)[1]["facts"] == {"model": ENTERING.model, "index": 7}


def test_reports_are_left_to_the_database(tmp_path):
    journal = Journal.open(tmp_path)
    journal.hear(Report(data={"nodeid": "a"}))
    assert not (journal.folder / "journal.jsonl").exists()


def test_it_lives_beside_the_suite_where_git_does_not_see_it(tmp_path):
    journal = Journal.open(tmp_path)
    assert journal.folder.parent == tmp_path / ".xeonperf"
    assert (tmp_path / ".xeonperf" / ".gitignore").read_text() == "*\n"


def test_two_sessions_have_journals_of_their_own(tmp_path):
    assert Journal.open(tmp_path).folder != Journal.open(tmp_path).folder


def test_where_the_suite_cannot_be_written_it_lives_in_a_temporary_folder(tmp_path):
    (tmp_path / ".xeonperf").write_text("a file in the way")
    journal = Journal.open(tmp_path)
    journal.hear(ENTERING)
    assert tmp_path not in journal.folder.parents
    assert len(_lines(journal)) == 1
