"""Change points of real series: who agrees with the detector that each series comes with.

Stated is what that detector is expected to report in its own project's tests. That is a finding, not the truth: what
others report besides may well be there.
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from synthetic import TOLERANCE

LOG = logging.getLogger("league")
SERIES = Path(__file__).with_name("series")
ALL = "all"
SHARED = "more that another tool reports too"
ITS_OWN = "Apache Otava at that setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A series in the order of time, and the indices at which a change is stated."""

    name: str
    values: tuple[float, ...]
    stated: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The series of TigerBeetle with what Apache Otava is expected to report at a setting."""

    series: Series
    window: int
    most_p: float
    least_change: float


def perfherder_series(folder=SERIES / "perfherder"):
    """Seven of Mozilla's, in the order of their names."""
    found = []
    for path in sorted(folder.glob("*.json")):
        read = json.loads(path.read_text(encoding="utf-8"))
        at = {time_s: index for index, time_s in reversed(list(enumerate(read["timestamp_s"])))}
        stated = tuple(sorted(at[time_s] for time_s in read["perfherder_change_timestamps"]))
        found.append(Series(name=path.stem, values=tuple(map(float, read["value"])), stated=stated))
    return found


def tigerbeetle(path=SERIES / "otava" / "tigerbeetle.json"):
    """One series at ten settings."""
    read = json.loads(path.read_text(encoding="utf-8"))
    values = tuple(map(float, read["series"]))
    return [
        Setting(
            series=Series(
                name=f"p < {each['max_pvalue']:g}, {each['min_magnitude']:.0%}",
                values=values,
                stated=tuple(each["change_points"]),
            ),
            window=each["window_len"],
            most_p=each["max_pvalue"],
            least_change=each["min_magnitude"],
        )
        for each in read["otava"]
    ]


def matched(stated, found, tolerance=TOLERANCE):
    """As many pairs (stated, found) as there can be within the tolerance, each point in one pair at most."""
    pairs, left, right = [], sorted(stated), sorted(found)
    while left and right:
        if abs(left[0] - right[0]) <= tolerance:
            pairs.append((left.pop(0), right.pop(0)))
        else:
            (left if left[0] < right[0] else right).pop(0)
    return pairs


def agreement(series, found):
    """How many of the stated changes were found, what else was, and where."""
    found = sorted(map(int, found))
    pairs = matched(series.stated, found)
    return {
        **_counts(len(series.values), len(series.stated), len(pairs), len(found) - len(pairs)),
        "found_at": found,
        "missed_at": sorted(set(series.stated) - {stated for stated, _found in pairs}),
        "others_at": sorted(set(found) - {found for _stated, found in pairs}),
    }


def total(agreed):
    """The same of several series together."""
    return _counts(*(sum(each[key] for each in agreed) for key in ("points", "stated", "found", "others")))


def _counts(points, stated, found, others):
    """With the mean run of points to a finding that is not stated; where there is none it is longer than all points."""
    run = {"run_length": points / max(others, 1), "run_is_longer": not others}
    return {"points": points, "stated": stated, "found": found, "others": others, **run}


def shared(rows):
    """Of each tool's others, how many a tool of somebody else reports within the tolerance, stated or not."""
    table = {}
    for tool in next(iter(rows.values())):
        count = 0
        for row in rows.values():
            theirs = [at for name, each in row.items() if _maker(name) != _maker(tool) for at in each["found_at"]]
            count += sum(any(abs(at - own) <= TOLERANCE for at in theirs) for own in row[tool]["others_at"])
        table[tool] = {"shared": count, "others": sum(len(row[tool]["others_at"]) for row in rows.values())}
    return table


def _maker(name):
    return name.split()[0]


def agreements(detectors):
    """Mozilla's series, each tool with its defaults; and TigerBeetle's, also Apache Otava as it was set."""
    rows = {}
    for series in perfherder_series():
        rows[series.name] = {}
        for name, detect in detectors.items():
            rows[series.name][name] = agreement(series, detect(series.values))
        LOG.info("real %s: %s", series.name, rows[series.name])
    together = {name: total([row[name] for row in rows.values()]) for name in detectors}
    return {"perfherder": {**rows, ALL: together, SHARED: shared(rows)}, "tigerbeetle": _at_settings(detectors)}


def _at_settings(detectors):
    from otava.analysis import compute_change_points

    settings = tigerbeetle()
    by_default = {name: detect(settings[0].series.values) for name, detect in detectors.items()}
    rows = {}
    for each in settings:
        own, _weak = compute_change_points(
            list(each.series.values),
            window_len=each.window,
            max_pvalue=each.most_p,
            min_magnitude=each.least_change,
        )
        row = {**by_default, ITS_OWN: [point.index for point in own]}
        rows[each.series.name] = {name: agreement(each.series, found) for name, found in row.items()}
        LOG.info("real TigerBeetle, %s: %s", each.series.name, rows[each.series.name])
    return rows
