"""Results that somebody accepted as the new baseline of their case."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "acceptance",
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("accepted_at", sa.Text(), nullable=False),
        sa.Column("accepted_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_.id"], name="fk_acceptance_case_id_case_"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_acceptance_run_id_run"),
        sa.PrimaryKeyConstraint("case_id", "run_id", name="pk_acceptance"),
    )
    op.create_index("ix_acceptance_run_id", "acceptance", ["run_id"])


def downgrade() -> None:
    """To the revision before."""
    op.drop_table("acceptance")
