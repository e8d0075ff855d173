"""Alerts, and what happened to them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "alert",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("comparability_class", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("latency_ratio", sa.Double(), nullable=False),
        sa.Column("speed_ratio", sa.Double(), nullable=True),
        sa.Column("low_ratio", sa.Double(), nullable=True),
        sa.Column("high_ratio", sa.Double(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("speed_unknown", sa.Text(), nullable=True),
        sa.Column("before_ns", sa.BigInteger(), nullable=False),
        sa.Column("after_ns", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("run_unknown", sa.Text(), nullable=True),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("sha_before", sa.Text(), nullable=True),
        sa.Column("sha_before_unknown", sa.Text(), nullable=True),
        sa.Column("sha_after", sa.Text(), nullable=True),
        sa.Column("sha_after_unknown", sa.Text(), nullable=True),
        sa.Column("raised_at", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("issue_url", sa.Text(), nullable=False),
        sa.Column("recovered_run_id", sa.Text(), nullable=True),
        sa.Column("recovered_unknown", sa.Text(), nullable=True),
        *(_or_why(*pair) for pair in _PAIRS),
        sa.ForeignKeyConstraint(["case_id"], ["case_.id"], name="fk_alert_case_id_case_"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    op.create_index("ix_alert_case_id", "alert", ["case_id"])
    op.create_index("ix_alert_state", "alert", ["state"])
    op.create_table(
        "alert_event",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_event_alert_id_alert"),
        sa.PrimaryKeyConstraint("id", name="pk_alert_event"),
    )
    op.create_index("ix_alert_event_alert_id", "alert_event", ["alert_id"])


def downgrade() -> None:
    """To the revision before."""
    op.drop_table("alert_event")
    op.drop_table("alert")


_PAIRS = (
    ("speed_ratio", "speed_unknown"),
    ("run_id", "run_unknown"),
    ("fingerprint", "run_unknown"),
    ("sha_before", "sha_before_unknown"),
    ("sha_after", "sha_after_unknown"),
    ("recovered_run_id", "recovered_unknown"),
)


def _or_why(name: str, why: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"({name} IS NULL) <> ({why} IS NULL)", name=op.f(f"ck_alert_{name}_or_why"))
