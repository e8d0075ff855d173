"""``xeonperf alerts``: what became slower, and what people make of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from rich.text import Text

from pytest_xeonperf.alerts import OPEN_STATES, AlertState
from pytest_xeonperf.ci.alerts import told, watch_all
from pytest_xeonperf.cli.console import table_console
from pytest_xeonperf.cli.history import database_option, database_or_default
from pytest_xeonperf.cli.person import somebody
from pytest_xeonperf.errors import ExitCode, UsageError
from pytest_xeonperf.exchange import alerts as as_json
from pytest_xeonperf.exchange.alert_words import worst_first
from pytest_xeonperf.exchange.alerts_table import alert_lines, alerts_table
from pytest_xeonperf.exchange.triage import triage_from
from pytest_xeonperf.report.text import legible
from pytest_xeonperf.store.engine import open_store

if TYPE_CHECKING:
    from pytest_xeonperf.alerts import Alert

_JSON_HELP = "JSON of the schema {} instead of {}."


@click.group(invoke_without_command=True)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in AlertState]),
    help="Only these; may be given several times. Default: the open ones, new, acknowledged and investigating.",
)
@click.option("--all", "every", is_flag=True, help="Those that were decided too.")
@click.option("--json", "in_json", is_flag=True, help=_JSON_HELP.format(as_json.LIST_SCHEMA, "a table"))
@database_option
@click.pass_context
def command(context: click.Context, states: tuple[str, ...], db: str, *, every: bool, in_json: bool) -> None:
    """List slow-downs that somebody should look at, worst first; exits with 0 whatever they are.

    A session raises them when it ends, `xeonperf gate` for what it finds slower, and the service for runs it is sent.

    \b
    xeonperf alerts
    xeonperf alerts set 3f9a1c0b77de --state investigating --assignee ann --issue https://example.org/41
    """  # noqa: D301 - click's \b keeps the lines of an example apart
    if context.invoked_subcommand is not None:
        if states or every or in_json or db:
            raise UsageError("options of the list", remedy=f"say them after `{context.invoked_subcommand}`")
        return
    wanted = () if every else tuple(map(AlertState, states)) or OPEN_STATES
    with open_store(database_or_default(db), readonly=True) as store:
        found = worst_first(store.alerts(wanted))
    if in_json:
        click.echo(as_json.dumps_list(found), nl=False)
    elif found:
        table_console().print(alerts_table(found))
    else:
        click.echo("no alerts" if every or states else "no open alerts", err=True)


@command.command
@database_option
def scan(db: str) -> int:
    """Look at every case for slow-downs that nobody was told of; exit code 1 if there are any, else 0.

    What was told of before is not told again, so this may run as often as anybody likes.
    """
    with open_store(database_or_default(db)) as store:
        news = watch_all(store, at=_now())
    for alert in worst_first(news.raised):
        click.echo(f"{alert.id}  {told(alert)}")
    for alert in news.recovered:
        click.echo(f"{alert.id}  the latency is back: {alert.case.label}", err=True)
    for alert in news.reopened:
        click.echo(f"{alert.id}  open again, the latency is not back after all: {alert.case.label}", err=True)
    return ExitCode.RED if news.raised else ExitCode.OK


@command.command
@click.argument("alert_id", metavar="ID")
@click.option("--json", "in_json", is_flag=True, help=_JSON_HELP.format(as_json.SCHEMA, "lines"))
@database_option
def show(alert_id: str, db: str, *, in_json: bool) -> None:
    """Show one alert with its history: who did what, and when."""
    with open_store(database_or_default(db), readonly=True) as store:
        alert, events = store.alert(alert_id), store.alert_events(alert_id)
    if in_json:
        click.echo(as_json.dumps(alert, events), nl=False)
        return
    console = table_console()
    for line in alert_lines(alert, events):
        console.print(Text(legible(line)))


@command.command(name="set")
@click.argument("alert_id", metavar="ID")
@click.option(
    "--state",
    type=click.Choice([state.value for state in AlertState]),
    help="What has become of it. expected: its run (of a gate, the first of its head) is the new "
    "baseline, as by `xeonperf compare --accept`.",
)
@click.option("--assignee", metavar="NAME", help='Whose it is; "" for nobody.')
@click.option("--note", metavar="TEXT", help="A word on it.")
@click.option("--issue", metavar="URL", help='Where it is discussed: http or https; "" for nowhere.')
@click.option("--by", metavar="NAME", default="", help="Who says so. Default: the user's name.")
@database_option
def change(
    alert_id: str, db: str, *, state: str | None, assignee: str | None, note: str | None, issue: str | None, by: str
) -> None:
    """Say what is to become of an alert."""
    said = {"state": state, "assignee": assignee, "note": note, "issue_url": issue}
    decision = triage_from({name: value for name, value in said.items() if value is not None})
    with open_store(database_or_default(db)) as store:
        alert = store.triage(alert_id, decision, by=by or somebody(), at=_now())
    click.echo(_summary(alert), err=True)


def _summary(alert: Alert) -> str:
    assigned = f", {alert.assignee}" if alert.assignee else ""
    return f"alert {alert.id} is {alert.state.value}{assigned}: {alert.case.label}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
