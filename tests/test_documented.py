"""What can be used is in the README, and what the README names can be used."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest

from pytest_xeonperf import plugin
from pytest_xeonperf.cli.main import COMMANDS, xeonperf
from pytest_xeonperf.shell.markers import MARKERS
from pytest_xeonperf.shell.settings import pytest_addoption

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
CODE = "\n".join(re.findall(r"^```.*?^```|`[^`\n]+`", README, flags=re.DOTALL | re.MULTILINE))
"""Blocks and words set as code: `variant` as a word of a sentence says nothing about the fixture."""

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


def test_every_environment_variable_that_the_readme_names_is_that_of_an_option():
    variables = {option.strip("-").replace("-", "_").upper() for option in REGISTERED.options}
    assert set(re.findall(r"(?<!\w)XEONPERF(?:_[A-Z]+)*(?!\w)", README)) <= variables


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


@pytest.mark.parametrize("fixture", FIXTURES)
def test_every_fixture_has_a_word_of_help(fixture):
    assert getattr(plugin, fixture).__doc__
