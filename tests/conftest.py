"""What every folder of tests may use."""

import os

import pytest

from pytest_xeonperf.host.amx import AmxMode, decide
from pytest_xeonperf.host.probe import ISA_CAP, probe
from pytest_xeonperf.records import Remedy

pytest_plugins = ["pytester"]


@pytest.hookimpl(tryfirst=True)
def pytest_configure():
    """Keep AMX away where it would kill this process: tests run torch here, without a measuring child's preparation."""
    if decide(AmxMode.AUTO, probe()).remedy is not Remedy.NONE:
        os.environ.setdefault("ONEDNN_MAX_CPU_ISA", ISA_CAP)
