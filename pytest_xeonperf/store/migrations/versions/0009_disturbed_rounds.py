"""How many pairs are of rounds that were kept although the canary found the machine disturbed."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_EITHER = "(disturbed_rounds IS NULL) <> (disturbed_rounds_unknown IS NULL)"


def upgrade() -> None:
    """To this revision; rows that are there have the reason by its default."""
    op.add_column("measurement", sa.Column("disturbed_rounds", sa.Integer(), nullable=True))
    either = sa.CheckConstraint(_EITHER, name=op.f("ck_measurement_disturbed_rounds_or_why"))
    op.add_column(
        "measurement",
        sa.Column("disturbed_rounds_unknown", sa.Text(), either, nullable=True, server_default="not recorded"),
    )


def downgrade() -> None:
    """To the revision before."""
    op.drop_column("measurement", "disturbed_rounds_unknown")  # and with it the constraint
    op.drop_column("measurement", "disturbed_rounds")
