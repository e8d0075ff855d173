"""What results were measured on."""

from dataclasses import replace

import pytest

from pytest_xeonperf.records import Limits
from pytest_xeonperf.report.page_machines import machines_page
from pytest_xeonperf.report.render import render
from pytest_xeonperf.report.verdict import Tone
from pytest_xeonperf.store.summaries import MachineSummary

ORDERLY = (("compiler", "g++ 14"), ("kernel", "6.1.0"), ("vendor", "GenuineIntel"))


@pytest.fixture
def seen(make):
    """Makes a fingerprint that was seen on a day; the machine's fields by name."""

    def see(day, *, runs=1, limits=(), **changes):
        machine = make.machine(**{"facts": ORDERLY, **changes})
        return MachineSummary(
            machine=machine,
            runs=runs,
            first_at=f"2026-05-{day:02d}T10:00:00+00:00",
            last_at=f"2026-05-{day:02d}T14:03:11+00:00",
            newest_run=f"run-{day}",
            limits=limits,
        )

    return see


def limits(read):
    return Limits(read_bytes_per_s=read, fp32_flop_per_s=1e11, bf16_flop_per_s=2e12, int8_op_per_s=4e12)


def test_machines_of_one_class_stand_together_and_the_class_seen_last_comes_first(seen):
    kernel = (*ORDERLY[:1], ("kernel", "6.8.0"), ORDERLY[2])
    page = machines_page([seen(3, facts=kernel), seen(2, threads=1), seen(1, runs=4)], pages=())
    first, second = page.sections
    assert [row.last[:10] for row in first.fingerprints] == ["2026-05-03", "2026-05-01"]
    assert [fact.value for fact in first.seen[:3]] == ["5", "2026-05-03 14:03 UTC", "2026-05-01 10:00 UTC"]
    assert second.line.endswith("1 thread")
    assert page.banner.sentence.endswith("2 classes of machines, 3 fingerprints, 6 runs.")


def test_a_fingerprint_says_what_changed_from_the_one_seen_before(seen):
    kernel = (*ORDERLY[:1], ("kernel", "6.8.0"), ORDERLY[2])
    (section,) = machines_page([seen(2, facts=kernel, memory_bytes=64 << 30), seen(1)], pages=()).sections
    newer, older = section.fingerprints
    assert [(change.name, change.before, change.after) for change in newer.changes] == [
        ("kernel", "6.1.0", "6.8.0"),
        ("memory", "32.0 GiB", "64.0 GiB"),
    ]
    assert older.changes == ()


def test_limits_are_shown_with_their_spread_over_runs(seen):
    (section,) = machines_page([seen(1, limits=(limits(2e10), limits(1e10), limits(4e10)))], pages=()).sections
    row = section.limits[0]
    assert (row.name, row.newest, row.median, row.lowest, row.highest, row.runs) == (
        "read bandwidth", "20.0 GB/s", "20.0 GB/s", "10.0 GB/s", "40.0 GB/s", 3,
    )  # fmt: skip
    assert [each.name for each in section.limits] == ["read bandwidth", "FP32 GEMM", "BF16 GEMM", "INT8 GEMM"]


def test_without_limits_the_page_says_so(seen):
    page = machines_page([seen(1)], pages=())
    assert page.sections[0].limits == ()
    assert "No run of this class has measured them" in render(page)


@pytest.mark.parametrize(
    ("amx", "facts", "word", "tone"),
    [
        ({"usable_by_inductor": True}, ORDERLY, "in order", Tone.GOOD),
        ({"usable_by_inductor": False}, ORDERLY, "to look at", Tone.OPEN),
        ({"usable_by_inductor": True}, ORDERLY[1:], "problem", Tone.BAD),
    ],
)
def test_the_verdict_is_the_worst_there_is_to_say(make, seen, *, amx, facts, word, tone):
    banner = machines_page([seen(1, amx=replace(make.machine().amx, **amx), facts=facts)], pages=()).banner
    assert (banner.badge.word, banner.badge.tone) == (word, tone)


def test_of_a_class_only_how_it_was_seen_last_has_findings(seen):
    page = machines_page([seen(2), seen(1, facts=ORDERLY[1:])], pages=())
    assert "no working C++ compiler" not in {row.finding.what for row in page.sections[0].findings}


def test_a_run_is_linked_where_it_has_a_page(seen):
    (section,) = machines_page([seen(2), seen(1, memory_bytes=1 << 30)], pages={"run-2"}).sections
    assert [row.href for row in section.fingerprints] == ["run-run-2.html", ""]


def test_an_empty_history_is_no_machine_in_order(seen):
    assert machines_page([], pages=()).banner.badge.tone is Tone.OPEN


def test_the_section_of_a_class_is_where_pages_of_runs_lead(make, seen):
    from pytest_xeonperf.report.page_run import run_page

    summary = seen(1)
    page, anchor = run_page(make.run(machine=summary.machine)).machine_href.split("#")
    assert page == "machines.html"
    assert f'id="{anchor}"' in render(machines_page([summary], pages=()))
