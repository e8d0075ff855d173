"""Operators that come with the package as C++ sources: compiled for this machine when first needed, then loaded.

The compiler is the one that Inductor needs anyway. Sources use torch's own headers and its own OpenMP, register
themselves as ``torch.ops.xeonperf.*``, and are written for AVX-512, or for AVX512_BF16; a machine with less is told so.
"""

from __future__ import annotations

import hashlib
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.host.cachedir import cache_dir
from pytest_xeonperf.host.compiler import need_compiler
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.records import Isa

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

_SHARED = Path(__file__).parent
"""Headers of kernels in several folders."""

_FLAGS = (
    *("-std=c++20", "-O3", "-shared", "-fPIC", "-fopenmp"),
    *("-DAT_PARALLEL_OPENMP=1", "-DCPU_CAPABILITY=AVX512", "-DCPU_CAPABILITY_AVX512"),
    *("-mfma", "-mf16c", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512vnni", "-mavx512bf16"),
)
_WITHOUT_BF16 = "-DWITHOUT_AVX512_BF16"
"""What rounds to BF16 then does without the instruction; what multiplies in BF16 checks the processor itself."""


def require(needs: Isa, what: str) -> None:
    """Make sure that the processor has the instructions that `what` is written in.

    Raises:
        NotApplicableError: It has not.
    """
    isa = read_cpu().isa
    if isa.rank < needs.rank:
        raise NotApplicableError(f"{what} need {needs}; this processor has {isa}", remedy="use a variant without them")


def require_byte_instructions(keyword: str) -> None:
    """Make sure that the processor multiplies bytes with bytes, which the keyword of a variant asks for.

    Raises:
        NotApplicableError: It does not.
    """
    if "avx512_vnni" not in read_cpu().flags:
        raise NotApplicableError(f"{keyword} needs AVX512_VNNI", remedy="use a variant without it")


@cache
def load_operator(
    name: str, source: Path, shape_of_result: Callable[..., torch.Tensor], needs: Isa = Isa.AVX512_BF16
) -> None:
    """Load the source of ``torch.ops.xeonperf.<name>``, and tell torch what it gives: compiling needs to know; once.

    Raises:
        NotApplicableError: As `load_operators`.
        InfrastructureError: As `load_operators`.
    """
    import torch

    load_operators(source, needs)
    torch.library.register_fake(f"xeonperf::{name}", shape_of_result)


@cache
def load_operators(source: Path, needs: Isa = Isa.AVX512_BF16) -> None:
    """Load a source into torch, once; compiled first where it or a header beside it is new to this machine.

    Raises:
        NotApplicableError: The processor lacks what the source needs, or there is no compiler.
        InfrastructureError: The compiler refused the source.
    """
    import torch

    require(needs, f"the kernels in {source.name}")
    compiler = need_compiler()
    root = torch.__path__[0]
    headers = sorted({*source.parent.glob("*.h"), *_SHARED.glob("*.h")})
    here = () if "avx512_bf16" in read_cpu().flags else (_WITHOUT_BF16,)
    flags = (*_FLAGS, *here, f"-I{_SHARED}", f"-I{root}/include", f"-L{root}/lib", f"-Wl,-rpath,{root}/lib")
    libraries = ("-ltorch_cpu", "-lc10")
    texts = (path.read_bytes() for path in (source, *headers))
    identity = [*texts, *map(str.encode, (*flags, compiler.version, torch.__version__))]
    library = cache_dir("operators") / f"{source.stem}-{hashlib.sha256(b'/'.join(identity)).hexdigest()[:16]}.so"
    if not library.is_file():
        with tempfile.TemporaryDirectory(dir=library.parent) as folder:  # beside it, so that it can be moved in one go
            unfinished = Path(folder, library.name)
            compiler.build(source, unfinished, *flags, libraries=libraries)
            unfinished.replace(library)
    torch.ops.load_library(library)  # type: ignore[no-untyped-call]  # torch does not annotate it
