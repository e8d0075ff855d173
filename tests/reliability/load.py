"""Clients that ask a service for pages and bring it runs, for a bounded time, and how long the answers took.

The clients are coroutines of one process and speak no more HTTP than they need: they shall not take the service's time.
"""

import asyncio
import itertools
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from runs import made
from service import Served

from pytest_xeonperf.exchange import native
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.tokens import Scope

CASES, PAIRS = 20, 10
"""Of a run that is brought."""

MIX = {"trend page": 4, "trend API": 3, "ingest": 2, "first page": 1}
"""How often a client asks for what, out of ten times."""

_PATIENCE_S = 120


@dataclass
class Answers:
    """What came of one kind of request.

    Attributes:
        took_s: Of each that was answered with success.
        errors: How often what else was said.
    """

    took_s: list = field(default_factory=list)
    errors: dict = field(default_factory=lambda: defaultdict(int))

    def quantile_s(self, share):
        """The time within which a share of the requests was answered."""
        ordered = sorted(self.took_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def load(database, folder, *, clients, seconds, mix=None, seed=1):
    """Serve a history and let clients at it, each asking again as soon as it is answered.

    Args:
        database: Path or URL of a history with runs.
        folder: For the service's log.
        clients: At once.
        seconds: Until no client asks again.
        mix: As `MIX`.
        seed: Of what they ask for.

    Returns:
        Answers by the names in the mix, and the processor time that the service took for all of them, in seconds.
    """
    with open_store(database) as store:
        token = store.create_token("clients", [Scope.INGEST])[1]
        cases = [case.id for case in store.cases()]
    served = Served(database, folder / "service.log")
    served.start()
    try:
        asking = _Asking(port=served.port, token=token, cases=cases, mix=mix or MIX, dice=random.Random(seed))
        started_s = served.processor_s()
        found = asyncio.run(asking.all(clients, seconds))
        return found, served.processor_s() - started_s
    finally:
        served.kill()


@dataclass
class _Asking:
    """What clients share."""

    port: int
    token: str
    cases: list
    mix: dict
    dice: random.Random
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(10_000))  # later than what there is

    async def all(self, clients, seconds):
        """Let so many ask for so long."""
        found = {name: Answers() for name in self.mix}
        until = time.monotonic() + seconds
        await asyncio.gather(*(self.client(found, until) for _ in range(clients)))
        return found

    async def client(self, found, until):
        """Ask, wait for the answer, and ask again."""
        plan = [name for name, weight in self.mix.items() for _ in range(weight)]
        while time.monotonic() < until:
            name = self.dice.choice(plan)
            request = self.request(name)
            began = time.perf_counter()
            try:
                status = await asyncio.wait_for(_answer(self.port, request), _PATIENCE_S)
            except (OSError, EOFError, TimeoutError) as error:
                status = type(error).__name__
            if status in {200, 201}:
                found[name].took_s.append(time.perf_counter() - began)
            else:
                found[name].errors[status] += 1

    def request(self, name):
        """What is said for a name of the mix."""
        if name == "ingest":
            body = native.dumps(made(next(self.numbers), cases=CASES, pairs=PAIRS)).encode()
            head = f"POST /api/v1/runs HTTP/1.1\r\nAuthorization: Bearer {self.token}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        else:
            case_id = self.dice.choice(self.cases)
            paths = {"trend page": f"/case-{case_id}.html", "trend API": f"/api/v1/cases/{case_id}/trend"}
            head, body = f"GET {paths.get(name, '/')} HTTP/1.1\r\n", b""
        return f"{head}Host: localhost\r\nConnection: close\r\n\r\n".encode() + body


async def _answer(port, request):
    """The status of the answer, once all of it is there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        status = int((await reader.readuntil(b"\r\n")).split()[1])
        while await reader.read(1 << 16):
            pass
        return status
    finally:
        writer.close()
