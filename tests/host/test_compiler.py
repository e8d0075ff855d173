import os
import stat

import pytest

from pytest_xeonperf.errors import InfrastructureError, NotApplicableError
from pytest_xeonperf.host.compiler import Compiler, candidates, find_compiler, knows_this_cpu, need_compiler
from pytest_xeonperf.records import Unknown


@pytest.fixture
def fake_compiler(tmp_path, monkeypatch):
    """A program called g++ that does what the test wants, alone on the PATH but for the shell."""

    def make(script):
        program = tmp_path / "g++"
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("CXX", raising=False)
        return program

    return make


def test_cxx_is_the_only_candidate_where_it_is_set():
    assert candidates("/opt/bin/icpx") == ("/opt/bin/icpx",)
    assert candidates("")[0] == "g++"


def test_a_machine_without_a_compiler_says_which_names_were_tried(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    found = find_compiler()
    assert isinstance(found, Unknown)
    assert "g++ is not installed" in found.reason
    assert "clang++ is not installed" in found.reason


def test_a_compiler_that_cannot_compile_is_none_and_says_why(fake_compiler):
    fake_compiler(
        '[ "$1" = --version ] && echo "g++ 1.0" && exit 0; echo "fatal error: Python.h: No such file" >&2; exit 1'
    )
    found = find_compiler()
    assert isinstance(found, Unknown)
    assert "Python.h: No such file" in found.reason


def test_needing_a_compiler_that_is_not_there_is_a_skip_with_a_remedy(fake_compiler):
    fake_compiler("exit 1")
    with pytest.raises(NotApplicableError) as caught:
        need_compiler()
    assert "apt-get install g++" in caught.value.remedy


def test_a_compiler_that_works_is_tried_once_and_remembered(fake_compiler, tmp_path):
    fake_compiler(f'echo x >> {tmp_path}/calls; echo "g++ (Test) 9.9"')
    assert find_compiler() == Compiler(command="g++", version="g++ (Test) 9.9")
    calls = (tmp_path / "calls").read_text(encoding="utf-8")
    assert find_compiler() == Compiler(command="g++", version="g++ (Test) 9.9")
    assert (tmp_path / "calls").read_text(encoding="utf-8") == calls


def test_what_the_compiler_said_reaches_the_reader(tmp_path):
    found = find_compiler()
    if not isinstance(found, Compiler):
        pytest.skip(found.reason)
    source = tmp_path / "broken.cpp"
    source.write_text("this is no program\n", encoding="utf-8")
    with pytest.raises(InfrastructureError, match="error") as caught:
        found.build(source, tmp_path / "broken", "-c")
    assert caught.value.where == "broken.cpp"
    assert not os.path.lexists(tmp_path / "broken")


@pytest.mark.parametrize(
    ("said", "knows"),
    [
        ("echo '  -march=   cooperlake'; echo '  -mtune=   generic'", False),
        ("echo '  -march=   sapphirerapids'; echo '  -mtune=   sapphirerapids'", True),
        ("echo 'unknown argument -Q' >&2; exit 1", True),  # clang
    ],
)
def test_a_compiler_that_tunes_for_nothing_in_particular_does_not_know_this_cpu(fake_compiler, said, knows):
    fake_compiler(said)
    assert knows_this_cpu(Compiler(command="g++", version=said)) is knows


def test_a_compiler_that_is_gone_is_given_no_other_tuning(tmp_path):
    assert knows_this_cpu(Compiler(command=str(tmp_path / "gone"), version=""))
