"""The history as others see it: records in, records out; every method is one transaction."""

from __future__ import annotations

from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Measurement, RunState, Unknown
from pytest_xeonperf.store import (
    alert_series,
    alerts,
    baselines,
    history,
    latest,
    machines,
    paging,
    reading,
    rebasing,
    recent,
    revisions,
    series,
    sessions,
    tokens,
    triage,
    writing,
)
from pytest_xeonperf.store.failures import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Engine

    from pytest_xeonperf.alerts import Alert, AlertEvent, AlertState, Evidence, SeriesPoint, Triage
    from pytest_xeonperf.judge.alerts import Findings
    from pytest_xeonperf.judge.runs import Session
    from pytest_xeonperf.records import Acceptance, Case, Limits, Machine, Result, Run
    from pytest_xeonperf.store.series import Numbered
    from pytest_xeonperf.store.summaries import (
        AlertPage,
        CommitSummary,
        Extent,
        MachineSummary,
        RunMark,
        RunPage,
        RunSummary,
        TrendPage,
        TrendPoint,
    )
    from pytest_xeonperf.store.tokens import Scope, Token

WRITES = "xeonperf_writes"
"""Execution option of a connection that is going to write."""

_MANY = 10_000


class Store:
    """A history of runs; `pytest_xeonperf.store.engine.open_store` makes it. Threads may share it.

    Every method may raise InfrastructureError if the database is gone or kept locked.

    Attributes:
        where: Path or URL, for people.
    """

    def __init__(self, engine: Engine, *, where: str) -> None:
        self._engine = engine
        self.where = where

    def forked(self) -> None:
        """Let go of the connections of the process that this one is a copy of; call it first in a child."""
        self._engine.dispose(close=False)

    # --- a run under way

    def begin_run(self, run: Run) -> None:
        """Add a run that starts now; one that is there already is left as it is."""
        with self._writing() as connection:
            writing.insert_run(connection, run)

    def add_results(self, run_id: str, results: Sequence[Result]) -> int:
        """Add what one test came to, all of it or nothing, safe from a kill when this returns; how many were new.

        Run, test and case make a result the same: what is there already stays as it is.

        Raises:
            DataError: There is no such run, or a result contradicts itself.
        """
        with self._writing() as connection:
            return sum(writing.insert_result(connection, run_id, result) for result in results)

    def set_machine(self, run_id: str, machine: Machine) -> None:
        """Say on what the run is running, limits included, once that is known."""
        with self._writing() as connection:
            writing.update_machine(connection, run_id, machine)

    def set_limits(self, run_id: str, limits: Limits | Unknown) -> None:
        """Say what the machine can do at best in this run."""
        with self._writing() as connection:
            writing.update_limits(connection, run_id, limits)

    def finish_run(self, run_id: str, state: RunState, finished_at: str) -> None:
        """Say that the run ended, and how."""
        with self._writing() as connection:
            writing.update_state(connection, run_id, state, finished_at)

    def resume_run(self, run_id: str) -> None:
        """Say that an interrupted run goes on."""
        with self._writing() as connection:
            writing.update_state(connection, run_id, RunState.RUNNING, Unknown(reason="the run was resumed"))

    def add_run(self, run: Run) -> bool:
        """Add a whole run with its results, as an import does; whether it was new."""
        with self._writing() as connection:
            is_new = writing.insert_run(connection, run)
            if is_new:
                writing.insert_results(connection, run)
            return is_new

    def accept(self, acceptances: Sequence[Acceptance]) -> int:
        """Add somebody's word on results, all of it or nothing; how many were new. Alerts of them are expected then."""
        with self._writing() as connection:
            triage.take_turns_of(connection, acceptances)
            new = [
                each
                for each in sorted(acceptances, key=lambda each: (each.case.id, each.run_id))
                if writing.insert_acceptance(connection, each)
            ]
            for each in new:
                triage.expect(connection, each)
            return len(new)

    # --- alerts

    def series(self, case_id: str, comparability_class: str, *, limit: int) -> tuple[SeriesPoint, ...]:
        """The newest points of the main line of a case on a class of machine, one a run, oldest first."""
        with self._reading() as connection:
            return alert_series.read_series(connection, case_id, comparability_class, limit=limit)

    def series_names(self) -> tuple[tuple[Case, str], ...]:
        """Every case with each class of machine that it was measured on."""
        with self._reading() as connection:
            return alert_series.read_series_names(connection)

    def evidence(self, case_id: str, comparability_class: str, *, limit: int) -> Evidence:
        """What a look at a case on a class of machine goes by, with its newest points."""
        with self._reading() as connection:
            return alert_series.read_evidence(connection, case_id, comparability_class, limit=limit)

    def watch(
        self, case: Case, comparability_class: str, judge: Callable[[Evidence], Findings], *, limit: int
    ) -> Findings:
        """Write down what a judge makes of the series of a case and class; what that was.

        Nobody else does, or accepts anything of it, from when the evidence is read: who comes second is told of it.
        """
        with self._writing() as connection:
            alerts.take_turns(connection, case.id, comparability_class)
            found = judge(alert_series.read_evidence(connection, case.id, comparability_class, limit=limit))
            alerts.record(connection, case, found)
            return found

    def accept_due(self, case_id: str, comparability_class: str) -> None:
        """Accept what a gate's alerts expect whose run has come since; see `Evidence.due`."""
        with self._writing() as connection:
            alerts.take_turns(connection, case_id, comparability_class)
            rebasing.accept_due(connection, case_id, comparability_class)

    def raise_alerts(
        self, case: Case, comparability_class: str, judge: Callable[[Sequence[Alert]], Findings]
    ) -> Findings:
        """Write down what a judge makes of the alerts of a case and class, while nobody else does; what that was.

        Whoever comes second is told what the first has raised.
        """
        with self._writing() as connection:
            alerts.take_turns(connection, case.id, comparability_class)
            found = judge(
                alerts.read_alerts(
                    connection, states=(), case_id=case.id, comparability_class=comparability_class, limit=_MANY
                )
            )
            alerts.record(connection, case, found)
            return found

    def alerts(
        self,
        states: Sequence[AlertState] = (),
        *,
        case_id: str = "",
        comparability_class: str = "",
        limit: int = _MANY,
    ) -> tuple[Alert, ...]:
        """Alerts, newest first; in these states, of one case, of one class of machine where given."""
        with self._reading() as connection:
            return alerts.read_alerts(
                connection, states=states, case_id=case_id, comparability_class=comparability_class, limit=limit
            )

    def alert_page(
        self,
        states: Sequence[AlertState] = (),
        *,
        limit: int,
        case_id: str = "",
        comparability_class: str = "",
        before: str = "",
    ) -> AlertPage:
        """As `alerts`, and where the next page begins; `before` is what that was.

        Raises:
            UsageError: It was not.
        """
        with self._reading() as connection:
            return paging.read_alert_page(
                connection,
                states=states,
                case_id=case_id,
                comparability_class=comparability_class,
                limit=limit,
                before=before,
            )

    def alert(self, alert_id: str) -> Alert:
        """One alert.

        Raises:
            UsageError: There is none of that id.
        """
        with self._reading() as connection:
            return alerts.read_alert(connection, alert_id)

    def alert_events(self, alert_id: str) -> tuple[AlertEvent, ...]:
        """What happened to an alert, in that order."""
        with self._reading() as connection:
            return alerts.read_events(connection, alert_id)

    def alert_news(self, *, limit: int, branch: str = "") -> tuple[tuple[Alert, AlertEvent], ...]:
        """What was raised, is over or is open again, newest first, each with its alert; of one branch where given."""
        with self._reading() as connection:
            return alerts.read_news(connection, limit=limit, branch=branch)

    def alert_counts(self) -> Mapping[AlertState, int]:
        """How many alerts are in each state, also if that is none."""
        with self._reading() as connection:
            return alerts.count_alerts(connection)

    def triage(
        self, alert_id: str, change: Triage, *, by: str, at: str, seen: Mapping[str, str] = MappingProxyType({})
    ) -> Alert:
        """Do what somebody decided about an alert, and accept its run where it is expected; the alert as it is then.

        Raises:
            UsageError: There is none of that id.
            OvertakenError: What is to be changed is no longer as it was `seen`.
        """
        with self._writing() as connection:
            return triage.triage(connection, alert_id, change, by=by, at=at, seen=seen)

    # --- tokens of the service

    def create_token(self, name: str, scopes: Sequence[Scope]) -> tuple[Token, str]:
        """A new token, and the text that whoever uses it has to say; it is kept nowhere."""
        with self._writing() as connection:
            return tokens.create(connection, name, scopes)

    def token(self, text: str) -> Token | Unknown:
        """The token that somebody says, if it is good."""
        with self._reading() as connection:
            return tokens.find(connection, text)

    def tokens(self) -> tuple[Token, ...]:
        """Every token, oldest first, the revoked ones too."""
        with self._reading() as connection:
            return tokens.read_all(connection)

    def revoke_token(self, token_id: str) -> None:
        """Make a token good for nothing.

        Raises:
            UsageError: There is none of that id that was good.
        """
        with self._writing() as connection:
            tokens.revoke(connection, token_id)

    # --- looking back

    def run(self, run_id: str) -> Run:
        """The run, whole.

        Raises:
            UsageError: There is none of that id.
        """
        with self._reading() as connection:
            return reading.read_run(connection, run_id)

    def has_run(self, run_id: str) -> bool:
        """Whether there is a run of that id."""
        with self._reading() as connection:
            return reading.has_run(connection, run_id)

    def results_of(self, run_id: str, case_id: str = "") -> tuple[Result, ...]:
        """The results of a run in the order in which they were committed; of one case where given."""
        with self._reading() as connection:
            return reading.read_results(connection, run_id, case_id)

    def commits(self, shas: Sequence[str]) -> dict[str, CommitSummary]:
        """By sha, what is known of commits; those that nobody measured are left out."""
        with self._reading() as connection:
            return reading.read_commits(connection, shas)

    def runs(
        self, limit: int = 50, *, branch: str = "", comparability_class: str = "", before: str = ""
    ) -> tuple[RunSummary, ...]:
        """The newest runs, newest first; of one branch, of one class of machines, before a time where given."""
        with self._reading() as connection:
            return history.read_runs(
                connection, limit=limit, branch=branch, comparability_class=comparability_class, before=before
            )

    def cases(self) -> tuple[Case, ...]:
        """Every case there is a result of."""
        with self._reading() as connection:
            return reading.read_cases(connection)

    def trend(
        self, case_id: str, *, comparability_class: str = "", limit: int = _MANY, before: str = ""
    ) -> tuple[TrendPoint, ...]:
        """The newest points of a case, oldest first; of one class of machines, of runs before a time where given."""
        with self._reading() as connection:
            return history.read_trend(
                connection, case_id, limit=limit, comparability_class=comparability_class, before=before
            )

    def run_page(self, *, limit: int, branch: str = "", comparability_class: str = "", before: str = "") -> RunPage:
        """As `runs`, and where the next page begins; `before` is what that was.

        Raises:
            UsageError: It was not.
        """
        with self._reading() as connection:
            return paging.read_run_page(
                connection, limit=limit, branch=branch, comparability_class=comparability_class, before=before
            )

    def trend_page(self, case_id: str, *, limit: int, comparability_class: str = "", before: str = "") -> TrendPage:
        """As `trend`, and where the next page of older points begins; `before` is what that was.

        Raises:
            UsageError: It was not.
        """
        with self._reading() as connection:
            return paging.read_trend_page(
                connection, case_id, limit=limit, comparability_class=comparability_class, before=before
            )

    def since(self, case_id: str, *, comparability_class: str, limit: int, since: str) -> tuple[TrendPoint, ...]:
        """The first points of a case on a class of machines, of runs at a time or later, oldest first."""
        with self._reading() as connection:
            return history.read_since(
                connection, case_id, limit=limit, comparability_class=comparability_class, since=since
            )

    def sessions(
        self, case_ids: Sequence[str], *, machine: Machine, limit: int, before: str
    ) -> dict[str, tuple[Session, ...]]:
        """By case what it came to in the newest runs before a time, on the class of a machine, oldest first."""
        with self._reading() as connection:
            return sessions.read_sessions(connection, case_ids, machine=machine, limit=limit, before=before)

    def state(self) -> str:
        """A digest that is another one whenever something was added that a page shows; made in milliseconds."""
        with self._reading() as connection:
            return series.read_state(connection)

    def extent(self) -> Extent:
        """How many results there are and the newest one's number."""
        with self._reading() as connection:
            return series.read_extent(connection)

    def earlier_extent(self, whole: Extent, until: int) -> Extent:
        """What an extent was before the results numbered above `until` were added."""
        with self._reading() as connection:
            return series.read_earlier_extent(connection, whole, until)

    def new_runs(self, *, after: int) -> frozenset[str]:
        """Ids of the runs that had no result yet when the newest one was numbered so."""
        with self._reading() as connection:
            return series.read_new_runs(connection, after=after)

    def marks(self, *, until: int) -> tuple[RunMark, ...]:
        """Every run that has a result numbered up to `until`, oldest first."""
        with self._reading() as connection:
            return series.read_marks(connection, until=until)

    def run_versions(self, run_ids: Sequence[str]) -> dict[str, str]:
        """By run, a digest that changes with anything that its page shows."""
        with self._reading() as connection:
            return series.read_versions(connection, run_ids)

    def numbered_points(
        self, marks: Sequence[RunMark], *, case_id: str = "", after: int = 0, until: int
    ) -> dict[str, list[Numbered]]:
        """By case, the points in these runs of results numbered above `after` up to `until`, oldest first."""
        with self._reading() as connection:
            return series.read_points(connection, marks, case_id=case_id, after=after, until=until)

    def recent(self, marks: Sequence[RunMark], *, most: int, until: int) -> dict[str, tuple[TrendPoint, ...]]:
        """By case, its newest points, oldest first: of the newest one's class all, of others what is recent."""
        with self._reading() as connection:
            return recent.read_recent(connection, marks, most=most, until=until)

    def latest(self, *, branch: str = "", case_id: str = "") -> tuple[tuple[Case, TrendPoint], ...]:
        """Of each case its newest point on each class of machine; of one branch, of one case where given."""
        with self._reading() as connection:
            return latest.read_latest(connection, branch=branch, case_id=case_id)

    def machines(self) -> tuple[MachineSummary, ...]:
        """Every fingerprint, the one seen last first."""
        with self._reading() as connection:
            return machines.read_machines(connection)

    def resolve(self, revision: str) -> str:
        """The id of the run that ``latest``, ``latest~1``, a branch, a sha or a run id (or its beginning) means.

        Raises:
            UsageError: It means none, or several; says what there is.
        """
        with self._reading() as connection:
            return revisions.find_run(connection, revision)

    def unfinished_run(self, *, commit_sha: str = "", comparability_class: str = "") -> Run | Unknown:
        """The newest run that was interrupted or killed, to be resumed; of one commit or class where given."""
        with self._reading() as connection:
            return reading.read_unfinished(connection, commit_sha, comparability_class)

    def baseline(self, shas: Sequence[str], *, comparability_class: str, case_ids: Sequence[str]) -> str | Unknown:
        """The id of the newest finished run, of the first of these commits that has one, with one of these cases."""
        with self._reading() as connection:
            return baselines.find_baseline(connection, shas, comparability_class, case_ids)

    def earlier(self, run: Run) -> str | Unknown:
        """The id of the newest run that began before this one, on its class of machine, with a case in common."""
        measured = [result.case.id for result in run.results if isinstance(result.measurement, Measurement)]
        with self._reading() as connection:
            return baselines.find_earlier(connection, run.machine.comparability_class, measured, before=run.started_at)

    def acceptances(self, comparability_class: str, *, until: str) -> tuple[Acceptance, ...]:
        """What was accepted on a class of machine in runs that started no later than `until`, in the runs' order."""
        with self._reading() as connection:
            return baselines.read_acceptances(connection, comparability_class, until=until)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with explained(self.where), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with explained(self.where), self._engine.execution_options(**{WRITES: True}).begin() as connection:
            yield connection
