"""What every folder of tests may use."""

import contextlib
import os

import hypothesis
import pytest

from pytest_xeonperf.host.amx import AmxMode, decide
from pytest_xeonperf.host.probe import ISA_CAP, probe
from pytest_xeonperf.records import Remedy

with contextlib.suppress(ImportError):
    # Pytester takes away what was imported while a test ran. Imported again, psycopg would have new error classes,
    # and its C extension would go on raising the old ones.
    import psycopg  # noqa: F401

pytest_plugins = ["pytester"]

hypothesis.settings.register_profile("shared-machine", deadline=None)  # how long an example takes is the host's doing
hypothesis.settings.load_profile("shared-machine")


@pytest.hookimpl(tryfirst=True)
def pytest_configure():
    """Keep AMX away where it would kill this process: tests run torch here, without a measuring child's preparation."""
    if decide(AmxMode.AUTO, probe()).remedy is not Remedy.NONE:
        os.environ.setdefault("ONEDNN_MAX_CPU_ISA", ISA_CAP)
