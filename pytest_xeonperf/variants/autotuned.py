"""Autotuned: Inductor compiles matrix products of its own, times them against oneDNN's, and keeps the faster of each.

Its products have AMX micro-kernels that need no oneDNN: they are how to reach AMX where oneDNN has to be kept from it.
Where oneDNN may use AMX, its kernels are the faster ones for nearly every shape (ADR 9). What was chosen is kept with
the compiled code in Inductor's cache, so a later process does not time anew.
"""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any

from pytest_xeonperf.errors import NotApplicableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_xeonperf.records import Amx

SETTINGS: Mapping[str, object] = {
    "max_autotune": True,
    "max_autotune_gemm_backends": "ATEN,CPP",
    # its tables would go to stderr, in the middle of the session's output
    "autotune_num_choices_displayed": 0,
    "max_autotune_report_choices_stats": False,
    # so that the profiler sees which products are Inductor's: ``gemm_m4096n768k768_kernel``
    "cpp.enable_kernel_profile": True,
}
"""Of Inductor, while it compiles."""


def require(amx: Amx) -> None:
    """That Inductor's micro-kernels may use what they will take for usable: they look at CPUID and nothing else.

    Raises:
        NotApplicableError: AMX is advertised, and crashes them or is not to be used.
    """
    if amx.advertised and not amx.usable_by_inductor:
        raise NotApplicableError(
            "Inductor's own products would use AMX, which is not usable by them here",
            where=amx.detail,
            remedy="leave autotune=True out",
        )


def quietly(through: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Callable[..., Callable[..., Any]]:
    """The same compiler, without the deprecation that Inductor's own timing warns of."""

    def compiler(call: Callable[..., Any]) -> Callable[..., Any]:
        compiled = through(call)

        @functools.wraps(compiled)
        def quiet(*args: Any, **kwargs: Any) -> Any:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="TypedStorage is deprecated", category=UserWarning)
                return compiled(*args, **kwargs)

        return quiet

    return compiler
