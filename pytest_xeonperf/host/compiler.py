"""The C++ compiler that Inductor will use, and whether it works: tried, not looked up."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pytest_xeonperf.errors import InfrastructureError, NotApplicableError
from pytest_xeonperf.host.cachedir import cache_dir, write_atomically
from pytest_xeonperf.records import Unknown

COMPILER_REMEDY = "install g++ and Python's headers (Debian, Ubuntu: apt-get install g++ python3-dev), or set CXX"
_TIMEOUT_S = 120
_PROGRAM = "#include <Python.h>\n#include <omp.h>\nint threads() { return omp_get_max_threads(); }\n"
"""What every kernel of Inductor includes; a g++ without Python's headers is as good as none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """A C++ compiler that has compiled a program on this machine.

    Attributes:
        command: How to call it.
        version: First line of its ``--version``.
    """

    command: str
    version: str

    def build(self, source: Path, output: Path, *flags: str, libraries: tuple[str, ...] = ()) -> None:
        """Compile one source file into a program or, with ``-shared``, a library; `libraries` such as ``-lc10``.

        Raises:
            InfrastructureError: The compiler refused; holds the first lines of what it said.
        """
        call = [self.command, *flags, str(source), "-o", str(output), *libraries]
        try:
            done = subprocess.run(call, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InfrastructureError(f"{self.command} does not get done: {error}", where=source.name) from error
        if done.returncode != 0:
            said = " | ".join(done.stderr.strip().splitlines()[:3]) or f"exit code {done.returncode}"
            raise InfrastructureError(f"{self.command} cannot compile: {said}", where=source.name)


def candidates(cxx: str) -> tuple[str, ...]:
    """Names to try, best first: ``CXX`` alone where it is set, because Inductor then looks at nothing else."""
    return (cxx,) if cxx else ("g++", "clang++")


def find_compiler() -> Compiler | Unknown:
    """The compiler that Inductor will use, or why there is none that works. Remembered on disk while it is the same."""
    reasons = []
    for name in candidates(os.environ.get("CXX", "")):
        path = shutil.which(name)
        if path is None:
            reasons.append(f"{name} is not installed")
            continue
        try:
            return _tried(name, Path(path))
        except (InfrastructureError, OSError, subprocess.SubprocessError) as error:
            reasons.append(getattr(error, "what", str(error)))
    return Unknown(reason="; ".join(reasons))


@cache
def knows_this_cpu(compiler: Compiler) -> bool:
    """Whether the compiler tunes ``-march=native`` for this CPU; one that is older than the CPU takes ``generic``.

    True also where it cannot be asked in GCC's way. Asked once in a process.
    """
    call = [compiler.command, "-march=native", "-Q", "--help=target"]
    try:
        asked = subprocess.run(call, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return True
    tuned = [line.split()[-1] for line in asked.stdout.splitlines() if line.split()[:1] == ["-mtune="]]
    return tuned != ["generic"]


def need_compiler() -> Compiler:
    """The compiler that Inductor will use.

    Raises:
        NotApplicableError: There is none that works: compiled variants cannot run here.
    """
    found = find_compiler()
    if isinstance(found, Unknown):
        raise NotApplicableError(f"no working C++ compiler: {found.reason}", remedy=COMPILER_REMEDY)
    return found


def _tried(command: str, path: Path) -> Compiler:
    file = path.resolve().stat()
    identity = f"{path} {file.st_mtime_ns} {file.st_size} {sys.version} {sysconfig.get_path('include')}"
    remembered = cache_dir("compiler") / hashlib.sha256(identity.encode()).hexdigest()[:16]
    if remembered.is_file():
        return Compiler(command=command, version=remembered.read_text(encoding="utf-8"))
    asked = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
    compiler = Compiler(command=command, version=asked.stdout.partition("\n")[0].strip())
    with tempfile.TemporaryDirectory(prefix="xeonperf-") as folder:
        source = Path(folder, "trial.cpp")
        source.write_text(_PROGRAM, encoding="utf-8")
        flags = ("-shared", "-fPIC", "-fopenmp", f"-I{sysconfig.get_path('include')}")
        compiler.build(source, Path(folder, "trial.so"), *flags)
    write_atomically(remembered, compiler.version.encode())
    return compiler
