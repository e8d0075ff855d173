"""What the history and the service bear, in figures: more than a suite has time for.

    pip install '.[test,postgresql]'
    python tests/reliability kill --times 200       # kill -9 of a serving process while runs are brought to it
    python tests/reliability load --seconds 60      # 50 clients at once over a million measurements
    python tests/reliability bodies --at-once 2     # runs near the limit of a body, and the service's memory
    python tests/reliability describe --examples 1000    # requests made of the OpenAPI document

Each works on a SQLite file of its own, or with `--db URL` on an empty database of a PostgreSQL server.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import click
from bodies import SHAPES, bring
from history import make_history
from kill import kill_while_ingesting
from load import MIX, load
from runs import made

from pytest_xeonperf.service.app import MOST_BYTES
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.tokens import Scope


def kill(given, folder):
    found = kill_while_ingesting(
        given.db or str(folder / "killed.db"), folder, times=given.times, seed=given.seed, say=_say
    )
    click.echo(
        f"{found.kills} kills, {found.under_way} of them with runs left to send: {found.sent} runs sent in all, "
        f"{found.acknowledged} acknowledged before a kill, {found.beyond} committed but not yet acknowledged; "
        f"faults: {len(found.faults)}"
    )
    for fault in found.faults:
        click.echo(fault)
    return bool(found.faults)


def load_it(given, folder):
    database = given.db or str(folder / "loaded.db")
    if not given.made:
        began = time.monotonic()
        make_history(database, runs=given.runs, cases=given.cases, pairs=3)
        _say(f"a history of {given.runs * given.cases:,} measurements was made in {time.monotonic() - began:.0f} s")
    if not given.db:
        _say(f"it takes {Path(database).stat().st_size / 2**20:,.0f} MiB")
    mix = {name: MIX[name] for name in given.routes}
    found, processor_s = load(database, folder, clients=given.clients, seconds=given.seconds, mix=mix)
    for name, answers in found.items():
        quantiles = [
            f"p{share} {answers.quantile_s(share / 100) * 1000:.0f} ms" for share in (50, 95, 99) if answers.took_s
        ]
        click.echo(f"{name}: {len(answers.took_s)} answers, {', '.join(quantiles)}, errors: {dict(answers.errors)}")
    count = sum(len(answers.took_s) for answers in found.values())
    click.echo(
        f"the service took {processor_s:.1f} s of a processor, {processor_s / count * 1000:.0f} ms for an answer"
    )
    return any(answers.errors or not answers.took_s for answers in found.values())


def bodies(given, folder):
    found = bring(
        given.db or str(folder / "brought.db"),
        folder,
        shape=given.shape,
        at_once=given.at_once,
        most_bytes=given.mib << 20,
    )
    click.echo(
        f"{len(found.statuses)} {given.shape} bodies of {found.body_bytes / 2**20:.1f} MiB: {found.statuses} in "
        f"{found.took_s:.0f} s; the service took {found.idle_bytes / 2**20:,.0f} MiB before and "
        f"{found.peak_bytes / 2**20:,.0f} MiB at most"
    )
    return set(found.statuses) != {400 if given.shape == "empty" else 201}


def describe(given, folder):
    from described import ask, operations  # schemathesis takes a second to import

    with open_store(given.db or str(folder / "described.db")) as store:
        for number in range(2):
            store.add_run(made(number, cases=2))
        token = store.create_token("anybody", [Scope.READ, Scope.INGEST])[1]
        for operation in operations(store):
            statuses = ask(operation, token, examples=given.examples, seed=given.seed)
            click.echo(f"{operation.label}: {dict(sorted(statuses.items()))}")


def _say(line):
    click.echo(line, err=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True)
    killing = parts.add_parser("kill")
    killing.add_argument("--times", type=int, default=200)
    killing.add_argument("--seed", type=int, default=1)
    killing.set_defaults(call=kill)
    loading = parts.add_parser("load")
    loading.add_argument("--runs", type=int, default=5000)
    loading.add_argument("--cases", type=int, default=200)
    loading.add_argument("--clients", type=int, default=50)
    loading.add_argument("--seconds", type=float, default=60)
    loading.add_argument("--routes", nargs="+", choices=MIX, default=list(MIX), help="these alone")
    loading.add_argument("--made", action="store_true", help="--db names a history that was made before")
    loading.set_defaults(call=load_it)
    bringing = parts.add_parser("bodies")
    bringing.add_argument("--shape", choices=SHAPES, default="exported")
    bringing.add_argument("--at-once", type=int, default=2)
    bringing.add_argument("--mib", type=int, default=MOST_BYTES >> 20)
    bringing.set_defaults(call=bodies)
    describing = parts.add_parser("describe")
    describing.add_argument("--examples", type=int, default=1000)
    describing.add_argument("--seed", type=int, default=1)
    describing.set_defaults(call=describe)
    for part in (killing, loading, bringing, describing):
        part.add_argument("--db", default="", help="an empty database; default: a SQLite file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(int(bool(given.call(given, Path(folder)))))


if __name__ == "__main__":
    main()
