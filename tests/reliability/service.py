"""`xeonperf serve` as a process that can be killed, and started again on the same port."""

import os
import socket
import subprocess
import sys
import time

import httpx2 as httpx
import psutil

UNLIMITED = ["--reads-per-minute", "0", "--ingests-per-minute", "0", "--failures-per-minute", "0"]
"""All clients are of one address, and bring what they bring under one token: what is measured is not that limit."""


class Served:
    """A service over a history; `url` is where it is, also while it is down."""

    def __init__(self, database, log):
        self.database = database
        self.log = log
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self, patience_s=60):
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "pytest_xeonperf", "serve", "--db", self.database, "--port", str(self.port)]
        command += UNLIMITED
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=dict(os.environ))
        for _ in range(patience_s * 20):
            if self.process.poll() is not None:
                break
            try:
                httpx.get(f"{self.url}/readyz", timeout=patience_s).raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                return
        self.kill()
        raise RuntimeError(f"the service did not get ready: {self.log.read_text()[-2000:]}")

    def processor_s(self):
        """Seconds of a processor that it has taken."""
        took = psutil.Process(self.process.pid).cpu_times()
        return took.user + took.system

    def kill(self):
        """`kill -9`."""
        self.process.kill()
        self.process.wait()
