"""Results of a case by their run, so that the newest points of a trend are found without sorting all of them."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_index("ix_result_case_id_run_id", "result", ["case_id", "run_id"])
    op.drop_index("ix_result_case_id", table_name="result")  # the new one begins with it


def downgrade() -> None:
    """To the revision before."""
    op.create_index("ix_result_case_id", "result", ["case_id"])
    op.drop_index("ix_result_case_id_run_id", table_name="result")
