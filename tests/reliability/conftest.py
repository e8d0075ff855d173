"""The programs of this folder, which are no package, and what tests of them need."""

import importlib
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def module():
    """Imports a module as `python tests/reliability` would: its folder comes first on the path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent)
        yield importlib.import_module
