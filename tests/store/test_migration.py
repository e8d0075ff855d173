"""Databases of every age."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.records import NOT_RECORDED, Measurement, Unknown
from pytest_xeonperf.store import maintenance, migration, schema
from pytest_xeonperf.store.engine import connect, open_store
from pytest_xeonperf.store.location import locate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

    from pytest_xeonperf.records import Result, Run

REVISION = schema.REVISION
NEXT = "9998"
NEXT_REVISION = f'''
    """A column more, by way of a copied table."""
    import sqlalchemy as sa
    from alembic import op

    revision = "{NEXT}"
    down_revision = "{schema.REVISION}"

    def upgrade():
        view = "CREATE VIEW v_trend AS SELECT run.id AS run_id FROM run"
        op.execute("DROP VIEW v_trend")
        copied = "always" if op.get_bind().dialect.name == "sqlite" else "never"
        with op.batch_alter_table("run", recreate=copied) as run:
            run.add_column(sa.Column("note", sa.Text, nullable=True))
        op.execute(view)
'''  # noqa: S608 - a view of our own


def test_the_newest_migration_is_the_one_the_code_wants() -> None:
    scripts = ScriptDirectory(str(migration.MIGRATIONS))
    assert scripts.get_heads() == [schema.REVISION]


def test_the_migrations_make_the_tables_that_the_code_describes(database: str) -> None:
    with open_store(database):
        pass
    engine = connect(locate(database))
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": schema.REVISION_TABLE})
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def test_every_constraint_has_a_name_of_the_convention(tmp_path: Path) -> None:
    path = tmp_path / "xeonperf.db"
    with open_store(str(path)):
        pass
    with closing(sqlite3.connect(path)) as database:
        made = " ".join(row[0] for row in database.execute("SELECT sql FROM sqlite_master WHERE type = 'table'"))
    described = {
        f"CONSTRAINT {constraint.name} "
        for table in schema.metadata.tables.values()
        for constraint in table.constraints
    }
    assert [name for name in described if name not in made] == []


def test_the_view_for_other_tools_holds_what_a_chart_needs(database: str, make_run: Callable[..., Run]) -> None:
    run = make_run()
    with open_store(database) as store:
        store.add_run(run)
    engine = connect(locate(database))
    with engine.begin() as connection:
        first = connection.execute(text("SELECT * FROM v_trend WHERE variant = 'compiled_bf16'")).mappings().one()
    engine.dispose()
    assert dict(first) == {
        "run_started_at": run.started_at,
        "run_id": run.id,
        "commit_sha": run.commit.sha,
        "branch": "main",
        "subject": "Faster",
        "case_id": run.results[0].case.id,
        "workload": "sam-vit-b",
        "phase": "encode",
        "preset": "quick",
        "variant": "compiled_bf16",
        "metric": "latency",
        "over": "eager_fp32",
        "speedup_ratio": 3.5,
        "low": 3.4,
        "high": 3.6,
        "median_ns": 10_000_000,
        "baseline_median_ns": 35_000_000,
        "floor_ratio": 2.91,
        "verdict": "PASS",
        "reason": "above its floor",
        "machine_class": run.machine.comparability_class,
        "cpu_model": run.machine.cpu_model,
        "isa": "amx_bf16",
    }


def test_the_view_shows_the_latency_of_what_was_timed_alone(
    database: str, make_run: Callable[..., Run], timed: Result
) -> None:
    with open_store(database) as store:
        store.add_run(make_run(results=(timed,)))
    engine = connect(locate(database))
    with engine.begin() as connection:
        row = connection.execute(text("SELECT median_ns, speedup_ratio, baseline_median_ns FROM v_trend")).one()
    engine.dispose()
    assert tuple(row) == (1_250_000, None, None)


@pytest.mark.parametrize("readonly", [True, False])
def test_a_database_of_a_newer_release_is_refused_with_both_revisions(
    database: str, make_run: Callable[..., Run], *, readonly: bool
) -> None:
    with open_store(database) as store:
        store.add_run(make_run())
    _set_revision(database, "9999")
    with (
        pytest.raises(DataError, match=rf"at revision 9999; .* up to {REVISION}") as caught,
        open_store(database, readonly=readonly),
    ):
        pass
    assert "pip install --upgrade" in caught.value.remedy
    with pytest.raises(DataError, match="at revision 9999"):
        maintenance.upgrade(database)
    _set_revision(database, schema.REVISION)
    with open_store(database, readonly=True) as store:
        assert len(store.runs()) == 1


@pytest.fixture
def next_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Turns this code into a release with one more migration."""

    def release() -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(migration.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "versions" / f"{NEXT}_note.py").write_text(dedent(NEXT_REVISION))
        monkeypatch.setattr(migration, "MIGRATIONS", folder)
        monkeypatch.setattr(schema, "REVISION", NEXT)

    return release


def test_an_older_file_is_copied_and_then_upgraded_with_all_it_holds(
    tmp_path: Path, make_run: Callable[..., Run], next_release: Callable[[], None]
) -> None:
    path, run = tmp_path / "xeonperf.db", make_run()
    with open_store(str(path)) as store:
        store.add_run(run)
    next_release()
    with pytest.raises(DataError, match="older schema") as caught, open_store(str(path), readonly=True):
        pass
    assert caught.value.remedy == f"xeonperf db upgrade --db {path}"
    (tmp_path / "xeonperf.db.bak1").write_text("somebody's own")
    with open_store(str(path)) as store:
        assert store.run(run.id) == run
    assert (tmp_path / "xeonperf.db.bak1").read_text() == "somebody's own"
    assert maintenance.revision_of(str(tmp_path / "xeonperf.db.bak2")) == REVISION
    assert maintenance.revision_of(str(path)) == NEXT
    maintenance.check(str(path))


def test_an_older_server_is_left_to_the_command_that_upgrades_it(
    postgresql: str, make_run: Callable[..., Run], next_release: Callable[[], None]
) -> None:
    run = make_run()
    with open_store(postgresql) as store:
        store.add_run(run)
    next_release()
    with pytest.raises(DataError, match="older schema") as caught, open_store(postgresql):
        pass
    assert "xeonperf db upgrade --db postgresql" in caught.value.remedy
    assert f"is now at revision {NEXT}" in maintenance.upgrade(postgresql)
    with open_store(postgresql) as store:
        assert store.run(run.id) == run


def test_what_was_measured_before_contention_was_counted_says_so(
    database: str, make_run: Callable[..., Run], taken_down: Callable
) -> None:
    run = make_run()
    with open_store(database) as store:
        store.add_run(run)
    with taken_down(database, "0001") as connection:
        assert "stolen_ns" not in {column["name"] for column in inspect(connection).get_columns("measurement")}
        assert connection.scalar(text("SELECT count(*) FROM v_trend")) == len(run.results)
    maintenance.upgrade(database)
    with open_store(database) as store:
        migrated = store.run(run.id)
    counted = [result.measurement for result in run.results if isinstance(result.measurement, Measurement)]
    found = [result.measurement for result in migrated.results if isinstance(result.measurement, Measurement)]
    uncounted = Unknown(reason="measured before it was counted")
    evidence = [replace(each.evidence, operators=NOT_RECORDED) for each in counted]
    assert found == [
        replace(each, contention=uncounted, evidence=then, disturbed_rounds=NOT_RECORDED)
        for each, then in zip(counted, evidence, strict=True)
    ]
    assert counted


def test_what_was_measured_before_operators_and_authors_were_kept_says_so(
    database: str, make_run: Callable[..., Run], taken_down: Callable
) -> None:
    run = make_run()
    with open_store(database) as store:
        store.add_run(run)
    with taken_down(database, "0007") as connection:
        assert "operators" not in {column["name"] for column in inspect(connection).get_columns("measurement")}
        assert connection.scalar(text("SELECT count(*) FROM v_trend")) == len(run.results)
    maintenance.upgrade(database)
    with open_store(database) as store:
        migrated = store.run(run.id)
    assert migrated.commit == replace(run.commit, author=NOT_RECORDED)
    found = [result.measurement for result in migrated.results if isinstance(result.measurement, Measurement)]
    assert {each.evidence.operators for each in found} == {NOT_RECORDED}
    maintenance.check(database)


def test_the_migrations_go_down_to_nothing_and_up_again(database: str, make_run: Callable[..., Run]) -> None:
    run = make_run()
    with open_store(database) as store:
        store.add_run(run)
    engine = connect(locate(database))
    with engine.begin() as connection:
        made = _described(connection)
        command.downgrade(migration._config(connection), "base")
        left = inspect(connection)
        assert [*left.get_table_names(), *left.get_view_names()] == [schema.REVISION_TABLE]
        assert migration.current_revision(connection) == ""
    with open_store(database) as store:
        assert store.runs() == ()
        assert store.add_run(run)
        assert store.run(run.id) == run
    with engine.begin() as connection:
        assert _described(connection) == made
    engine.dispose()


def test_what_was_measured_before_disturbed_rounds_were_counted_says_so(
    database: str, make_run: Callable[..., Run], taken_down: Callable
) -> None:
    run = make_run()
    with open_store(database) as store:
        store.add_run(run)
    with taken_down(database, "0008") as connection:
        assert "disturbed_rounds" not in {column["name"] for column in inspect(connection).get_columns("measurement")}
    maintenance.upgrade(database)
    with open_store(database) as store:
        migrated = store.run(run.id)
    found = [result.measurement for result in migrated.results if isinstance(result.measurement, Measurement)]
    assert {each.disturbed_rounds for each in found} == {NOT_RECORDED}
    maintenance.check(database)


def test_a_migration_that_fails_changes_nothing(
    tmp_path: Path, make_run: Callable[..., Run], next_release: Callable[[], None]
) -> None:
    path, run = tmp_path / "xeonperf.db", make_run()
    with open_store(str(path)) as store:
        store.add_run(run)
    next_release()
    broken = migration.MIGRATIONS / "versions" / f"{NEXT}_note.py"
    broken.write_text(broken.read_text() + "    raise RuntimeError('half way')\n")
    with pytest.raises(RuntimeError, match="half way"), open_store(str(path)):
        pass
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM v_trend WHERE workload = 'sam-vit-b'").fetchone() == (2,)
        assert database.execute("SELECT version_num FROM xeonperf_revision").fetchall() == [(REVISION,)]


def test_damage_is_found_by_the_check(tmp_path: Path, make_run: Callable[..., Run]) -> None:
    path = tmp_path / "xeonperf.db"
    with open_store(str(path)) as store:
        store.add_run(make_run())
    maintenance.check(str(path))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM machine")
    with pytest.raises(DataError, match="row 1 of run refers to nothing"):
        maintenance.check(str(path))


def _described(connection: Connection) -> dict[str, list[str]]:
    """By table, its columns and indices, in words."""
    found = inspect(connection)
    return {
        table: sorted(
            [f"{column['name']} {column['type']} {column['nullable']}" for column in found.get_columns(table)]
            + [f"{index['name']} {index['column_names']}" for index in found.get_indexes(table)]
        )
        for table in sorted([*found.get_table_names(), *found.get_view_names()])
    }


def _set_revision(database: str, revision: str) -> None:
    engine = connect(locate(database))
    with engine.begin() as connection:
        connection.execute(text("UPDATE xeonperf_revision SET version_num = :new"), {"new": revision})
    engine.dispose()
