"""Whether a peer's runtime is there at all, before anything is built for it. Imports neither torch nor the peer."""

from __future__ import annotations

from importlib.util import find_spec

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.variants.spec import Runtime


def installed(runtime: Runtime) -> bool:
    """Whether a runtime is there; torch is the models' own."""
    return runtime is Runtime.TORCH or find_spec(runtime.value) is not None


def require(runtime: Runtime) -> None:
    """Say so where a runtime is not installed.

    Raises:
        NotApplicableError: It is not; the message says how to get it.
    """
    if not installed(runtime):
        raise NotApplicableError(
            f"{runtime.value} is not installed",
            where=f"runtime={runtime.value!r}",
            remedy="pip install 'pytest-xeonperf[peers]'",
        )
