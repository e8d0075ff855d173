"""How pages lead to comparisons."""

import shlex
from dataclasses import replace

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report.choice import choice, on_disk, served
from pytest_xeonperf.report.page_run import run_page
from pytest_xeonperf.report.render import render


def test_runs_are_offered_by_machine_with_date_branch_and_commit(make):
    one = make.summary(id="a")
    other = replace(one, id="b", comparability_class="c2", cpu_model="another", branch=Unknown(reason="no git"))
    other = replace(other, sha=Unknown(reason="no git"))
    found = choice([one, other], base="a", head="b").offered
    assert [(each.machine, each.runs) for each in found] == [
        ("INTEL(R) XEON(R) PLATINUM 8581C, amx_bf16", (("a", "2026-05-12 14:03, main 3f9a1c0b77"),)),
        ("another, amx_bf16", (("b", "2026-05-12 14:03, commit unknown"),)),
    ]


def test_a_run_that_is_not_listed_is_offered_once(make):
    offered = choice([make.summary(id="a")], base="old", head="old").offered
    assert [each.runs for each in offered][1:] == [(("old", "run old"),)]


def test_the_one_before_is_linked_or_it_is_said_why_not(make, hostile):
    assert served("head", "base & co", []).href == "compare.html?base=base+%26+co&head=head"
    none = served("head", Unknown(reason="no earlier run"), [])
    assert (none.href, none.choice.base) == (Unknown(reason="no earlier run"), "")
    page = render(run_page(make.run(make.result(), id=hostile), compare=served(hostile, hostile, [])), nonce="n")
    assert "<script>alert" not in page


def test_a_command_on_disk_survives_a_shell(hostile):
    told = on_disk(hostile, "compare.html")
    assert shlex.split(told.command) == ["xeonperf", "compare", "BASE", hostile, "--html", "compare.html"]
