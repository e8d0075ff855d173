"""Alembic's entry: migrates the connection it is handed, inside the transaction that is open on it.

There is no alembic.ini: `pytest_xeonperf.store.migration` hands over the connection in ``config.attributes``.
"""

from alembic import context

from pytest_xeonperf.store import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    version_table=schema.REVISION_TABLE,
    render_as_batch=True,  # SQLite alters a table by copying it
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
