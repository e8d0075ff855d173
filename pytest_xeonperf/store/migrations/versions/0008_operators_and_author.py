"""Who made a commit, and how long the operators of a call took."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COLUMNS = (("commit_", "author", sa.Text()), ("measurement", "operators", sa.JSON()))


def upgrade() -> None:
    """To this revision.

    The constraint comes with its column, which SQLite can add without copying the table; rows that are there have the
    reason by its default.
    """
    for table, name, kind in _COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))
        either = sa.CheckConstraint(
            f"({name} IS NULL) <> ({name}_unknown IS NULL)", name=op.f(f"ck_{table}_{name}_or_why")
        )
        op.add_column(
            table, sa.Column(f"{name}_unknown", sa.Text(), either, nullable=True, server_default="not recorded")
        )


def downgrade() -> None:
    """To the revision before."""
    for table, name, _kind in _COLUMNS:
        op.drop_column(table, f"{name}_unknown")  # and with it the constraint
        op.drop_column(table, name)
