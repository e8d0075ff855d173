"""The first schema: runs, machines, commits, cases, results with verdicts, measurements, timings, and `v_trend`."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = ("sample", "measurement", "timing", "verdict", "result", "run", "machine", "commit_", "case_")

_V_TREND = """
CREATE VIEW v_trend AS
SELECT
    run.started_at AS run_started_at,
    run.id AS run_id,
    run.commit_sha,
    run.branch,
    commit_.subject,
    case_.id AS case_id,
    case_.workload,
    case_.phase,
    case_.preset,
    case_.variant,
    case_.metric,
    case_."over",
    measurement.speedup_ratio,
    measurement.low_ratio AS low,
    measurement.high_ratio AS high,
    COALESCE(measurement.candidate_median_ns, timing.median_ns) AS median_ns,
    measurement.baseline_median_ns,
    verdict.floor_ratio,
    verdict.outcome AS verdict,
    verdict.reason,
    machine.comparability_class AS machine_class,
    machine.cpu_model,
    machine.isa
FROM result
JOIN run ON run.id = result.run_id
JOIN machine ON machine.fingerprint = run.machine_fingerprint
LEFT JOIN commit_ ON commit_.sha = run.commit_sha
JOIN case_ ON case_.id = result.case_id
JOIN verdict ON verdict.result_id = result.id
LEFT JOIN measurement ON measurement.result_id = result.id
LEFT JOIN timing ON timing.result_id = result.id
"""


def upgrade() -> None:
    """To this revision."""
    _create_identities()
    _create_run()
    _create_result()
    _create_measurement()
    _create_timing()
    op.execute(_V_TREND)


def downgrade() -> None:
    """To an empty database."""
    op.execute("DROP VIEW v_trend")
    for table in _TABLES:
        op.drop_table(table)


def _create_identities() -> None:
    op.create_table(
        "case_",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workload", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("preset", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("over", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_case_"),
    )
    op.create_table(
        "commit_",
        sa.Column("sha", sa.Text(), nullable=False),
        sa.Column("committed_at", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha", name="pk_commit_"),
    )
    op.create_table(
        "machine",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("comparability_class", sa.Text(), nullable=False),
        sa.Column("architecture", sa.Text(), nullable=False),
        sa.Column("cpu_model", sa.Text(), nullable=False),
        sa.Column("isa", sa.Text(), nullable=False),
        sa.Column("amx_remedy", sa.Text(), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("physical_cores", sa.Integer(), nullable=False),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_machine"),
    )
    op.create_index("ix_machine_comparability_class", "machine", ["comparability_class"])


def _create_run() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.Text(), nullable=True),
        sa.Column("finished_unknown", sa.Text(), nullable=True),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("commit_sha", sa.Text(), nullable=True),
        sa.Column("commit_unknown", sa.Text(), nullable=True),
        sa.Column("branch", sa.Text(), nullable=True),
        sa.Column("dirty", sa.Boolean(), nullable=True),
        sa.Column("machine_fingerprint", sa.Text(), nullable=False),
        sa.Column("amx_advertised", sa.Boolean(), nullable=False),
        sa.Column("amx_usable_by_onednn", sa.Boolean(), nullable=False),
        sa.Column("amx_usable_by_inductor", sa.Boolean(), nullable=False),
        sa.Column("amx_detail", sa.Text(), nullable=False),
        sa.Column("read_bytes_per_s", sa.Double(), nullable=True),
        sa.Column("fp32_flop_per_s", sa.Double(), nullable=True),
        sa.Column("bf16_flop_per_s", sa.Double(), nullable=True),
        sa.Column("int8_op_per_s", sa.Double(), nullable=True),
        sa.Column("limits_unknown", sa.Text(), nullable=True),
        sa.CheckConstraint("(commit_sha IS NULL) <> (commit_unknown IS NULL)", name=op.f("ck_run_commit_sha_or_why")),
        sa.CheckConstraint(
            "(finished_at IS NULL) <> (finished_unknown IS NULL)", name=op.f("ck_run_finished_at_or_why")
        ),
        sa.CheckConstraint(
            "(read_bytes_per_s IS NULL) <> (limits_unknown IS NULL)", name=op.f("ck_run_read_bytes_per_s_or_why")
        ),
        sa.ForeignKeyConstraint(["commit_sha"], ["commit_.sha"], name="fk_run_commit_sha_commit_"),
        sa.ForeignKeyConstraint(
            ["machine_fingerprint"], ["machine.fingerprint"], name="fk_run_machine_fingerprint_machine"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
    )
    op.create_index("ix_run_branch", "run", ["branch"])
    op.create_index("ix_run_commit_sha", "run", ["commit_sha"])
    op.create_index("ix_run_machine_fingerprint", "run", ["machine_fingerprint"])
    op.create_index("ix_run_started_at", "run", ["started_at"])


def _create_result() -> None:
    op.create_table(
        "result",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("measured_at", sa.Text(), nullable=False),
        sa.Column("measurement_unknown", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_.id"], name="fk_result_case_id_case_"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_result_run_id_run"),
        sa.PrimaryKeyConstraint("id", name="pk_result"),
        sa.UniqueConstraint("run_id", "node_id", "case_id", name="uq_result_run_id_node_id_case_id"),
    )
    op.create_index("ix_result_case_id", "result", ["case_id"])
    op.create_table(
        "verdict",
        sa.Column("result_id", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("floor_ratio", sa.Double(), nullable=True),
        sa.Column("floor_unknown", sa.Text(), nullable=True),
        sa.Column("expectations", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "(floor_ratio IS NULL) <> (floor_unknown IS NULL)", name=op.f("ck_verdict_floor_ratio_or_why")
        ),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name="fk_verdict_result_id_result"),
        sa.PrimaryKeyConstraint("result_id", name="pk_verdict"),
    )


def _create_measurement() -> None:
    op.create_table(
        "measurement",
        sa.Column("result_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("items_per_call", sa.Integer(), nullable=False),
        sa.Column("voided_rounds", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("speedup_ratio", sa.Double(), nullable=False),
        sa.Column("low_ratio", sa.Double(), nullable=False),
        sa.Column("high_ratio", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("baseline_median_ns", sa.BigInteger(), nullable=False),
        sa.Column("candidate_median_ns", sa.BigInteger(), nullable=False),
        sa.Column("fidelity", sa.JSON(), nullable=False),
        sa.Column("roofline_fraction", sa.Double(), nullable=True),
        sa.Column("roofline_bound", sa.Text(), nullable=True),
        sa.Column("roofline_flop", sa.BigInteger(), nullable=True),
        sa.Column("roofline_weight_bytes", sa.BigInteger(), nullable=True),
        sa.Column("roofline_unknown", sa.Text(), nullable=True),
        sa.Column("compile_ns", sa.BigInteger(), nullable=False),
        sa.Column("graph_breaks", sa.Integer(), nullable=False),
        sa.Column("first_break", sa.Text(), nullable=False),
        sa.Column("recompiles", sa.Integer(), nullable=False),
        sa.Column("kernels", sa.JSON(), nullable=False),
        sa.Column("weight_bytes", sa.BigInteger(), nullable=False),
        sa.Column("peak_rss_bytes", sa.BigInteger(), nullable=True),
        sa.Column("peak_rss_unknown", sa.Text(), nullable=True),
        sa.Column("left_in_bf16", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "(peak_rss_bytes IS NULL) <> (peak_rss_unknown IS NULL)", name=op.f("ck_measurement_peak_rss_bytes_or_why")
        ),
        sa.CheckConstraint(
            "(roofline_fraction IS NULL) <> (roofline_unknown IS NULL)",
            name=op.f("ck_measurement_roofline_fraction_or_why"),
        ),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name="fk_measurement_result_id_result"),
        sa.PrimaryKeyConstraint("result_id", name="pk_measurement"),
    )
    op.create_table(
        "sample",
        sa.Column("result_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("round_index", sa.Integer(), nullable=False),
        sa.Column("baseline_ns", sa.BigInteger(), nullable=False),
        sa.Column("candidate_ns", sa.BigInteger(), nullable=False),
        sa.Column("baseline_position", sa.Integer(), nullable=False),
        sa.Column("candidate_position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name="fk_sample_result_id_result"),
        sa.PrimaryKeyConstraint("result_id", "position", name="pk_sample"),
    )


def _create_timing() -> None:
    op.create_table(
        "timing",
        sa.Column("result_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("median_ns", sa.BigInteger(), nullable=False),
        sa.Column("durations_ns", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name="fk_timing_result_id_result"),
        sa.PrimaryKeyConstraint("result_id", name="pk_timing"),
    )
