"""The command ``xeonperf``: finds its subcommands by name and turns errors into exit codes."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from keyword import iskeyword

import click

from pytest_xeonperf.errors import ExitCode, XeonPerfError

COMMANDS = (
    "alerts",
    "compare",
    "db",
    "doctor",
    "export",
    "gate",
    "import",
    "init",
    "push",
    "quantize",
    "report",
    "serve",
    "show",
    "token",
)
"""Each is the module of that name (``import_`` of ``import``) here, holding a click command called ``command``."""


class _Lazy(click.Group):
    """A group that imports a subcommand's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = import_module(f"pytest_xeonperf.cli.{module}").command
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pytest-xeonperf")
def xeonperf() -> None:
    """Performance-regression tests for generative-AI models on Xeon CPUs.

    Measure with `pytest --xeonperf suites/`; these commands look at the machine and at the history.
    Data goes to stdout, talk to stderr. Exit codes: 0 pass, 1 red, 2 interrupted, 3 infrastructure, 4 usage or data,
    5 nothing to run, 6 undecided.
    """


def main() -> None:
    """Run the command line and leave with an exit code of ours: click's own, 1 and 2, mean something else here."""
    sys.exit(_run())


def _run() -> int:
    try:
        returned = xeonperf(prog_name="xeonperf", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("xeonperf: interrupted", err=True)
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except XeonPerfError as error:
        click.echo(f"xeonperf: {error}", err=True)
        return error.exit_code
    except Exception:  # noqa: BLE001 - a defect of ours; Python's own exit code for it, 1, would say that something is red
        traceback.print_exc()
        return ExitCode.INFRASTRUCTURE
    # a command that ends by ctx.exit(code) comes back as that code, any other as what its function returned
    return returned if isinstance(returned, int) else ExitCode.OK
