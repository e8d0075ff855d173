"""Decides, when pytest is configured, whether this process has anything to do with measuring, and prepares it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.errors import XeonPerfError
from pytest_xeonperf.host.amx import decide, usable_isa
from pytest_xeonperf.host.fingerprint import machine_without_torch
from pytest_xeonperf.host.probe import probe
from pytest_xeonperf.host.topology import read_topology
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell.neighbour import Neighbour
from pytest_xeonperf.shell.recorder import Recorder
from pytest_xeonperf.shell.session import Session
from pytest_xeonperf.shell.state import ISA

if TYPE_CHECKING:
    from pytest_xeonperf.records import Machine
    from pytest_xeonperf.shell.settings import Settings


def begin(config: pytest.Config, settings: Settings) -> None:
    """Register the session's hooks.

    Raises:
        pytest.UsageError: Under xdist with workers, where measuring means nothing; or AMX cannot be had as asked.
    """
    if config.getoption("numprocesses", default=0) or config.getoption("tx", default=None):
        raise pytest.UsageError("--xeonperf measures: xdist's workers would share the cores it measures with; use -n0")
    recorder = Recorder(
        settings=settings, rootdir=config.rootpath, arguments=tuple(map(str, config.invocation_params.args))
    )
    try:
        recorder.where()  # a URL that cannot be meant is known before anything else
        machine = machine_from_outside(settings)
    except XeonPerfError as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[ISA] = machine.isa
    session = Session(config=config, settings=settings, machine=machine, recorder=recorder)
    config.pluginmanager.register(session, "xeonperf-session")
    neighbour = Neighbour(settings=settings, machine=machine, recorder=recorder)
    config.pluginmanager.register(neighbour, "xeonperf-neighbour")


def machine_from_outside(settings: Settings) -> Machine:
    """What can be known before anything is measured: what works here, and with how many threads."""
    tried = probe()
    amx = decide(settings.amx, tried)
    return machine_without_torch(
        amx=amx,
        isa=usable_isa(tried, amx),
        threads=settings.threads or read_topology().default_threads,
        limits=Unknown(reason="not measured yet"),
    )
