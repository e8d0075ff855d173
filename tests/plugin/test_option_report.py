from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.shell.settings import Settings

SUITE = "def test_it(xeonperf, eager_bf16):\n    xeonperf.check(eager_bf16)\n"


def test_off_writes_none_and_says_so(plain_session):
    plain_session.lines.fnmatch_lines(["report: none (switched off)"])
    assert not list(plain_session.folder.rglob("*.html"))


def test_a_report_that_cannot_be_written_is_said_and_changes_nothing_else(suite, run):
    session = run(suite({"test_it.py": SUITE, "in_the_way": "a file"}), "--xeonperf-report=in_the_way")
    assert session.code == ExitCode.OK
    session.lines.fnmatch_lines(["report: none (could not be written: *in_the_way*"])
    assert len(session.runs[-1].results) == 1


def test_by_default_it_is_written_beside_the_suite(pytester):
    assert Settings.from_pytest(pytester.parseconfig()).report == str(pytester.path / "reports")


def test_a_folder_that_is_named_is_relative_to_the_suite_and_not_to_where_one_stands(pytester, monkeypatch):
    pytester.makeini("[pytest]")
    monkeypatch.chdir(pytester.mkdir("below"))
    config = pytester.parseconfig(f"--rootdir={pytester.path}", "--xeonperf-report=pages")
    assert Settings.from_pytest(config).report == str(pytester.path / "pages")
