"""A long history, made quickly: rows of one run, changed in what differs, go past SQLAlchemy into the tables."""

import uuid

from runs import made
from sqlalchemy import text

from pytest_xeonperf.store import schema, to_rows
from pytest_xeonperf.store.engine import connect, open_store
from pytest_xeonperf.store.location import locate
from pytest_xeonperf.store.repository import WRITES

_RUNS_AT_ONCE = 10


def make_history(database, *, runs, cases, pairs):
    """Fill an empty database with runs that each measured every case."""
    with open_store(database):
        pass
    engine = connect(locate(database))
    with engine.execution_options(**{WRITES: True}).begin() as connection:
        template = _Template(made(0, cases=cases, pairs=pairs), engine.dialect)
        _insert(connection, schema.machine, [template.row(schema.machine, to_rows.machine_row(template.run.machine))])
        _insert(
            connection,
            schema.case,
            [template.row(schema.case, to_rows.case_row(result.case)) for result in template.run.results],
        )
        for start in range(0, runs, _RUNS_AT_ONCE):
            for table, rows in template.tables(range(start, min(start + _RUNS_AT_ONCE, runs))).items():
                _insert(connection, table, rows)
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT setval('result_id_seq', (SELECT max(id) FROM result))"))
    engine.dispose()


def run_id_of(number):
    """The id of a run of such a history: in the order of time, as ids are."""
    return str(uuid.UUID(int=(0x0190 << 112) + (number << 80) + (0x7 << 76) + (0b10 << 62)))


class _Template:
    """The rows of a run as the driver takes them; made once, as that is what takes long."""

    def __init__(self, run, dialect):
        self.run = run
        self.dialect = dialect
        results = list(enumerate(run.results))
        self.results = [
            self.row(schema.result, {"id": place, **to_rows.result_row("", result)}) for place, result in results
        ]
        self.parts = {
            schema.verdict: [to_rows.verdict_row(place, result.verdict) for place, result in results],
            schema.measurement: [to_rows.measurement_row(place, result.measurement) for place, result in results],
            schema.sample: [
                row for place, result in results for row in to_rows.sample_rows(place, result.measurement.samples)
            ],
        }
        self.parts = {table: [self.row(table, row) for row in rows] for table, rows in self.parts.items()}
        self.ratio_at = list(schema.measurement.columns).index(schema.measurement.c.speedup_ratio)

    def row(self, table, named):
        """The values of a row in the order of its columns, as the driver takes them."""
        values = []
        for column in table.columns:
            process = column.type.dialect_impl(self.dialect).bind_processor(self.dialect)
            values.append(process(named[column.name]) if process else named[column.name])
        return values

    def tables(self, numbers):
        """The rows of some runs, tables in the order in which they refer to each other."""
        runs = [made(number, cases=0) for number in numbers]
        found = {
            schema.commit: [self.row(schema.commit, to_rows.commit_row(run.commit)) for run in runs],
            schema.run: [
                self.row(schema.run, {**to_rows.run_row(run), "id": run_id_of(number)})
                for number, run in zip(numbers, runs, strict=True)
            ],
            schema.result: [],
            **{table: [] for table in self.parts},
        }
        for number, run in zip(numbers, runs, strict=True):
            shift = 1 + number * len(self.results)
            found[schema.result] += [
                [place + shift, run_id_of(number), *rest[:-2], run.started_at, rest[-1]]
                for place, _, *rest in self.results
            ]
            for table, rows in self.parts.items():
                found[table] += [[place + shift, *rest] for place, *rest in rows]
        for row in found[schema.measurement]:
            row[self.ratio_at] *= 1 + row[0] % 97 / 4000
        return found


def _insert(connection, table, rows):
    columns = ", ".join(column.name for column in table.columns)
    raw = connection.connection.dbapi_connection
    if connection.dialect.name == "postgresql":
        with raw.cursor().copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        places = ", ".join("?" * len(table.columns))
        raw.executemany(f"INSERT INTO {table.name} ({columns}) VALUES ({places})", rows)  # noqa: S608 - names of ours
