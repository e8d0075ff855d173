"""What a prepared child runs to see the machine with torch: one argument in, one line of JSON out."""

from __future__ import annotations

import json
import sys

import cattrs

from pytest_xeonperf.host.environment import apply_in_process
from pytest_xeonperf.host.fingerprint import machine
from pytest_xeonperf.host.limits import measure_limits
from pytest_xeonperf.records import Machine, Unknown


def main(argument: str) -> str:
    """The machine as JSON, seen from this process."""
    request = json.loads(argument)
    known = cattrs.structure(request["machine"], Machine)
    with apply_in_process(known.amx.remedy, known.threads) as prepared:
        limits = measure_limits() if request["limits"] else Unknown(reason="not asked for")
        seen = machine(amx=known.amx, isa=known.isa, threads=known.threads, topology=prepared.topology, limits=limits)
    return json.dumps(cattrs.unstructure(seen), allow_nan=False)


if __name__ == "__main__":
    sys.stdout.write(f"\n{main(sys.argv[1])}\n")
