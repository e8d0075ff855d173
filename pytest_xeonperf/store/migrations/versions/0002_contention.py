"""What else used the cores while the rounds of a measurement ran."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FIGURES = {
    "contention_elapsed_ns": sa.BigInteger(),
    "contention_cores": sa.Integer(),
    "stolen_ns": sa.BigInteger(),
    "others_ns": sa.BigInteger(),
    "throttled_ns": sa.BigInteger(),
}
_CHECK = "ck_measurement_contention_elapsed_ns_or_why"


def upgrade() -> None:
    """To this revision."""
    for name, kind in _FIGURES.items():
        op.add_column("measurement", sa.Column(name, kind, nullable=True))
    op.add_column("measurement", sa.Column("contention_unknown", sa.Text(), nullable=True))
    op.execute("UPDATE measurement SET contention_unknown = 'measured before it was counted'")
    with _without_view(), op.batch_alter_table("measurement") as measurement:
        measurement.create_check_constraint(
            op.f(_CHECK), "(contention_elapsed_ns IS NULL) <> (contention_unknown IS NULL)"
        )


def downgrade() -> None:
    """To the revision before."""
    with _without_view(), op.batch_alter_table("measurement") as measurement:
        measurement.drop_constraint(op.f(_CHECK), type_="check")
        for name in (*_FIGURES, "contention_unknown"):
            measurement.drop_column(name)


@contextmanager
def _without_view() -> Iterator[None]:
    """SQLite can alter a table only by copying it, and does not let go of one that a view looks at."""
    bind = op.get_bind()
    if bind.dialect.name != "sqlite":
        yield
        return
    definition = bind.scalar(sa.text("SELECT sql FROM sqlite_master WHERE name = 'v_trend'"))
    op.execute("DROP VIEW v_trend")
    yield
    op.execute(definition)
