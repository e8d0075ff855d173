"""What can be used is in the README, and what the README names can be used."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest

import pytest_xeonperf
from pytest_xeonperf import plugin
from pytest_xeonperf.cli.main import COMMANDS, xeonperf
from pytest_xeonperf.shell.markers import MARKERS
from pytest_xeonperf.shell.options import pytest_addoption
from pytest_xeonperf.workloads.catalog import CATALOG
from pytest_xeonperf.workloads.diffusion_sizes import PIXELS_PER_LATENT, size_of
from pytest_xeonperf.workloads.presets import Preset

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
CODE = "\n".join(re.findall(r"^```.*?^```|`[^`\n]+`", README, flags=re.DOTALL | re.MULTILINE))
"""Blocks and words set as code: `variant` as a word of a sentence says nothing about the fixture."""

SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in Path(pytest_xeonperf.__file__).parent.rglob("*.py"))
READ_DIRECTLY = set(re.findall(r'environ\.get\("(XEONPERF\w*)"', SOURCES))
"""Environment variables that belong to no option of the session."""

CI = (Path(__file__).parents[1] / ".ci" / "run").read_text(encoding="utf-8")
FIXTURES = tuple(name for name in plugin.__all__ if not name.startswith("pytest_"))


@dataclass
class Notebook:
    """Takes the place of pytest's parser and notes what the plugin really registers."""

    options: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def getgroup(self, *_: str) -> "Notebook":
        return self

    def addoption(self, name: str, **_: object) -> None:
        self.options.append(name)

    def addini(self, name: str, **_: object) -> None:
        self.keys.append(name)


REGISTERED = Notebook()
pytest_addoption(REGISTERED)


def names(word: str) -> bool:
    """Whether the README sets this word as code, whole."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", CODE) is not None


@pytest.mark.parametrize("option", REGISTERED.options)
def test_every_option_is_in_the_readme(option):
    assert names(option)


@pytest.mark.parametrize("key", REGISTERED.keys)
def test_every_ini_key_is_in_the_readme(key):
    assert names(key)


@pytest.mark.parametrize("marker", MARKERS)
def test_every_marker_is_in_the_readme(marker):
    assert names(marker)


@pytest.mark.parametrize("fixture", FIXTURES)
def test_every_fixture_is_in_the_readme(fixture):
    assert names(fixture)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command):
    assert names(f"xeonperf {command}")


def test_every_option_that_the_readme_names_exists():
    assert set(re.findall(r"--xeonperf(?:-\w+)*", README)) <= set(REGISTERED.options)


def test_every_ini_key_that_the_readme_names_exists():
    assert set(re.findall(r"(?<!\w)xeonperf_\w+", README)) <= set(REGISTERED.keys)


def test_every_environment_variable_that_the_readme_names_is_that_of_an_option_or_is_read():
    variables = {option.strip("-").replace("-", "_").upper() for option in REGISTERED.options}
    assert set(re.findall(r"(?<!\w)XEONPERF(?:_[A-Z]+)*(?!\w)", README)) <= variables | READ_DIRECTLY


def test_every_environment_variable_of_no_option_is_in_the_readme():
    assert {"XEONPERF", "XEONPERF_CACHE", "XEONPERF_RESUME"} <= READ_DIRECTLY
    assert all(names(variable) for variable in READ_DIRECTLY)


@pytest.mark.parametrize("workload", CATALOG)
def test_every_workload_is_in_the_readme_with_its_phases_and_options(workload):
    row = next(line for line in README.splitlines() if re.match(rf"\| .*`{workload}`.* \| .* \| .* \|$", line))
    _, phases, options = row.strip("| ").split(" | ")
    assert re.findall(r"`(\w+)`", phases) == list(CATALOG[workload].phases)
    assert re.findall(r"`(\w+)=`", options) == list(CATALOG[workload].options)


@pytest.mark.parametrize("option", sorted({option for entry in CATALOG.values() for option in entry.options}))
def test_every_option_of_a_workload_is_explained_outside_of_the_table(option):
    prose = "\n".join(line for line in README.splitlines() if not line.startswith("|"))
    assert f"`{option}=" in prose


@pytest.mark.parametrize("preset", [Preset.QUICK, Preset.FULL])
def test_how_large_an_image_of_sdxl_is_stands_in_the_readme(preset):
    size = size_of(preset)
    side = size.image_side * PIXELS_PER_LATENT
    guidance = "with guidance" if size.guided else "without guidance"
    assert f"{side}x{side} pixels in {size.steps} steps, {guidance}" in README


def test_every_command_that_the_readme_calls_exists():
    called = re.findall(r"(?:^\s*\$?\s*|`|&& )xeonperf ([a-z]\w*)", CODE, flags=re.MULTILINE)
    assert set(called) <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_every_option_of_it_has_a_word_of_help(command):
    with click.Context(xeonperf) as context:
        found = xeonperf.get_command(context, command)
    commands = [found, *getattr(found, "commands", {}).values()]
    options = [each for one in commands for each in one.params if isinstance(each, click.Option)]
    assert all(each.help for each in [*commands, *options])


def test_ci_runs_what_the_two_commands_of_the_readme_run():
    main_job, tests = re.findall(r"^python3 -m venv .* && \.venv/bin/(pytest .*)$", README, flags=re.MULTILINE)
    assert re.search(rf'^step "tests" {re.escape(tests)}$', CI, flags=re.MULTILINE)
    assert re.search(rf"^ +{re.escape(main_job)} --xeonperf-preset smoke ", CI, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("seconds", "said"), [(1499, "24 min 59 s: within the 25 minutes"), (1561, "26 min 1 s: MORE than the 25 minutes")]
)
def test_ci_says_whether_it_took_as_long_as_it_may(seconds, said):
    function = re.search(r"^how_long\(\) \{.*?^\}", CI, flags=re.MULTILINE | re.DOTALL)[0]
    script = f"set -Eeuo pipefail\n{function}\nhow_long {seconds}"
    assert said in subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("fixture", FIXTURES)
def test_every_fixture_has_a_word_of_help(fixture):
    assert getattr(plugin, fixture).__doc__
