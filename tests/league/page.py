"""The results as Markdown: what each part was run with, and its tables with what is to be known to read them."""

from dataclasses import dataclass

from comparisons import NULLS, RATE, UNBOUNDED
from gates import ALPHA
from synthetic import LONGEST, TOLERANCE, WATCHED
from targets import targets

TITLES = {
    "false_failures": "False failures",
    "power": "Power",
    "coverage": "Coverage",
    "change_points": "Change points",
    "delays": "Delay of change points",
    "alarms": "False alarms by length",
    "speed_s": "Speed",
}
"""Of the parts that are one table."""

NOTES = {
    "false_failures": """\
Shares of {repetitions} comparisons of unchanged code that are failed. xeonperf states at most {alpha:.0%}, under noise
that favours no side of a round.""",
    "power": """\
Shares of {repetitions} true slow-downs that are failed, in iid noise of 1 %, and calls. Every tool is as it comes, so
their false failures differ (table above). Cases of one gate share its alpha: one of forty needs more rounds than one
alone.""",
    "coverage": """\
Shares of {repetitions} intervals at 95 % that hold the truth, and their median width; of so many pairs in a look at
most. Five pairs bound no median at 95 % on both sides: xeonperf's interval is then without an end, and that it holds
the truth says nothing. What it calls slower has three pairs more at least, and is bounded again.""",
    "change_points": """\
F1 (precision, recall; share of series without a change that raise an alarm): {repetitions} series of 200 points, one to
four changes of 2 to 10 %, found within {tolerance} points.""",
    "delays": """\
Median of the points after a change until it is reported, looked at after every point, and the share of changes that
are not within {longest} points: {repetitions} series with one change of 2 to 10 %. Who reports much that is not there
is early with what is, so this is to be read with the false alarms above.""",
    "alarms": """\
Of change points: shares of {repetitions} series without a change ({quarter} of 1000 points). What is stated, 1 %, is of
a series that is looked at once. The last row is of {twentieth} series that are looked at after every one of {watched}
points, as alerts do: what any of these looks would have told.""",
    "speed_s": "Seconds.",
}

AT_RATE = f"""\
Every tool set to the figure at which it fails {RATE:.0%} of {NULLS} comparisons of unchanged code {{where}}; what it
then fails of {NULLS} others, in iid noise and in the worst that is no drift, and of {{repetitions}} true slow-downs in
iid noise of 1 %, with calls. xeonperf's figure is its tolerance: at 0 its two looks fail fewer."""

HELD = {
    "iid": (f"where all fail {RATE:.0%} in iid noise", "in iid noise"),
    "every": (f"where all fail {RATE:.0%} at most in every noise but drift", "in each noise but drift, the largest"),
}

AIMED = """\
The figures that were aimed at, before any was measured. An opponent in calls is who holds the rate in every noise but
drift (as they come) or was set to it, and has the power too. Fewer false alarms are fewer than any
opponent's, or none."""

MOZILLA = f"""\
Changes found of those that a detector of their own is expected to report, within {TOLERANCE} points, and how many more
were reported; in brackets the mean run of points to one of those more. Seven series of Mozilla's Talos tests
([where they are from](../../tests/league/series/README.md)) with what Perfherder's tests expect of it. What is stated
is that detector's finding, not the truth, and the series were at hand when xeonperf's change points were written: this
is who agrees with whom, and no test of who is right. Nothing was changed for this table, and every tool has its
defaults."""

READING_MOZILLA = """\
- **Perfherder** as its source has it agrees fully, without one more. As its documentation has it, it misses what moved
  by less than 2 % (`a11y` 152, `runs3` 98, `tp5rss` 995: its source marks these, and leaves them out of its alerts
  later), and `tp5rss` 1167, which has a higher t within twelve points (1178). Where there is no noise at all it has no
  t, which is infinite in the source: it reports 23 and 25 in place of `runs3` 24.
- **xeonperf** misses one: it has the rise of `tp5rss` at 1162, not at 1167. The eleven points that are 17 % higher are
  clipped at three standard deviations, and five before them that are 2 % higher then look much like them.
- What **xeonperf** reports besides are mostly steps of 0.6 to 45 % to a level that holds for 53 points or more; in
  Perfherder's windows, which are narrow, t is below 7 at all of them. Three are reported by nobody else: `tp5rss` 1162,
  and `runs4` 1769 and 1773, between which four points in a row are at more than twice the level."""

TIGERBEETLE = f"""\
The same for a series of TigerBeetle of 365 points with what Apache Otava's tests expect of it at ten settings (p, and
the least change; windows of 30), within {TOLERANCE} points. The last column is Apache Otava as it was set, the others
have their defaults: Apache Otava's are p < 0.001, any change, windows of 50."""

READING_TIGERBEETLE = """\
- Of what is stated at p < 0.001, **xeonperf** misses 117 and 212, whose contrasts between the stated ones on either
  side, 4.5 and 3.6, are below its threshold of 4.9, and both ends of a level that is left again after six points: 142
  is beyond the threshold in no interval of its grid, and 148 does not hold without it. The one point that is 40 % lower
  (10 and 11, stated at p < 0.1) is an outlier to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: str
    note: str
    rows: dict
    reading: str = ""


def sections(part, found, repetitions):
    """What the page shows of a part."""
    if part == "real":
        tables = {
            "Real series of Mozilla": (MOZILLA, found["perfherder"], READING_MOZILLA),
            "A real series of TigerBeetle": (TIGERBEETLE, found["tigerbeetle"], READING_TIGERBEETLE),
        }
        return [
            Section(title=title, note=note, rows=rows, reading=read) for title, (note, rows, read) in tables.items()
        ]
    if part == "equal_rates":
        return [
            Section(title=f"Power {words}", note=AT_RATE.format(where=where, repetitions=repetitions), rows=found[held])
            for held, (words, where) in HELD.items()
        ]
    figures = {
        "repetitions": repetitions,
        "quarter": repetitions // 4,
        "twentieth": repetitions // 20,
        "alpha": ALPHA,
        "tolerance": TOLERANCE,
        "longest": LONGEST,
        "watched": WATCHED,
    }
    return [Section(title=TITLES[part], note=NOTES[part].format(**figures), rows=found)]


def markdown(found):
    """The page, of the parts that there are."""
    runs = found["runs"]
    shown = {part: sections(part, found[part], run["repetitions"]) for part, run in runs.items()}
    lines = ["# The league", "", *_about(shown, runs), ""]
    aimed = targets(found)
    if aimed:
        lines += ["## Reached and not reached", "", AIMED, "", *_table(aimed), ""]
    for section in (section for part in shown.values() for section in part):
        lines += [f"## {section.title}", "", section.note, "", *_table(section.rows), ""]
        lines += [section.reading, ""] if section.reading else []
    return "\n".join(lines)


def _about(shown, runs):
    """What it comes from; by part where not all were run with the same."""
    parts = {}
    for part, run in runs.items():
        versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items())
        words = f"{'`--quick`, ' if run['quick'] else ''}{versions}"
        parts.setdefault(words, []).extend(section.title for section in shown[part])
    yield "From `python tests/league reports/league`, seeds kept; all parts at once, or some with `--only`. Rules that"
    yield "stand as `its documentation` or `its source` are written from there. Run with:"
    yield ""
    for words, titles in parts.items():
        yield f"- {'all' if len(parts) == 1 else ', '.join(titles)}: {words}."


def _table(rows):
    columns = list(next(iter(rows.values())))
    yield f"| | {' | '.join(columns)} |"
    yield f"| --- |{' ---: |' * len(columns)}"
    for name, row in rows.items():
        yield f"| {name} | {' | '.join(_cell(row.get(column)) for column in columns)} |"


def _cell(value):
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        return f"{value:.3g}"
    show = next(show for key, show in CELLS.items() if key in value)
    return show(**value)


def _agreement(found, stated, others, run_length, run_is_longer, **_where):
    return f"{found} of {stated}, {others} more ({'> ' if run_is_longer else ''}{run_length:,.0f})"


def _failures(failed, undecided):
    return f"{failed:.1%} ({undecided:.1%} undecided)" if undecided else f"{failed:.1%}"


def _held(held, width):
    return f"{held:.1%} ({f'width {width:.3f}' if width < UNBOUNDED else 'without an end'})"


def _delay(median_delay, never):
    return f"{'> ' if median_delay > LONGEST else ''}{min(median_delay, LONGEST):.0f} ({never:.0%} never)"


CELLS = {
    "median_delay": _delay,
    "noise": "{failed:.1%} ({noise})".format,
    "stated": _agreement,
    "shared": "{shared} of {others}".format,
    "calls": "{detected:.1%} ({calls:.0f} calls)".format,
    "failed": _failures,
    "held": _held,
    "f1": "{f1:.2f} ({precision:.2f}, {recall:.2f}; {false_alarms:.1%})".format,
}
"""How a cell is written, by a figure that only its kind has."""
