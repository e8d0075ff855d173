"""The league's modules, which are a program and no package."""

import importlib
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def module():
    """Imports a module of the league as `python tests/league` would: its folder comes first on the path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent)
        yield importlib.import_module
