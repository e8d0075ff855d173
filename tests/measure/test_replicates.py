"""What several processes measured of one case, together."""

from dataclasses import replace
from pathlib import Path

from pytest_xeonperf.exchange import native
from pytest_xeonperf.measure.replicates import combined
from pytest_xeonperf.records import NOT_RECORDED


def test_disturbed_rounds_are_counted_over_all_processes():
    run = native.loads((Path(__file__).parents[1] / "cli" / "run.json").read_text(encoding="utf-8"))
    one = run.results[0].measurement
    several = [replace(one, disturbed_rounds=number) for number in (1, 0, 2)]
    assert combined(several, lambda _samples: one.speedup).disturbed_rounds == 3
    unknown = [*several, replace(one, disturbed_rounds=NOT_RECORDED)]
    assert combined(unknown, lambda _samples: one.speedup).disturbed_rounds == NOT_RECORDED
