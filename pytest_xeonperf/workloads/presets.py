"""How large the shipped models are built: `smoke` for tests, `quick` for every day, `full` as in the blog."""

from enum import StrEnum


class Preset(StrEnum):
    """Sizes of the shipped workloads.

    ``smoke``: tiny widths, seconds; judges completion, fidelity and kernels, never speed.
    ``quick``: true widths, fewer layers; the whole of ``suites/`` inside 30 minutes and 20 GiB on two cores.
    ``full``: the blog's shapes.
    """

    SMOKE = "smoke"
    QUICK = "quick"
    FULL = "full"
