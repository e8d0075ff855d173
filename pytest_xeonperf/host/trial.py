"""What a probing child runs: ``python -m pytest_xeonperf.host.trial [repair]``; ends well, badly, or by a signal.

With the repair, every primitive family of oneDNN runs inside the window and, in another size, after it: kernels that
are generated later must work as well. Then BF16 is timed against FP32. What came out is on stdout, and with
``ONEDNN_VERBOSE=1`` the chosen kernels are.
"""

from __future__ import annotations

import sys

from pytest_xeonperf.errors import XeonPerfError
from pytest_xeonperf.host import onednn, repair


def main(arguments: list[str]) -> None:
    """Run the trial in this process."""
    if "repair" in arguments:
        repair.install()
        onednn.start_thread_pool()
        with repair.window():
            onednn.initialise()
    onednn.initialise(rows=384)
    sys.stdout.write(onednn.speed_line())


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except XeonPerfError as error:
        sys.exit(error.what)
