import pytest

from pytest_xeonperf.shell import progress as progress_module
from pytest_xeonperf.shell.progress import Progress
from pytest_xeonperf.shell.protocol import Entering, RoundDone

LADDER = "tiny [quick] over eager_fp32"


class Reporter:
    """What a progress line needs of pytest's terminal reporter."""

    def __init__(self, *, isatty, verbosity=0):
        self.isatty, self.verbosity, self.shown = isatty, verbosity, []
        self._tw = type("Writer", (), {"fullwidth": 60})()

    def rewrite(self, line, **_markup):
        self.shown.append(line)

    write_line = rewrite

    def ensure_newline(self):
        pass


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test turns."""
    now = [0.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    return now


def _entering(variant="eager_bf16", stage="building"):
    return Entering(ladder=LADDER, variant=variant, stage=stage)


def test_a_log_gets_a_line_for_every_stage_and_a_sign_of_life_every_half_minute(clock):
    reporter = Reporter(isatty=False)
    progress = Progress(reporter, started_s=0.0)
    progress.hear(_entering())
    progress.hear(_entering(stage="compiling"))
    for _ in range(50):
        clock[0] += 1.0
        progress.hear(_entering(stage="timing"))
    stages = [line.partition("] ")[2] for line in reporter.shown]
    assert stages[:2] == [f"{LADDER}: building eager_bf16", f"{LADDER}: compiling eager_bf16"]
    assert len(stages) == 3
    assert "timing eager_bf16" in stages[2]


def test_a_terminal_sees_every_turn_on_one_line_that_fits(clock):
    reporter = Reporter(isatty=True)
    progress = Progress(reporter, started_s=0.0)
    for _ in range(5):
        progress.hear(_entering(variant="a-variant-with-a-name-that-is-very-much-too-long-for-it", stage="timing"))
    assert len(reporter.shown) == 5
    assert all(len(line) < 60 for line in reporter.shown)


def test_rounds_are_counted_for_each_ladder(clock):
    reporter = Reporter(isatty=True)
    progress = Progress(reporter, started_s=0.0)
    progress.hear(_entering(stage="timing"))
    for index in range(3):
        progress.hear(RoundDone(ladder=LADDER, index=index, pairs={}))
    progress.hear(_entering(stage="timing"))
    assert "3 rounds" in reporter.shown[-1]
    progress.hear(Entering(ladder="another", variant="sdpa_bf16", stage="timing"))
    assert "0 rounds" in reporter.shown[-1]


def test_the_time_since_the_session_began_to_measure_is_shown(clock):
    reporter = Reporter(isatty=False)
    progress = Progress(reporter, started_s=0.0)
    clock[0] = 125.0
    progress.hear(_entering())
    assert reporter.shown[-1].startswith("[2:05] ")


def test_a_quiet_session_shows_none(clock):
    reporter = Reporter(isatty=False, verbosity=-1)
    Progress(reporter, started_s=0.0).hear(_entering())
    assert reporter.shown == []


def test_clearing_makes_room_on_a_terminal_and_leaves_a_log_alone(clock):
    clock[0] = 1.0
    for isatty, last in ((True, ""), (False, f"[0:01] {LADDER}: building eager_bf16")):
        reporter = Reporter(isatty=isatty)
        progress = Progress(reporter, started_s=0.0)
        progress.hear(_entering())
        progress.clear()
        assert reporter.shown[-1] == last
