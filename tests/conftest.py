"""What every folder of tests may use."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from itertools import count

import httpx2 as httpx
import hypothesis
import pytest
from alembic import command
from sqlalchemy import make_url, text

from pytest_xeonperf.host.amx import AmxMode, decide
from pytest_xeonperf.host.probe import ISA_CAP, probe
from pytest_xeonperf.judge.change import Times, change_of
from pytest_xeonperf.judge.comparison import ComparedCase, Comparison, Course
from pytest_xeonperf.records import Amx, Case, Commit, Contention, Isa, Machine, Metric, Outcome, Remedy, Unknown
from pytest_xeonperf.store import migration, schema
from pytest_xeonperf.store.engine import connect, open_store
from pytest_xeonperf.store.location import locate

with contextlib.suppress(ImportError):
    # Pytester takes away what was imported while a test ran. Imported again, psycopg would have new error classes,
    # and its C extension would go on raising the old ones.
    import psycopg  # noqa: F401

import sqlalchemy.dialects.postgresql  # noqa: F401 - would register its functions again, which is a warning

pytest_plugins = ["pytester"]

_COMMITTED_AT = "2026-09-01T10:00:00+02:00"

hypothesis.settings.register_profile("shared-machine", deadline=None)  # how long an example takes is the host's doing
hypothesis.settings.load_profile("shared-machine")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Make warnings errors, and keep AMX away where it would kill this process.

    Tests run torch here, without a measuring child's preparation.
    """
    config.addinivalue_line("filterwarnings", "error")  # while tests are collected and run
    warnings.simplefilter("error")  # and in between, until pytest puts back what it found
    if decide(AmxMode.AUTO, probe()).remedy is not Remedy.NONE:
        os.environ.setdefault("ONEDNN_MAX_CPU_ISA", ISA_CAP)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each of xdist's workers whole files: what a file's tests look at is made once, and may take a minute."""
    from xdist.scheduler import LoadFileScheduling

    # files in the order of their folders: those with few tests are the slow ones, and would else come last of all
    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


@pytest.fixture
def set_threads():
    """Sets how many threads torch computes with; as many as before afterwards."""
    import torch

    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


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
        course = Course(
            model="sam-vit-b/encode [quick]",
            seed=7,
            voided_rounds=1,
            disturbed_rounds=0,
            in_turns=False,
            contention=Contention(elapsed_ns=10**9, cores=2, stolen_ns=0, others_ns=10**7, throttled_ns=0),
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
            courses=(course,),
            command="xeonperf gate suites/",
        )
        return replace(made, **changes)

    return make


_POSTGRESQL = os.environ.get("XEONPERF_TEST_POSTGRESQL", "")
"""A database of a server on which this role may make others: each test has its own, none is touched that was there."""

_NUMBERS = count(1)


@pytest.fixture(params=["sqlite", "postgresql"] if _POSTGRESQL else ["sqlite"])
def kind(request):
    """The kind of database that a test uses: on both where ``XEONPERF_TEST_POSTGRESQL`` names a server's."""
    return request.param


@pytest.fixture
def database(kind, tmp_path, request):
    """URL of an empty database."""
    return str(tmp_path / "xeonperf.db") if kind == "sqlite" else request.getfixturevalue("postgresql")


@pytest.fixture
def migrated(kind, make_history):
    """URL of a history without runs."""
    return make_history(kind)


@pytest.fixture
def make_history(tmp_path, request):
    """Makes a history without runs, of a kind, by copying a file or by emptying the one that the server has for it."""

    def make(kind):
        if kind == "postgresql":
            url = request.getfixturevalue("history_on_the_server")
            _empty(url)
            return url
        path = tmp_path / f"history-{next(_NUMBERS)}.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return str(path)

    return make


@pytest.fixture
def postgresql():
    """URL of an empty database on the server."""
    with _database_on_the_server() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """A history without runs, to copy."""
    path = tmp_path_factory.mktemp("template") / "xeonperf.db"
    with open_store(str(path)):
        pass
    return path


@pytest.fixture(scope="session")
def history_on_the_server():
    """URL of a history on the server that lasts as long as the session."""
    with _database_on_the_server() as url:
        with open_store(url):
            pass
        yield url


def _empty(url):
    _tell(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()",
        f"TRUNCATE {', '.join(schema.metadata.tables)} RESTART IDENTITY CASCADE",
    )


@contextlib.contextmanager
def _database_on_the_server():
    """An empty database under a name of its own while it lasts."""
    if not _POSTGRESQL:
        pytest.skip("XEONPERF_TEST_POSTGRESQL names no server to test on")
    name = f"xeonperf_test_{os.getpid()}_{next(_NUMBERS)}"
    _tell(_POSTGRESQL, f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        yield make_url(_POSTGRESQL).set(database=name).render_as_string(hide_password=False)
    finally:
        _tell(_POSTGRESQL, f"DROP DATABASE {name} WITH (FORCE)")


def _tell(url, *statements):
    engine = connect(locate(url)).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def cpp_compiler():
    """Skip where Inductor has no compiler; forget what was compiled."""
    import torch

    if shutil.which("g++") is None and shutil.which("clang++") is None:
        pytest.skip("no C++ compiler")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`torch.jit.script_method`", category=DeprecationWarning)
        import torch._inductor.compile_fx
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    yield
    torch._dynamo.reset()


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
def taken_down():
    """Takes a database back to an earlier revision; as a context it gives the connection that did."""

    @contextlib.contextmanager
    def to(database, revision):
        engine = connect(locate(database))
        with engine.begin() as connection:
            command.downgrade(migration._config(connection), revision)
            yield connection
        engine.dispose()

    return to


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
