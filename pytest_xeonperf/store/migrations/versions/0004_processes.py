"""Which process measured a pair."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.add_column("sample", sa.Column("process", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """To the revision before."""
    op.drop_column("sample", "process")
