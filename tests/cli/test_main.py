"""The command line as a whole: errors become messages and exit codes."""

import sys

import click
import pytest

from pytest_xeonperf.cli import main as module
from pytest_xeonperf.cli.main import COMMANDS, main, xeonperf
from pytest_xeonperf.errors import DataError, ExitCode


@pytest.fixture
def run(monkeypatch, capsys):
    """Calls the program with arguments; gives its exit code, stdout and stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["xeonperf", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return left.value.code, said.out, said.err

    return call


@pytest.fixture
def command_that(monkeypatch):
    """Puts a command called ``doctor`` in the real one's place, which does what is given."""

    def put(act):
        monkeypatch.setattr(module._Lazy, "get_command", lambda *_: click.Command("doctor", callback=act))

    return put


def raiser(error):
    def act():
        raise error

    return act


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("--version",), *((name, "--help") for name in COMMANDS)])
def test_asking_for_help_is_no_error(run, arguments):
    code, out, err = run(*arguments)
    assert (code, err) == (ExitCode.OK, "")
    assert "xeonperf" in out


def test_the_help_lists_every_command_with_a_line_about_it(run):
    lines = run("--help")[1].partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == list(COMMANDS)
    assert all(len(line.split()) > 2 for line in lines)


@pytest.mark.parametrize("arguments", [(), ("no-such-command",), ("show", "--no-such-option"), ("show", "a", "b")])
def test_a_wrong_call_exits_4_and_talks_on_stderr(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (ExitCode.USAGE, "")
    assert "Usage: xeonperf" in err


def test_an_error_of_ours_says_what_where_and_what_to_do_and_exits_with_its_code(run, command_that):
    command_that(raiser(DataError("is no database", where="x.db", remedy="give another")))
    assert run("doctor") == (ExitCode.USAGE, "", "xeonperf: x.db: is no database\n  what to do: give another\n")


def test_ctrl_c_exits_2(run, command_that):
    command_that(raiser(KeyboardInterrupt()))
    code, _, err = run("doctor")
    assert code == ExitCode.INTERRUPTED
    assert "interrupted" in err


def test_a_file_that_click_cannot_open_exits_4_not_1_which_means_red(run, command_that):
    command_that(raiser(click.FileError("x", hint="gone")))
    assert run("doctor")[0] == ExitCode.USAGE


def test_a_defect_shows_its_traceback_and_exits_3_not_1_which_means_red(run, command_that):
    command_that(raiser(RuntimeError("a defect")))
    code, _, err = run("doctor")
    assert code == ExitCode.INFRASTRUCTURE
    assert "Traceback" in err
    assert "a defect" in err


def test_a_command_can_leave_with_a_code_of_its_own(run, command_that):
    command_that(lambda: click.get_current_context().exit(ExitCode.UNDECIDED))
    assert run("doctor")[0] == ExitCode.UNDECIDED


def test_a_command_that_returns_nothing_exits_0(run, command_that):
    command_that(lambda: None)
    assert run("doctor")[0] == ExitCode.OK


def test_every_module_of_a_command_is_in_the_group():
    with click.Context(xeonperf) as context:
        assert all(isinstance(xeonperf.get_command(context, name), click.Command) for name in COMMANDS)
