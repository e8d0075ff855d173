"""Run as a program by test_repair: oneDNN on a machine whose tile leaves are hidden, ``bare`` or ``repaired``."""

import sys
from pathlib import Path

from pytest_xeonperf.host import onednn, repair, trial

# the same shim, compiled against a processor that answers as such a hypervisor does
repair._FLAGS = (*repair._FLAGS, "-I", str(repair._SOURCE.parent))
repair._SOURCE = Path(__file__).with_name("hiding_cpuid.c")


def bare():
    shim = repair._shim()
    assert shim.hide_without_repair() == 0
    onednn.start_thread_pool()
    with repair.window():
        onednn.initialise()
    onednn.initialise(rows=384)


if __name__ == "__main__":
    if sys.argv[1] == "bare":
        bare()
    else:
        trial.main(["repair"])
    sys.stdout.write("survived\n")
