"""The machine as the process that measures sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.host.fingerprint import machine
from pytest_xeonperf.host.limits import measure_limits
from pytest_xeonperf.records import Limits, Unknown
from pytest_xeonperf.shell.protocol import Purpose
from pytest_xeonperf.workloads.presets import Preset

if TYPE_CHECKING:
    from pytest_xeonperf.host.environment import Prepared
    from pytest_xeonperf.records import Machine
    from pytest_xeonperf.shell.protocol import Start


def known_machine(start: Start, prepared: Prepared) -> Machine:
    """The machine as the session knows it, or, in its first measuring process, as torch sees it, with its limits."""
    known = start.machine
    if start.purpose is Purpose.WEIGH or isinstance(known.limits, Limits):
        return known
    limits: Limits | Unknown
    if start.purpose is Purpose.SERVE:
        limits = Unknown(reason="not measured in a gate")
    elif start.settings.preset is Preset.SMOKE:
        limits = Unknown(reason="not measured for the smoke preset")
    else:
        limits = measure_limits()
    return machine(amx=known.amx, isa=known.isa, threads=known.threads, topology=prepared.topology, limits=limits)
