"""Nobody pays for what they do not use."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "numpy", "sqlalchemy", "alembic", "jinja2", "starlette", "transformers", "diffusers", "rich")
MEASURING = """
import pytest

@pytest.mark.workload("sam-vit-b", phase="encode")
def test_measures(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)

def test_ordinary():
    pass
"""


_TELLS = """
def pytest_unconfigure(config):
    import sys
    print("\\nmodules:", *sys.modules)
"""


def _heavy(out):
    line = next(line for line in out.splitlines() if line.startswith("modules: "))
    return [name for name in HEAVY if name in line.split()]


@pytest.mark.parametrize("module", ["pytest_xeonperf", "pytest_xeonperf.plugin", "pytest_xeonperf.shell.begin"])
def test_importing_it_imports_nothing_heavy(module, environment):
    program = f"import sys, {module}; print('modules:', *sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert _heavy(found.stdout) == []


def test_an_ordinary_session_imports_nothing_heavy(suite, run):
    session = run(suite({"test_it.py": MEASURING}, conftest=_TELLS), "-p", "no:benchmark", base=())
    assert session.code == pytest.ExitCode.OK
    assert _heavy(session.out) == []


def test_a_plan_imports_at_most_what_reads_the_database_s_url(suite, run):
    session = run(suite({"test_it.py": MEASURING}, conftest=_TELLS), "-p", "no:benchmark", "--collect-only")
    assert session.code == pytest.ExitCode.OK
    assert set(_heavy(session.out)) <= {"sqlalchemy"}


def test_the_session_that_measures_leaves_torch_to_its_child(plain_session):
    assert not {"torch", "numpy", "transformers", "starlette"} & set(_heavy(plain_session.out))
