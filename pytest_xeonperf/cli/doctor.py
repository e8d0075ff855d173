"""``xeonperf doctor``: what this machine is and can do, tried; what stands in the way; what to do about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cattrs
import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pytest_xeonperf.host.amx import AmxMode
from pytest_xeonperf.host.finding import Finding, Level
from pytest_xeonperf.host.findings import findings
from pytest_xeonperf.host.inspection import Inspection, inspect
from pytest_xeonperf.records import Limits
from pytest_xeonperf.units import show_bytes, show_rate

if TYPE_CHECKING:
    from pytest_xeonperf.records import Machine

_SCHEMA = "xeonperf.doctor/1"
_SIGNS = {
    Level.GOOD: "[green]ok[/]",
    Level.NOTE: "[cyan]note[/]",
    Level.WARNING: "[yellow]warning[/]",
    Level.PROBLEM: "[bold red]problem[/]",
}


@click.command(short_help="What this machine can do, and what to do about it.")
@click.option("--json", "as_json", is_flag=True, help=f"Print JSON ({_SCHEMA}) instead of tables.")
@click.option("--fresh", is_flag=True, help="Try AMX again, also if it was tried since the last boot.")
@click.option("--limits/--no-limits", default=True, help="Measure bandwidth and GEMM peaks (default), or do not.")
@click.option(
    "--amx",
    type=click.Choice([mode.value for mode in AmxMode]),
    default=AmxMode.AUTO.value,
    envvar="XEONPERF_AMX",
    show_envvar=True,
    help="What to do about AMX, as --xeonperf-amx (default: auto).",
)
@click.option(
    "--threads",
    type=click.IntRange(min=0),
    default=0,
    envvar="XEONPERF_THREADS",
    show_envvar=True,
    metavar="N",
    help="Threads to measure with, as --xeonperf-threads (default: the physical cores).",
)
def command(*, as_json: bool, fresh: bool, limits: bool, amx: str, threads: int) -> None:
    """Look at this machine: processor, AMX as tried, software, limits; with what to do about each finding."""
    click.echo("trying the processor and measuring its limits, some seconds ...", err=True)
    host = inspect(fresh=fresh, limits=limits, mode=AmxMode(amx), threads=threads)
    found = findings(host)
    if as_json:
        click.echo(json.dumps(document(host, found), indent=2, allow_nan=False))
        return
    console = Console(highlight=False)
    console.print(_machine_table(host.machine))
    console.print(_facts_table(host.machine))
    console.print(_findings_table(found))


def document(host: Inspection, found: tuple[Finding, ...]) -> dict[str, Any]:
    """The JSON document: stable names, ``facts`` as an object, an unknown value as ``{"reason": ...}``."""
    machine = cattrs.unstructure(host.machine)
    machine["facts"] = dict(host.machine.facts)
    machine["comparability_class"] = host.machine.comparability_class
    machine["fingerprint"] = host.machine.fingerprint
    return {
        "schema": _SCHEMA,
        "machine": machine,
        "probe": cattrs.unstructure(host.probe),
        "system": cattrs.unstructure(host.system),
        "topology": cattrs.unstructure(host.topology),
        "findings": [cattrs.unstructure(finding) for finding in found],
    }


def _machine_table(machine: Machine) -> Table:
    table = Table(title=escape(machine.cpu_model), show_header=False, title_justify="left")
    rows = {
        "instruction set usable": machine.isa.value,
        "AMX": machine.amx.detail,
        "remedy for AMX": machine.amx.remedy.value,
        "cores, threads": f"{machine.physical_cores} physical, {machine.threads} used",
        "memory": show_bytes(machine.memory_bytes),
        **_limit_rows(machine),
        "comparability class": machine.comparability_class,
        "fingerprint": machine.fingerprint,
    }
    for name, value in rows.items():
        table.add_row(name, escape(value))
    return table


def _limit_rows(machine: Machine) -> dict[str, str]:
    limits = machine.limits
    if not isinstance(limits, Limits):
        return {"limits": f"not measured: {limits.reason}"}
    return {
        "read bandwidth": show_rate(limits.read_bytes_per_s, "B/s"),
        "FP32 GEMM": show_rate(limits.fp32_flop_per_s, "FLOP/s"),
        "BF16 GEMM": show_rate(limits.bf16_flop_per_s, "FLOP/s"),
        "INT8 GEMM": show_rate(limits.int8_op_per_s, "OP/s"),
    }


def _facts_table(machine: Machine) -> Table:
    table = Table(title="Facts", show_header=False, title_justify="left")
    for name, value in machine.facts:
        table.add_row(name, escape(value))
    return table


def _findings_table(found: tuple[Finding, ...]) -> Table:
    table = Table.grid(padding=(0, 2))
    for finding in found:
        table.add_row(_SIGNS[finding.level], f"[bold]{escape(finding.what)}[/]: {escape(finding.detail)}")
        if finding.level is not Level.GOOD:
            table.add_row("", f"what to do: {escape(finding.remedy)}")
    return table
