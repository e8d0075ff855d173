"""The command of a case measures it as it was measured."""

import shlex
from dataclasses import replace

import pytest

from pytest_xeonperf.report.reproduce import DEFAULTS, command
from pytest_xeonperf.shell.options import OPTIONS
from pytest_xeonperf.shell.settings import Settings

NOT_ABOUT_MEASURING = {"db", "preset", "report", "push", "release"}


def test_every_option_that_changes_what_is_measured_is_known_with_its_default():
    known = {option.name: str(option.default) for option in OPTIONS if option.name not in NOT_ABOUT_MEASURING}
    assert known == DEFAULTS


@pytest.fixture
def recorded(pytester):
    """What a session with these options keeps of them."""
    return lambda *options: Settings.from_pytest(pytester.parseconfig(*options)).as_pairs()


def test_a_run_with_defaults_needs_none_of_them(make, recorded):
    assert command(make.case(), "t.py::test_x", recorded()) == (
        "pytest --xeonperf --xeonperf-preset=quick t.py::test_x"
    )


@pytest.mark.parametrize(
    "options",
    [
        ["--xeonperf-amx=cap", "--xeonperf-threads=8"],
        ["--xeonperf-budget=12.5"],
        ["--xeonperf-budget=60", "--xeonperf-pairs=4:9"],
        ["--xeonperf-supervise=off", "--xeonperf-processes=3", "--xeonperf-alpha=0.01"],
    ],
)
def test_what_was_not_its_default_is_given_again_and_comes_to_the_same_settings(make, recorded, options):
    found = shlex.split(command(make.case(), "t.py::test_x[a b]", recorded(*options)))
    assert found == ["pytest", "--xeonperf", "--xeonperf-preset=quick", *options, "t.py::test_x[a b]"]
    assert recorded(*found[2:-1]) == recorded(*options)


def test_a_value_from_elsewhere_is_quoted(make):
    found = command(make.case(), "t.py", [("amx", "cap; rm -rf /"), ("preset", "full")])
    assert shlex.split(found)[3] == "--xeonperf-amx=cap; rm -rf /"


def test_the_preset_is_the_case_s_own_and_what_is_timed_alone_has_no_options(make):
    options = [("preset", "full"), ("amx", "cap")]
    assert "--xeonperf-preset=smoke" in command(replace(make.case(), preset="smoke"), "t.py", options)
    assert command(make.alone().case, "t.py::test_fft", options) == "pytest --xeonperf t.py::test_fft"
