"""A process that waits for a word and then adds the runs that it was handed, saying which were new."""

import json
import pickle
import sys

import click

from pytest_xeonperf.store.engine import open_store


def main():
    length = int(sys.stdin.buffer.readline())
    url, runs = pickle.loads(sys.stdin.buffer.read(length))  # noqa: S301 - from the test that started this
    with open_store(url) as store:
        click.echo("ready")
        sys.stdin.buffer.readline()
        click.echo(json.dumps([run.id for run in runs if store.add_run(run)]))


if __name__ == "__main__":
    main()
