"""Starts one of our own modules in a child process that may die without taking us along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROOT = str(Path(__file__).parents[2])
_START = "import runpy, sys; sys.path.append(sys.argv.pop(1)); runpy.run_module(sys.argv.pop(1), run_name='__main__')"
"""Finds this package also where it is not installed; appended, so that nothing of the standard library is hidden."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a child ended.

    Attributes:
        returncode: Negative: minus the number of the signal that killed it, SIGKILL on a timeout.
        timed_out: We killed it.
    """

    returncode: int
    timed_out: bool
    stdout: str
    stderr: str

    @property
    def signal_name(self) -> str:
        """``SIGILL`` and the like; empty if it ended by itself."""
        if self.returncode >= 0:
            return ""
        try:
            return signal.Signals(-self.returncode).name
        except ValueError:
            return f"signal {-self.returncode}"

    @property
    def complaint(self) -> str:
        """Why it did not end well, in one line; empty if it did."""
        if self.timed_out:
            return "took too long"
        if self.returncode == 0:
            return ""
        lines = self.stderr.strip().splitlines()
        return self.signal_name or (lines[-1] if lines else f"exit code {self.returncode}")


def run_module(module: str, *arguments: str, environment: Mapping[str, str], timeout_s: float) -> Ending:
    """Run a module of ours in a fresh interpreter, with these changes to the environment."""
    return run([sys.executable, "-P", "-c", _START, _ROOT, module, *arguments], environment, timeout_s)


def run(command: Sequence[str], environment: Mapping[str, str], timeout_s: float) -> Ending:
    """Run a command and report how it ended; an ending by a signal is a finding, not an error of ours."""
    child = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    with child:
        try:
            stdout, stderr = child.communicate(timeout=timeout_s)
            timed_out = False
        except subprocess.TimeoutExpired:
            child.kill()
            stdout, stderr = child.communicate()
            timed_out = True
        except BaseException:
            child.kill()  # Ctrl-C: no child stays behind
            raise
    return Ending(returncode=child.returncode, timed_out=timed_out, stdout=stdout, stderr=stderr)
