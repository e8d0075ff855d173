"""How times, sizes, ratios and shares are shown to a person: the only place that formats them."""

from datetime import UTC, datetime
from math import ceil

from pytest_xeonperf.records import UNBOUNDED_RATIO, Estimate

_TIME_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"))
_SIZE_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_ROUNDING = 1e-9
"""By which a product of floats may miss the tenth that it is."""


def show_ns(duration_ns: float) -> str:
    """A duration in nanoseconds with three significant figures: ``12.3 ms``."""
    for size, unit in _TIME_UNITS:
        if duration_ns >= size:
            return f"{_three(duration_ns / size)} {unit}"
    return f"{duration_ns:.0f} ns"


def show_minutes(duration_s: float) -> str:
    """A long duration in seconds, for plans: ``under a minute``, ``12 min``, ``1 h 05 min``."""
    minutes = round(duration_s / 60)
    if minutes < 1:
        return "under a minute"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"  # noqa: PLR2004


def show_bytes(size_bytes: float) -> str:
    """A size in bytes with a binary unit: ``1.50 GiB``."""
    for size, unit in _SIZE_UNITS:
        if size_bytes >= size:
            return f"{_three(size_bytes / size)} {unit}"
    return f"{size_bytes:.0f} B"


def show_count(number: int, noun: str) -> str:
    """A number of things: ``1 case``, ``2 cases``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def show_ratio(ratio: float) -> str:
    """A speed-up: ``3.95x``."""
    return f"{ratio:.2f}x"


def show_estimate(estimate: Estimate) -> str:
    """A speed-up with its interval: ``3.95x [3.90, 4.01]``; an end that nothing bounds is an ellipsis."""
    low = f"{estimate.low_ratio:.2f}" if estimate.low_ratio > 0 else "…"
    high = f"{estimate.high_ratio:.2f}" if estimate.high_ratio < UNBOUNDED_RATIO else "…"
    return f"{show_ratio(estimate.ratio)} [{low}, {high}]"


def show_share(fraction: float) -> str:
    """A share of one: ``71 %``; a negative one has a minus sign as in `show_change`."""
    return f"{fraction * 100:.0f} %".replace("-", "−")  # noqa: RUF001


def show_rate(per_s: float, unit: str) -> str:
    """A rate with a decimal prefix: ``show_rate(2.1e10, "B/s")`` is ``21.0 GB/s``."""
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if per_s >= size:
            return f"{_three(per_s / size)} {prefix}{unit}"
    return f"{_three(per_s)} {unit}"


def show_interval(estimate: Estimate) -> str:
    """The interval of a speed-up alone: ``[3.90, 4.01]``; an end that nothing bounds is an ellipsis."""
    return show_estimate(estimate).partition(" ")[2]


def show_change(ratio: float) -> str:
    """What a factor is as a change: 1.042 is ``+4.2 %``; less has a minus sign as wide as the plus."""
    percent = round((ratio - 1) * 100, 1)
    sign = "+" if percent > 0 else "−" if percent < 0 else "±"  # noqa: RUF001
    return f"{sign}{abs(percent):.1f} %"


def show_more_time(ratio: float) -> str:
    """What a factor of the latency costs, in words: 1.118 is ``11.8 % more time``; below 1 it is less time."""
    return f"{show_change(ratio)[1:]} {'less' if ratio < 1 else 'more'} time"


def show_slower(ratio: float) -> str:
    """A factor of the latency where there is room for two words: 1.118 is ``11.8 % slower``; below 1 it is faster."""
    return f"{show_change(ratio)[1:]} {'faster' if ratio < 1 else 'slower'}"


def show_difference_ns(duration_ns: float) -> str:
    """A duration that was added or taken away: ``+1.20 ms``; less has a minus sign as wide as the plus."""
    sign = "+" if duration_ns > 0 else "−" if duration_ns < 0 else "±"  # noqa: RUF001
    return f"{sign}{show_ns(abs(duration_ns))}"


def show_slowdown(smallest: float) -> str:
    """The smallest of some slow-downs, rounded up: 0.0412 is ``4.2 %``, and where none is too small it is ``any``."""
    return f"{ceil(smallest * 1000 - _ROUNDING) / 10:.1f} %" if smallest > 0 else "any"


def show_time_change(speedup: Estimate) -> str:
    """A speed-up as what it does to the time, with its interval: 0.96 is ``+4.2 % [+3.1 %, +5.0 %]``."""
    low = show_change(1 / speedup.high_ratio) if speedup.high_ratio < UNBOUNDED_RATIO else "…"
    high = show_change(1 / speedup.low_ratio) if speedup.low_ratio > 0 else "…"
    return f"{show_change(1 / speedup.ratio)} [{low}, {high}]"


def show_score(value: float) -> str:
    """A figure of fidelity, with the digits that tell a good one from a very good one: ``0.99997``."""
    return f"{value:.5g}"


def show_chance(chance: float) -> str:
    """A chance from 0 to 1, with the digits that matter where it is small: ``0.62``, ``0.0012``."""
    return f"{chance:.2g}"


def show_time(timestamp: str) -> str:
    """A UTC ISO-8601 timestamp to the minute: ``2026-05-12 14:03``."""
    return datetime.fromisoformat(timestamp).astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def show_day(timestamp: str) -> str:
    """The day of a UTC ISO-8601 timestamp: ``2026-05-12``."""
    return show_time(timestamp).partition(" ")[0]


def time_scale(longest_ns: float) -> tuple[int, str]:
    """Nanoseconds in the unit that suits a chart's axis, and its name: ``(1000000, "ms")``."""
    return next(((size, unit) for size, unit in _TIME_UNITS if longest_ns >= size), (1, "ns"))


def _three(value: float) -> str:
    """Three significant figures without an exponent."""
    decimals = 2 if value < 10 else 1 if value < 100 else 0  # noqa: PLR2004
    return f"{value:.{decimals}f}"
