"""A comparison as Markdown: for a pull request's comment and for the summary of a CI job."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_change, show_count, show_ns, show_share, show_slowdown, show_time_change

if TYPE_CHECKING:
    from pytest_xeonperf.judge.comparison import ComparedCase, Comparison
    from pytest_xeonperf.records import Commit, Machine

MARKER = "<!-- xeonperf gate -->"
"""First line: whoever posts comments finds the one to replace by it."""

SEEN_FROM = "Slow-down seen from: where none was seen, one of so much or more would have been"
"""What the column says."""

_SHORT_SHA = 10
_MOST_ROWS = 60
"""GitHub cuts comments off at 64 KiB; the whole is in the JSON."""


def comment(comparison: Comparison) -> str:
    """The verdict first, then the cases, worst first, then how it was measured and what to do about it."""
    lines = [MARKER, f"## {_headline(comparison)}", ""]
    lines += [f"Head {_commit(comparison.head_commit)} against base {_commit(comparison.base_commit)}.", ""]
    lines += _table(comparison)
    lines += [f"- {_escaped(note)}" for note in (*comparison.notes, *comparison.remarks)]
    lines += ["", "<details><summary>How this was measured, and what to do</summary>", ""]
    lines += _method(comparison)
    lines += ["", "</details>", ""]
    return "\n".join(lines)


def figures(each: ComparedCase) -> tuple[str, str, str, str, str]:
    """For a table: an item's time at base and at head, the change, the slow-down seen from, the speed-up's change."""
    change = each.change
    if isinstance(change, Unknown):
        return ("-", "-", "-", "-", "-")
    base, head = (show_ns(value / each.items_per_call) for value in (change.base_ns, change.head_ns))
    speedup = "-" if isinstance(change.speedup, Unknown) else show_change(change.speedup.ratio)
    seen_from = "-" if isinstance(each.seen_from, Unknown) else show_slowdown(each.seen_from)
    return base, head, show_time_change(change.own), seen_from, speedup


def _headline(comparison: Comparison) -> str:
    red = [each for each in comparison.cases if each.outcome.red]
    undecided = [each for each in comparison.cases if each.outcome.undecided]
    compared = show_count(len(comparison.cases), "case")
    if red:
        worst = next(each for each in comparison.worst_first if each.outcome.red)
        change = "" if isinstance(worst.change, Unknown) else f": {show_change(1 / worst.change.own.ratio)} time"
        more = f", and {len(red) - 1} more" if len(red) > 1 else ""
        return f"✗ {worst.outcome.lower().replace('_', ' ')}: {_escaped(worst.label)}{change}{more}"
    if undecided:
        return f"? undecided: {len(undecided)} of {compared}"
    if not comparison.cases:
        return "? nothing was compared"
    return f"✓ no slow-down beyond {show_change(1 + comparison.tolerance)} in {compared}"


def _table(comparison: Comparison) -> list[str]:
    if not comparison.cases:
        return []
    lines = [
        "| | case | base | head | time of head | slow-down seen from | change of the speed-up | |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
        *(_row(each) for each in comparison.worst_first[:_MOST_ROWS]),
    ]
    left = len(comparison.cases) - _MOST_ROWS
    return [*lines, "", *([f"{left} more are in the report."] if left > 0 else [])]


def _row(each: ComparedCase) -> str:
    sign = "✗" if each.outcome.red else "?" if each.outcome.undecided else "✓"
    word = each.outcome.lower().replace("_", " ")
    why = f": {_escaped(each.reason)}" if each.reason else ""
    return f"| {sign} | {_escaped(each.label)} | {' | '.join(figures(each))} | {word}{why} |"


def _method(comparison: Comparison) -> list[str]:
    machine = comparison.head_machine
    beyond, chance = show_change(1 + comparison.tolerance), show_share(comparison.alpha)
    threads = show_count(machine.threads, "thread")
    tests = sorted({shlex.quote(each.node_id) for each in comparison.cases if each.outcome.red})
    return [
        f"- Machine: {machine.cpu_model}, {machine.isa}, {threads}; {_torches(comparison)}.",
        f"- Both commits ran in the same rounds, in random order; {comparison.rounds_in_words}.",
        f"- Red is what is slower for sure, by an estimate beyond {beyond}, and again in fresh processes.",
        f"- The chance of any undeserved red is at most {chance} over all cases.",
        f"- {SEEN_FROM}.",
        "- To reproduce it, and to look closer:",
        "",
        *_block([comparison.command, *([f"pytest --xeonperf {' '.join(tests)}"] if tests else [])]),
        "",
        "To accept a slow-down, say why in the pull request and merge it: the next comparison has it in its base.",
    ]


def _torches(comparison: Comparison) -> str:
    base, head = (_fact(machine, "torch") for machine in (comparison.base_machine, comparison.head_machine))
    return f"torch {head}" if base == head else f"torch {base} at base, {head} at head"


def _fact(machine: Machine, name: str) -> str:
    return dict(machine.facts).get(name, "unknown")


def _commit(commit: Commit) -> str:
    changed = " with uncommitted changes" if commit.dirty else ""
    return f"`{commit.sha[:_SHORT_SHA]}`{changed} ({_escaped(commit.subject)})"


def _escaped(text: str) -> str:
    """Text of other people's, as text: no tables, links, HTML or mentions out of it."""
    text = re.sub(r"([\\`\[\]|])", r"\\\1", " ".join(text.split()))
    for special, plain in (("&", "&amp;"), ("<", "&lt;"), ("@", "@&#8203;")):
        text = text.replace(special, plain)
    return text


def _block(lines: list[str]) -> list[str]:
    """Commands as a block of code, whatever is in them."""
    runs = re.findall("`+", "".join(lines))
    fence = "`" * max(3, 1 + max(map(len, runs), default=0))
    return [f"{fence}sh", *(" ".join(line.split()) for line in lines), fence]
