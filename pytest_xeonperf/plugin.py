"""The pytest plugin: brings the hooks and fixtures of `shell/` together. Importing it imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.shell.collection import pytest_collection_modifyitems, pytest_runtest_call
from pytest_xeonperf.shell.fixtures import (
    compiled_bf16,
    eager_bf16,
    eager_fp32,
    sdpa_bf16,
    variant,
    woq_int4,
    woq_int8,
    workload,
    xeonperf,
)
from pytest_xeonperf.shell.markers import register
from pytest_xeonperf.shell.options import pytest_addoption
from pytest_xeonperf.shell.reporting import pytest_report_teststatus, pytest_runtest_makereport
from pytest_xeonperf.shell.settings import Settings
from pytest_xeonperf.shell.state import IN_CHILD, SETTINGS

if TYPE_CHECKING:
    import pytest

__all__ = [
    "compiled_bf16",
    "eager_bf16",
    "eager_fp32",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_report_teststatus",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
    "sdpa_bf16",
    "variant",
    "woq_int4",
    "woq_int8",
    "workload",
    "xeonperf",
]


def pytest_configure(config: pytest.Config) -> None:
    """Register markers, resolve the settings, and begin a session where one was asked for."""
    register(config)
    settings = config.stash[SETTINGS] = Settings.from_pytest(config)
    if settings.enabled and IN_CHILD not in config.stash:
        from pytest_xeonperf.shell.begin import begin

        begin(config, settings)
