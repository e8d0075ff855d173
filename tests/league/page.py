"""The results as Markdown: what each part was run with, and its tables with what is to be known to read them."""

from dataclasses import dataclass

from gates import ALPHA
from synthetic import TOLERANCE

TITLES = {
    "false_failures": "False failures",
    "power": "Power",
    "coverage": "Coverage",
    "change_points": "Change points",
    "alarms": "False alarms by length",
    "speed_s": "Speed",
}
"""Of the parts that are one table."""

NOTES = {
    "false_failures": """\
Shares of {repetitions} comparisons of unchanged code that are failed. xeonperf states at most {alpha:.0%}, under noise
that favours no side of a round.""",
    "power": "Shares of {repetitions} true slow-downs that are failed, in iid noise of 1 %, and calls.",
    "coverage": "Shares of {repetitions} intervals at 95 % that hold the truth, and their median width.",
    "change_points": """\
F1 (precision, recall; share of series without a change that raise an alarm): {repetitions} series of 200 points, one to
four changes of 2 to 10 %, found within {tolerance} points.""",
    "alarms": "Of change points: shares of {repetitions} series without a change ({quarter} of 1000 points).",
    "speed_s": "Seconds.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: str
    note: str
    rows: dict


def sections(part, found, repetitions):
    """What the page shows of a part."""
    figures = {"repetitions": repetitions, "quarter": repetitions // 4, "alpha": ALPHA, "tolerance": TOLERANCE}
    return [Section(title=TITLES[part], note=NOTES[part].format(**figures), rows=found)]


def markdown(found):
    """The page, of the parts that there are."""
    runs = found["runs"]
    shown = {part: sections(part, found[part], run["repetitions"]) for part, run in runs.items()}
    lines = ["# The league", "", *_about(shown, runs), ""]
    for section in (section for part in shown.values() for section in part):
        lines += [f"## {section.title}", "", section.note, "", *_table(section.rows), ""]
    return "\n".join(lines)


def _about(shown, runs):
    """What it comes from; by part where not all were run with the same."""
    parts = {}
    for part, run in runs.items():
        versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items())
        words = f"{'`--quick`, ' if run['quick'] else ''}{versions}"
        parts.setdefault(words, []).extend(section.title for section in shown[part])
    yield "From `python tests/league reports/league`, seeds kept; all parts at once, or some with `--only`. Rules that"
    yield "stand as `its documentation` are written from there. Run with:"
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
    if not isinstance(value, dict):
        return f"{value:.3g}"
    show = next(show for key, show in CELLS.items() if key in value)
    return show(**value)


def _failures(failed, undecided):
    return f"{failed:.1%} ({undecided:.1%} undecided)" if undecided else f"{failed:.1%}"


CELLS = {
    "calls": "{detected:.1%} ({calls:.0f} calls)".format,
    "failed": _failures,
    "held": "{held:.1%} (width {width:.3f})".format,
    "f1": "{f1:.2f} ({precision:.2f}, {recall:.2f}; {false_alarms:.1%})".format,
}
"""How a cell is written, by a figure that only its kind has."""
