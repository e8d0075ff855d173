import pickle

import pytest

from pytest_xeonperf.shell.options import OPTIONS, Supervision
from pytest_xeonperf.shell.settings import Settings
from pytest_xeonperf.workloads.presets import Preset

VALUES = {  # option: field, three values that differ
    "db": ("db", ("/a.db", "/b.db", "/c.db")),
    "preset": ("preset", ("smoke", "quick", "full")),
    "amx": ("amx", ("cap", "off", "repair")),
    "threads": ("threads", ("1", "2", "3")),
    "supervise": ("supervise", ("off", "on", "off")),
    "report": ("report", ("/a", "/b", "/c")),
    "budget": ("budget_s", ("1.5", "2", "3")),
    "alpha": ("alpha", ("0.1", "0.2", "0.3")),
    "pairs": ("max_pairs", ("1:1", "6:80", "10:400")),
    "processes": ("processes", ("2", "3", "4")),
    "release": ("release", ("v1", "v2", "main")),
    "push": ("push", ("http://a", "http://b", "https://c")),
}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in ("XEONPERF", "XEONPERF_RESUME", *(f"XEONPERF_{option.name.upper()}" for option in OPTIONS)):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def resolved(pytester, monkeypatch):
    """Settings from an ini value, a variable and an argument of one option; empty ones are not given."""

    def resolve(name, *, ini="", variable="", argument=""):
        pytester.makeini(f"[pytest]\nxeonperf_{name} = {ini}\n" if ini else "[pytest]\n")
        if variable:
            monkeypatch.setenv(f"XEONPERF_{name.upper()}", variable)
        return Settings.from_pytest(pytester.parseconfig(*([f"--xeonperf-{name}={argument}"] if argument else [])))

    return resolve


@pytest.mark.parametrize("name", VALUES)
def test_the_command_line_outranks_the_environment_which_outranks_the_ini_file(resolved, name):
    field, (first, second, third) = VALUES[name]
    kinds = {
        "threads": int,
        "processes": int,
        "budget": float,
        "alpha": float,
        "pairs": lambda text: int(text.partition(":")[2]),
    }
    kind = kinds.get(name, str)
    assert getattr(resolved(name, ini=first), field) == kind(first)
    assert getattr(resolved(name, ini=first, variable=second), field) == kind(second)
    assert getattr(resolved(name, ini=first, variable=second, argument=third), field) == kind(third)


def test_every_option_is_tried_above():
    assert set(VALUES) == {option.name for option in OPTIONS}


def test_defaults_are_what_the_help_says(pytester):
    settings = Settings.from_pytest(pytester.parseconfig())
    assert (settings.enabled, settings.preset, settings.supervise) == (False, Preset.QUICK, Supervision.ON)
    assert (settings.db, settings.threads, settings.alpha) == (str(pytester.path / "xeonperf.db"), 0, 0.05)
    assert {option.name for option in OPTIONS if "default" not in option.help} == set()


def test_how_long_a_ladder_may_take_comes_from_budget_and_pairs(resolved):
    effort = resolved("pairs", argument="7:90").effort
    assert (effort.min_rounds, effort.max_rounds, effort.budget_ns) == (7, 90, 240_000_000_000)


def test_every_option_has_an_ini_key_and_help_that_argparse_can_print(pytester):
    config = pytester.parseconfig()
    for option in OPTIONS:
        assert config.getini(f"xeonperf_{option.name}") == ""
        assert option.help % {} == option.help


def test_a_variable_that_is_empty_is_not_given(resolved):
    assert resolved("preset", ini="smoke", variable="").preset is Preset.SMOKE


def test_settings_travel_to_the_measuring_child(settings):
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own bytes


def test_weights_are_paths_relative_to_the_suite(pytester):
    pytester.makeini("[pytest]\nxeonperf_weights =\n    sam-vit-b = weights/sam.pth\n    sdxl=/data/sdxl\n")
    settings = Settings.from_pytest(pytester.parseconfig())
    assert settings.weights == (("sam-vit-b", str(pytester.path / "weights/sam.pth")), ("sdxl", "/data/sdxl"))


def test_what_is_recorded_of_a_run_is_text(settings):
    pairs = dict(settings.as_pairs())
    assert pairs["preset"] == "smoke"
    assert pairs["alpha"] == "0.05"
    assert all(isinstance(value, str) for value in pairs.values())


def test_no_password_is_recorded_of_a_run(settings):
    assert "db" not in dict(settings.as_pairs())


@pytest.mark.parametrize(("variable", "field"), [("XEONPERF", "enabled"), ("XEONPERF_RESUME", "resume")])
def test_a_switch_can_be_set_in_the_environment(pytester, monkeypatch, variable, field):
    found = []
    for value in ("1", "0", ""):
        monkeypatch.setenv(variable, value)
        found.append(getattr(Settings.from_pytest(pytester.parseconfig()), field))
    assert found == [True, False, False]
