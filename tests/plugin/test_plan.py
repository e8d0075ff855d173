import pytest

SUITE = """
import pytest

@pytest.mark.workload("sam-vit-b", phase="encode")
class TestEncoder:
    def test_sdpa(self, xeonperf, sdpa_bf16):
        xeonperf.check(sdpa_bf16)

    @pytest.mark.min_speedup(2.5, isa="generic")
    def test_compiled(self, xeonperf, compiled_bf16):
        xeonperf.check(compiled_bf16)

@pytest.mark.workload("sam-vit-b", phase="encode", preset="full")
def test_of_another_preset(xeonperf, sdpa_bf16):
    xeonperf.check(sdpa_bf16)

def test_of_the_user_s_own(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)

def test_ordinary():
    pass
"""


@pytest.fixture(scope="module")
def session(suite, run):
    own = (
        "import pytest\n\nclass TestOwn:\n    @pytest.fixture\n    def workload(self):\n        raise AssertionError\n"
    )
    own += "    def test_own(self, xeonperf, eager_bf16):\n        xeonperf.check(eager_bf16)\n"
    shipped = SUITE.replace("def test_of_the_user_s_own(xeonperf, eager_bf16):\n    xeonperf.check(eager_bf16)\n", "")
    return run(
        suite({"test_own.py": own, "test_shipped.py": shipped}, conftest=""), "--collect-only", base=("--xeonperf",)
    )


def test_the_plan_has_a_line_for_every_ladder_with_variants_floors_minutes_and_memory(session):
    session.lines.fnmatch_lines(
        [
            "xeonperf: 4 cases on 3 ladders, about * and * GiB, 1 of your own that nobody can foretell",
            "  test_own.py::TestOwn [[]quick[]] over eager_fp32: eager_bf16",
            "  sam-vit-b/encode [[]quick[]] over eager_fp32: sdpa_bf16, compiled_bf16 ≥ 2.50x (*, * GiB)",
            "  sam-vit-b/encode [[]full[]] over eager_fp32: sdpa_bf16 (*, * GiB)",
        ]
    )


def test_the_plan_alone_measures_nothing_and_writes_nothing(session):
    assert session.code == pytest.ExitCode.OK
    assert sorted(path.suffix for path in session.folder.iterdir() if path.is_file()) == [".ini", ".py", ".py", ".py"]
    assert not (session.folder / "reports").exists()


def test_the_tests_are_listed_as_always(session):
    session.lines.fnmatch_lines(["*<Function test_sdpa>*", "*<Function test_ordinary>*"])


def test_a_suite_without_performance_tests_has_no_plan(pytester):
    pytester.makepyfile("def test_ordinary(): pass")
    result = pytester.runpytest_inprocess("--xeonperf", "--collect-only")
    result.stdout.no_fnmatch_line("*cases on*")
