"""What every folder of tests may use."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

import httpx2 as httpx
import hypothesis
import pytest

from pytest_xeonperf.host.amx import AmxMode, decide
from pytest_xeonperf.host.probe import ISA_CAP, probe
from pytest_xeonperf.judge.change import Times, change_of
from pytest_xeonperf.judge.comparison import ComparedCase, Comparison
from pytest_xeonperf.records import Amx, Case, Commit, Isa, Machine, Metric, Outcome, Remedy, Unknown

with contextlib.suppress(ImportError):
    # Pytester takes away what was imported while a test ran. Imported again, psycopg would have new error classes,
    # and its C extension would go on raising the old ones.
    import psycopg  # noqa: F401

pytest_plugins = ["pytester"]

_COMMITTED_AT = "2026-09-01T10:00:00+02:00"

hypothesis.settings.register_profile("shared-machine", deadline=None)  # how long an example takes is the host's doing
hypothesis.settings.load_profile("shared-machine")


@pytest.hookimpl(tryfirst=True)
def pytest_configure():
    """Keep AMX away where it would kill this process: tests run torch here, without a measuring child's preparation."""
    if decide(AmxMode.AUTO, probe()).remedy is not Remedy.NONE:
        os.environ.setdefault("ONEDNN_MAX_CPU_ISA", ISA_CAP)


@pytest.fixture(scope="session")
def git():
    """Runs git in a folder, as somebody, with nobody's configuration; gives what it prints."""

    def run(folder, *arguments):
        ours = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        theirs = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_COMMITTER_DATE": _COMMITTED_AT}
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        done = subprocess.run(
            ("git", *who, *arguments), cwd=folder, check=True, capture_output=True, text=True, env=ours | theirs
        )
        return done.stdout.strip()

    return run


@pytest.fixture
def compared():
    """Makes a case of a gate: the outcome it has, and anything else that a test cares for."""

    def make(outcome=Outcome.PASS, **changes):
        own = Times(base_ns=(1_000_000,) * 6, head_ns=(1_050_000 if outcome.red else 1_000_000,) * 6)
        made = ComparedCase(
            case=Case(
                workload="sam-vit-b",
                phase="encode",
                preset="quick",
                variant="compiled_bf16",
                metric=Metric.LATENCY,
                over="eager_fp32",
            ),
            model="sam-vit-b/encode [quick]",
            location="test_sam.py:12",
            node_id="suites/test_sam.py::test_compiled",
            item="image",
            items_per_call=1,
            outcome=outcome,
            reason="" if outcome is Outcome.PASS else "takes +5.0 % time",
            change=change_of(own, own, alpha=0.05, tolerance=0.02),
        )
        return replace(made, **changes)

    return make


@pytest.fixture
def comparison():
    """Makes a gate's result of cases."""

    def make(*cases, **changes):
        machine = Machine(
            architecture="x86_64",
            cpu_model="INTEL(R) XEON(R) PLATINUM 8581C",
            isa=Isa.AMX_BF16,
            amx=Amx(
                advertised=True, usable_by_onednn=True, usable_by_inductor=True, remedy=Remedy.NONE, detail="works"
            ),
            threads=2,
            physical_cores=2,
            memory_bytes=24 << 30,
            facts=(("torch", "2.13.0"),),
            limits=Unknown(reason="not measured"),
        )
        base, head = (
            Commit(sha=sha * 40, branch="main", dirty=False, committed_at="2026-09-01T08:00:00+00:00", subject=subject)
            for sha, subject in (("a", "Before"), ("b", "After"))
        )
        made = Comparison(
            base_commit=base,
            head_commit=head,
            base_machine=machine,
            head_machine=machine,
            cases=cases,
            notes=(),
            tolerance=0.02,
            alpha=0.05,
            voided_rounds=1,
            command="xeonperf gate suites/",
        )
        return replace(made, **changes)

    return make


@pytest.fixture(scope="session")
def slow_down():
    """Fills a history with runs of the first case of a run, which takes a fifth more time from the seventeenth on."""

    def fill(store, run, *, runs=28, times_ns=lambda number: 10_000_000 if number < 16 else 12_000_000):
        result = run.results[0]
        made = []
        for number in range(runs):
            median_ns = round(times_ns(number) * (1 + 0.001 * (number * 7 % 5)))
            measured = replace(result.measurement, candidate_median_ns=median_ns)
            made.append(
                replace(
                    run,
                    id=f"01970000-0000-7000-8000-{number:012}",
                    started_at=f"2026-07-{1 + number:02}T10:00:00+00:00",
                    commit=replace(run.commit, sha=f"{number:040}"),
                    results=(replace(result, measurement=measured),),
                )
            )
            store.add_run(made[-1])
        return made

    return fill


@pytest.fixture(scope="session")
def free_port():
    """Finds a port that nobody listens on."""

    def find():
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            return one.getsockname()[1]

    return find


@pytest.fixture(scope="session")
def serving(free_port):
    """Serves a history from a process of its own while it lasts; gives the address."""

    @contextlib.contextmanager
    def serve(history, port=0, options=()):
        port = port or free_port()
        command = [sys.executable, "-m", "pytest_xeonperf", "serve", "--db", str(history), "--port", str(port)]
        command += options
        with history.with_suffix(".log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                url = f"http://127.0.0.1:{port}"
                _wait_for(url, process)
                yield url
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(30)
                finally:
                    process.kill()

    return serve


def _wait_for(url, process):
    for _ in range(600):
        assert process.poll() is None
        try:
            httpx.get(f"{url}/readyz").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the service did not get ready")
