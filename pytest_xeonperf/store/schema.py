"""The tables, one schema for SQLite and PostgreSQL.

Times are integers of nanoseconds, sizes integers of bytes, timestamps UTC ISO-8601 text. A value that may be missing
stands beside a column with the reason, named ``..._unknown``: exactly one of the two is filled. What belongs to the
session rather than to the machine or the commit (AMX probes, limits, branch, dirty) is kept with the run.

A change here needs a migration in ``migrations/versions`` and a new `REVISION`. Beside the tables, migrations keep the
view ``v_trend``: one row a result with everything that a chart needs, for people who bring their own SQL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
)

from pytest_xeonperf.store.columns import Digits, Finite, OpenList, Words

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

REVISION = "0009"
"""The newest migration; a database must be at it."""

REVISION_TABLE = "xeonperf_revision"
"""Alembic's table under a name of our own: a shared database may hold another program's."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _filled(name: str, kind: type[TypeEngine[Any]], *constraints: ForeignKey, index: bool = False) -> Column[Any]:
    return Column(name, kind, *constraints, nullable=False, index=index)


def _maybe(name: str, kind: type[TypeEngine[Any]], *constraints: ForeignKey, index: bool = False) -> Column[Any]:
    return Column(name, kind, *constraints, nullable=True, index=index)


def _or_why(name: str, why: str) -> CheckConstraint:
    """Of a value and the reason for its absence, exactly one is there."""
    return CheckConstraint(f"({name} IS NULL) <> ({why} IS NULL)", name=f"{name}_or_why")


machine = Table(
    "machine",
    metadata,
    Column("fingerprint", Words, primary_key=True),
    _filled("comparability_class", Words, index=True),
    _filled("architecture", Words),
    _filled("cpu_model", Words),
    _filled("isa", Words),
    _filled("amx_remedy", Words),
    _filled("threads", Integer),
    _filled("physical_cores", Integer),
    _filled("memory_bytes", BigInteger),
    _filled("facts", OpenList),  # [[name, value], ...]
)

commit = Table(
    "commit_",  # COMMIT is a word of SQL
    metadata,
    Column("sha", Words, primary_key=True),
    _filled("committed_at", Words),
    _filled("subject", Words),
    _maybe("author", Words),
    _maybe("author_unknown", Words),
    _or_why("author", "author_unknown"),
)

case = Table(
    "case_",  # so is CASE
    metadata,
    Column("id", Words, primary_key=True),
    _filled("workload", Words),
    _filled("phase", Words),
    _filled("preset", Words),
    _filled("variant", Words),
    _filled("metric", Words),
    _filled("over", Words),
)

run = Table(
    "run",
    metadata,
    Column("id", Words, primary_key=True),
    _filled("state", Words),
    _filled("started_at", Words, index=True),
    _maybe("finished_at", Words),
    _maybe("finished_unknown", Words),
    _or_why("finished_at", "finished_unknown"),
    _filled("command", Words),
    _filled("options", OpenList),  # [[name, value], ...]
    _maybe("commit_sha", Words, ForeignKey("commit_.sha"), index=True),
    _maybe("commit_unknown", Words),
    _or_why("commit_sha", "commit_unknown"),
    _maybe("branch", Words, index=True),
    _maybe("dirty", Boolean),
    _filled("machine_fingerprint", Words, ForeignKey("machine.fingerprint"), index=True),
    _filled("amx_advertised", Boolean),
    _filled("amx_usable_by_onednn", Boolean),
    _filled("amx_usable_by_inductor", Boolean),
    _filled("amx_detail", Words),
    _maybe("read_bytes_per_s", Finite),
    _maybe("fp32_flop_per_s", Finite),
    _maybe("bf16_flop_per_s", Finite),
    _maybe("int8_op_per_s", Finite),
    _maybe("limits_unknown", Words),
    _or_why("read_bytes_per_s", "limits_unknown"),
)

result = Table(
    "result",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _filled("run_id", Words, ForeignKey("run.id")),
    _filled("node_id", Words),
    _filled("location", Words),
    _filled("case_id", Words, ForeignKey("case_.id")),
    _filled("measured_at", Words),
    _maybe("measurement_unknown", Words),  # where there is no row in `measurement` nor in `timing`
    UniqueConstraint("run_id", "node_id", "case_id"),
    Index(None, "case_id", "run_id"),  # whether a run has a case: a trend asks that of one run after the other
)

verdict = Table(
    "verdict",
    metadata,
    Column("result_id", Integer, ForeignKey("result.id"), primary_key=True),
    _filled("outcome", Words),
    _filled("reason", Words),
    _maybe("floor_ratio", Finite),
    _maybe("floor_unknown", Words),
    _or_why("floor_ratio", "floor_unknown"),
    _filled("expectations", OpenList),  # [{name, required, found, held, isa}, ...]
)

measurement = Table(
    "measurement",
    metadata,
    Column("result_id", Integer, ForeignKey("result.id"), primary_key=True),
    _filled("item", Words),
    _filled("items_per_call", Integer),
    _filled("voided_rounds", Integer),
    _maybe("disturbed_rounds", Integer),
    _maybe("disturbed_rounds_unknown", Words),
    _or_why("disturbed_rounds", "disturbed_rounds_unknown"),
    _maybe("contention_elapsed_ns", BigInteger),
    _maybe("contention_cores", Integer),
    _maybe("stolen_ns", BigInteger),
    _maybe("others_ns", BigInteger),
    _maybe("throttled_ns", BigInteger),
    _maybe("contention_unknown", Words),
    _or_why("contention_elapsed_ns", "contention_unknown"),
    _filled("seed", Digits),
    _filled("speedup_ratio", Finite),
    _filled("low_ratio", Finite),
    _filled("high_ratio", Finite),
    _filled("confidence", Finite),
    _filled("baseline_median_ns", BigInteger),
    _filled("candidate_median_ns", BigInteger),
    _filled("fidelity", OpenList),  # [{name, value}, ...]
    _maybe("roofline_fraction", Finite),
    _maybe("roofline_bound", Words),
    _maybe("roofline_flop", BigInteger),
    _maybe("roofline_weight_bytes", BigInteger),
    _maybe("roofline_unknown", Words),
    _or_why("roofline_fraction", "roofline_unknown"),
    _filled("compile_ns", BigInteger),
    _filled("graph_breaks", Integer),
    _filled("first_break", Words),
    _filled("recompiles", Integer),
    _filled("kernels", OpenList),  # [name, ...]
    _filled("weight_bytes", BigInteger),
    _maybe("peak_rss_bytes", BigInteger),
    _maybe("peak_rss_unknown", Words),
    _or_why("peak_rss_bytes", "peak_rss_unknown"),
    _filled("left_in_bf16", OpenList),  # [name with reason, ...]
    _maybe("operators", OpenList),  # [[name, self_ns, calls], ...]
    _maybe("operators_unknown", Words),
    _or_why("operators", "operators_unknown"),
)

timing = Table(
    "timing",
    metadata,
    Column("result_id", Integer, ForeignKey("result.id"), primary_key=True),
    _filled("item", Words),
    _filled("rounds", Integer),
    _filled("median_ns", BigInteger),
    _filled("durations_ns", OpenList),  # [duration, ...]
)

sample = Table(
    "sample",
    metadata,
    Column("result_id", Integer, ForeignKey("result.id"), primary_key=True),
    Column("position", Integer, primary_key=True),  # in the order in which they were taken, from 0
    _filled("process", Integer),
    _filled("round_index", Integer),
    _filled("baseline_ns", BigInteger),
    _filled("candidate_ns", BigInteger),
    _filled("baseline_position", Integer),
    _filled("candidate_position", Integer),
)

acceptance = Table(
    "acceptance",
    metadata,
    Column("case_id", Words, ForeignKey("case_.id"), primary_key=True),
    Column("run_id", Words, ForeignKey("run.id"), primary_key=True, index=True),
    _filled("accepted_at", Words),
    _filled("accepted_by", Words),
    _filled("reason", Words),
)

token = Table(
    "token",
    metadata,
    Column("id", Words, primary_key=True),
    _filled("name", Words),
    _filled("scopes", OpenList),  # [scope, ...]
    _filled("secret_sha256", Words),
    _filled("created_at", Words),
    _filled("revoked_at", Words),  # empty while it is good
)

alert = Table(
    "alert",
    metadata,
    Column("id", Words, primary_key=True),
    _filled("case_id", Words, ForeignKey("case_.id"), index=True),
    _filled("comparability_class", Words),
    _filled("source", Words),
    _filled("direction", Words),
    _filled("latency_ratio", Finite),
    _maybe("speed_ratio", Finite),
    _maybe("low_ratio", Finite),
    _maybe("high_ratio", Finite),
    _maybe("confidence", Finite),
    _maybe("speed_unknown", Words),
    _or_why("speed_ratio", "speed_unknown"),
    _filled("before_ns", BigInteger),
    _filled("after_ns", BigInteger),
    _maybe("run_id", Words),  # of no foreign key, as are commits: an alert tells all it knows, and outlives its run
    _maybe("fingerprint", Words),
    _maybe("run_unknown", Words),
    _or_why("run_id", "run_unknown"),
    _or_why("fingerprint", "run_unknown"),
    _filled("since", Words),
    _maybe("sha_before", Words),
    _maybe("sha_before_unknown", Words),
    _or_why("sha_before", "sha_before_unknown"),
    _maybe("sha_after", Words),
    _maybe("sha_after_unknown", Words),
    _or_why("sha_after", "sha_after_unknown"),
    _filled("raised_at", Words),
    _filled("state", Words, index=True),
    _filled("assignee", Words),
    _filled("note", Words),
    _filled("issue_url", Words),
    _maybe("recovered_run_id", Words),
    _maybe("recovered_unknown", Words),
    _or_why("recovered_run_id", "recovered_unknown"),
)

alert_event = Table(
    "alert_event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),  # in the order in which they happened
    _filled("alert_id", Words, ForeignKey("alert.id"), index=True),
    _filled("kind", Words),
    _filled("by", Words),
    _filled("at", Words),
    _filled("changes", OpenList),  # [[name, before, after], ...]
    _filled("note", Words),
)
