import pytest

from pytest_xeonperf.shell import progress as progress_module
from pytest_xeonperf.shell.progress import Progress
from pytest_xeonperf.shell.protocol import Entering, RoundDone, RoundVoided, TimingBegins, WantsWeights, Weigh

LADDER = "tiny [quick]"


class Reporter:
    """What a progress line needs of pytest's terminal reporter."""

    def __init__(self, *, isatty, verbosity=0, fullwidth=60):
        self.isatty, self.verbosity, self.shown = isatty, verbosity, []
        self._tw = self
        self.fullwidth, self.width_of_current_line = fullwidth, 0

    def rewrite(self, line, **_markup):
        self.shown.append(line)

    write_line = rewrite

    def ensure_newline(self):
        pass

    def line(self):
        self.shown.append("")
        self.width_of_current_line = 0


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test turns."""
    now = [0.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    return now


def _entering(variant="eager_bf16", stage="building"):
    return Entering(model=LADDER, variant=variant, stage=stage)


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
        progress.hear(RoundDone(model=LADDER, index=index, pairs={}))
    progress.hear(_entering(stage="timing"))
    assert "3 rounds" in reporter.shown[-1]
    progress.hear(Entering(model="another", variant="sdpa_bf16", stage="timing"))
    assert "0 rounds" in reporter.shown[-1]


@pytest.mark.parametrize(
    ("kept", "voided", "minutes", "said"),
    [
        (0, 0, 0, "0 of at least 6 rounds, at most 5:00 left"),
        (3, 2, 1, "3 of at least 6 rounds, 2 voided, at most 4:00 left"),
        (1, 1, 5, "1 of at least 6 rounds, 1 voided, at most 12:30 left"),  # the fewest rounds outlast the budget
        (8, 0, 4, "8 rounds, at most 1:00 left"),
        (8, 0, 6, "8 rounds, at most 0:00 left"),
    ],
)
def test_pairs_done_pairs_voided_and_the_time_that_is_left_are_shown(clock, kept, voided, minutes, said):
    reporter = Reporter(isatty=True, fullwidth=200)
    progress = Progress(reporter, started_s=0.0)
    progress.hear(TimingBegins(model=LADDER, budget_ns=300 * 10**9, min_rounds=6))
    for index in range(voided):
        progress.hear(RoundVoided(model=LADDER, index=index))
    for index in range(kept):
        progress.hear(RoundDone(model=LADDER, index=voided + index, pairs={}))
    clock[0] += 60.0 * minutes
    progress.hear(_entering(stage="timing"))
    assert reporter.shown[-1].endswith(f"{LADDER}: {said}, timing eager_bf16")


def test_the_next_group_of_a_ladder_counts_its_own_rounds(clock):
    reporter = Reporter(isatty=True, fullwidth=200)
    progress = Progress(reporter, started_s=0.0)
    for _ in range(2):
        progress.hear(TimingBegins(model=LADDER, budget_ns=10**9, min_rounds=6))
        progress.hear(_entering(stage="timing"))
        assert "0 of at least 6 rounds" in reporter.shown[-1]
        progress.hear(RoundDone(model=LADDER, index=0, pairs={}))


def test_weighing_is_a_stage_too(clock):
    reporter = Reporter(isatty=False)
    progress = Progress(reporter, started_s=0.0)
    progress.hear(_entering())
    wanted = (Weigh(node_id="a", variant="eager_bf16"), Weigh(node_id="b", variant="int8"))
    progress.hear(WantsWeights(wanted=wanted, at_once=2))
    assert reporter.shown[-1].endswith(f"{LADDER}: weighing, each in a process of its own: eager_bf16, int8")


def test_in_a_log_it_begins_on_a_line_of_its_own_also_after_the_last_dot(clock):
    reporter = Reporter(isatty=False)
    reporter.width_of_current_line = 80
    Progress(reporter, started_s=0.0).say("writing the report")
    assert reporter.shown == ["", "[0:00] writing the report"]


def test_on_a_terminal_it_leaves_the_last_dot_alone_when_all_tests_are_done(clock):
    reporter = Reporter(isatty=True)
    Progress(reporter, started_s=0.0).say_below("writing the report")
    assert reporter.shown == ["", "[0:00] writing the report"]


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
