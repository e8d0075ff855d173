"""Notices that wait on disk until they are sent."""

from __future__ import annotations

import json
import logging
import threading
from math import inf
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.errors import InfrastructureError, UsageError
from pytest_xeonperf.service import outbox
from pytest_xeonperf.service.outbox import MOST_TRIES, Notice, Outbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


class Fake:
    """A channel that takes notices, or refuses as many as a test wants."""

    def __init__(self, name: str = "fake", *, refusals: float = 0) -> None:
        self.name = self.shown = name
        self.refusals = refusals
        self.tried: list[str] = []
        self.taken: list[Notice] = []
        self.arrived = threading.Event()

    def send(self, notice: Notice) -> None:
        self.tried.append(notice.id)
        if len(self.tried) <= self.refusals:
            raise InfrastructureError("it says 503")
        self.taken.append(notice)
        self.arrived.set()


def notice(number: int = 1) -> Notice:
    return Notice(id=f"run-{number}", event="run.red", subject="s", text="t", document={"number": number})


def waiting(folder: Path, suffix: str = ".json") -> list[str]:
    return sorted(path.stem for path in folder.rglob(f"*{suffix}"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_is_sent_is_gone(tmp_path: Path, clock: Clock) -> None:
    channel = Fake()
    box = Outbox(tmp_path, [channel], clock=clock)
    box.put(notice())
    assert channel.tried == []
    assert box.send_due() == inf
    assert channel.taken == [notice()]
    assert waiting(tmp_path) == []


def test_what_is_refused_is_tried_again_later_and_later(tmp_path: Path, clock: Clock) -> None:
    channel = Fake(refusals=3)
    box = Outbox(tmp_path, [channel], clock=clock)
    box.put(notice())
    waits_s = []
    while (wait_s := box.send_due()) < inf:
        waits_s.append(wait_s)
        assert box.send_due() == pytest.approx(wait_s)  # too early: not tried
        clock.now_s += wait_s
    assert waits_s == pytest.approx([10, 40, 160])
    assert channel.taken == [notice()]
    assert len(channel.tried) == 4


def test_after_so_many_tries_a_notice_is_put_aside_and_the_log_says_so(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    channel = Fake(refusals=inf)
    box = Outbox(tmp_path, [channel], clock=clock)
    box.put(notice())
    while (wait_s := box.send_due()) < inf:
        clock.now_s += wait_s
    assert len(channel.tried) == MOST_TRIES
    assert waiting(tmp_path, ".given-up") == ["run-1"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * (MOST_TRIES - 1) + [logging.ERROR]
    assert "it says 503" in caplog.text


def test_a_restart_forgets_neither_notices_nor_tries(tmp_path: Path, clock: Clock) -> None:
    away = Fake(refusals=inf)
    before = Outbox(tmp_path, [away], clock=clock)
    before.put(notice())
    first_s = before.send_due()
    after = Fake(refusals=1)
    box = Outbox(tmp_path, [after], clock=clock)
    assert box.send_due() == pytest.approx(first_s)
    assert after.tried == []
    clock.now_s += first_s
    assert box.send_due() == pytest.approx(40)


def test_one_channel_does_not_wait_for_another(tmp_path: Path, clock: Clock) -> None:
    away, there = Fake("away", refusals=inf), Fake("there")
    box = Outbox(tmp_path, [away, there], clock=clock)
    box.put(notice(1))
    box.put(notice(2))
    box.send_due()
    assert [each.id for each in there.taken] == ["run-1", "run-2"]
    assert waiting(tmp_path / "away") == ["run-1", "run-2"]


def test_the_same_notice_waits_once(tmp_path: Path, clock: Clock) -> None:
    box = Outbox(tmp_path, [Fake()], clock=clock)
    box.put(notice())
    box.put(notice())
    assert waiting(tmp_path) == ["run-1"]


def test_a_channel_that_is_away_for_weeks_fills_no_disk(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outbox, "_MOST_WAITING", 3)
    box = Outbox(tmp_path, [Fake()], clock=clock)
    for number in range(5):
        box.put(notice(number))
    assert waiting(tmp_path) == ["run-0", "run-1", "run-2"]
    assert "too many notices wait, run-4 is dropped" in caplog.text


def test_a_file_that_is_none_is_put_aside_and_holds_nobody_up(tmp_path: Path, clock: Clock) -> None:
    channel = Fake()
    box = Outbox(tmp_path, [channel], clock=clock)
    box.put(notice())
    for number, text in enumerate(("", "[]", '{"notice": {}}', json.dumps({"notice": {"id": "x"}, "tries": 0}))):
        (tmp_path / "fake" / f"a{number}.json").write_text(text)
    box.send_due()
    assert channel.taken == [notice()]
    assert len(waiting(tmp_path, ".unreadable")) == 4


@pytest.mark.parametrize("put_aside", [True, False])
def test_a_file_that_cannot_be_read_holds_up_neither_others_nor_other_channels(
    tmp_path: Path, clock: Clock, *, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, put_aside: bool
) -> None:
    channels = [Fake("first"), Fake("second")]
    box = Outbox(tmp_path, channels, clock=clock)
    box.put(notice())
    for number in range(3):
        (tmp_path / "first" / f"a{number}.json").mkdir()  # fails as a file of somebody else's does
    (tmp_path / "first" / "b.json").symlink_to("nothing")
    if not put_aside:
        monkeypatch.setattr(type(tmp_path), "replace", refuse)
    assert box.send_due() == inf
    assert [channel.taken for channel in channels] == [[notice()]] * 2
    assert len(waiting(tmp_path, ".unreadable")) == (3 if put_aside else 0)
    assert caplog.text.count("cannot be read") == 3
    assert caplog.text.count("cannot be put aside: it is read-only") == (0 if put_aside else 3)


def refuse(*_: object) -> None:
    raise OSError(30, "it is read-only")


def test_who_brings_news_does_not_hear_of_a_disk_that_takes_nothing(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "fake").write_text("a file where a folder should be")
    Outbox(tmp_path, [Fake()], clock=clock).put(notice())
    assert "run-1 cannot wait" in caplog.text


def test_while_it_lasts_notices_are_sent_by_themselves(tmp_path: Path) -> None:
    channel = Fake()
    with Outbox(tmp_path, [channel]) as box:
        box.put(notice())
        assert channel.arrived.wait(30)
    assert channel.taken == [notice()]


def test_nobody_waits_for_a_channel_that_hangs(tmp_path: Path) -> None:
    channel, sending, go_on = Fake(), threading.Event(), threading.Event()
    take: Callable[[Notice], None] = channel.send

    def hang(notice: Notice) -> None:
        sending.set()
        assert go_on.wait(30)
        take(notice)

    channel.send = hang
    with Outbox(tmp_path, [channel]) as box:
        box.put(notice(1))
        assert sending.wait(30)
        box.put(notice(2))  # comes back while the first one hangs
        assert channel.taken == []
        assert waiting(tmp_path) == ["run-1", "run-2"]
        go_on.set()


def test_a_defect_of_one_channel_is_logged_and_keeps_nothing_from_another(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    defective, sound = Fake("defective"), Fake("sound")
    take: Callable[[Notice], None] = defective.send

    def fail(_: Notice) -> None:
        raise ZeroDivisionError

    defective.send = fail
    box = Outbox(tmp_path, [defective, sound], clock=clock)
    box.put(notice())
    assert box.send_due() == pytest.approx(10)
    assert "defective: a defect" in caplog.text
    assert sound.taken == [notice()]
    defective.send = take
    clock.now_s += 10
    assert box.send_due() == inf
    assert defective.taken == [notice()]


def test_a_disk_that_fails_once_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "_LOOK_AGAIN_S", 0.01)
    channel = Fake()
    box = Outbox(tmp_path, [channel])
    send_due, failures = box.send_due, iter([OSError("no space left")])

    def fail_once() -> float:
        for failure in failures:
            raise failure
        return send_due()

    monkeypatch.setattr(box, "send_due", fail_once)
    with box:
        box.put(notice())
        assert channel.arrived.wait(30)
    assert "notices are not sent" in caplog.text


def test_it_ends_at_once_however_far_off_the_next_notice_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_LOOK_AGAIN_S", 3600)
    for _ in range(50):  # also where the end comes before the first look
        with Outbox(tmp_path, [Fake(refusals=inf)]) as box:
            box.put(notice())


def test_two_services_do_not_send_from_one_folder(tmp_path: Path) -> None:
    with Outbox(tmp_path, [Fake()]), pytest.raises(UsageError, match="notices cannot wait there"):
        Outbox(tmp_path, [Fake()]).__enter__()
    with Outbox(tmp_path, [Fake()]):
        pass
