"""Runs whose every word and figure means harm: refused in clear words, or shown as text everywhere."""

from __future__ import annotations

import html
import json
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from pytest_xeonperf.exchange import native
from pytest_xeonperf.records import Commit, Run, Timing, Unknown
from pytest_xeonperf.report.text import legible
from pytest_xeonperf.service.app import Service, application
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.identity import new_run_id
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.store.repository import Store

HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>'\"`--></style></script>",
    "template": "{{ 7 * 7 }}{% include 'x' %}${7*7}",
    "sql": "'; DROP TABLE run; -- \" OR 1=1 %s :name ?",
    "path": "../../../../etc/passwd\\..\\%2e%2e%2f",
    "address": "javascript:alert(1)//http://evil.example/?a=b&c=d#e",
    "control": "a\x1b[2J\x07\x08\r\n\x7f\x9b b",
    "right to left": "\u202e\u2066txt.exe\u2069\u202c \u05d0\u05d1 \u0627\u0644",
    "beyond the plane": "\U0001f600\ufffe\ufeff\u0301\u0301\u0301 \u00a0\u3000",
    "long": "<b>" * 500,
}
REFUSED = {"half a character": "\ud800", "NUL": "a\0b", "a megabyte": "x\u00e9" * (1 << 19)}
NOT_FREE = {"id", "started_at", "finished_at", "measured_at", "schema", "sha"}


def _said(value: Any, text: str) -> Any:
    """A record with the text in place of every text, but where something else is asked for."""
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value,
            **{
                field.name: _said(getattr(value, field.name), text)
                for field in fields(value)
                if field.name not in NOT_FREE
            },
        )
    if isinstance(value, tuple):
        return tuple(_said(each, text) for each in value)
    return text if isinstance(value, str) and not isinstance(value, Enum) else value


def _distinct(run: Run) -> Run:
    """Tests and cases told apart again."""
    results = [
        replace(
            result,
            node_id=f"{number} {result.node_id}",
            case=(case := replace(result.case, variant=f"{number} {result.case.variant}")),
            measurement=result.measurement
            if isinstance(result.measurement, Unknown | Timing)
            else replace(result.measurement, case=case),
        )
        for number, result in enumerate(run.results)
    ]
    return replace(run, results=tuple(results))


def _addresses(run: Run, earlier: str) -> list[str]:
    case_ids = [result.case.id for result in run.results]
    return [
        "/",
        f"/run-{run.id}.html",
        f"/compare.html?head={run.id}&base={run.id}",
        f"/compare.html?head={run.id}&base={earlier}",
        *(f"/case-{case_id}.html" for case_id in case_ids),
        "/api/v1/runs",
        "/api/v1/cases",
        f"/api/v1/runs/{run.id}",
        f"/api/v1/compare?head={run.id}&base={run.id}",
        *(f"/api/v1/cases/{case_id}/trend" for case_id in case_ids),
    ]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_words_are_shown_as_text_on_every_page_and_in_every_answer(
    client: TestClient, store: Store, bearing: Callable, recorded: Run, text: str
) -> None:
    run = replace(_distinct(_said(recorded, text)), id=new_run_id(), started_at="2026-11-01T10:00:00+00:00")
    run = replace(run, commit=replace(run.commit, sha="ab" * 20))
    answer = client.post("/api/v1/runs", content=native.dumps(run), headers=bearing(Scope.INGEST))
    assert answer.status_code == 201, answer.text
    assert store.run(run.id) == run
    for address in _addresses(run, recorded.id):
        shown = client.get(address)
        assert shown.status_code == 200, (address, shown.text[:500])
        if address.startswith("/api/"):
            assert text in json.dumps(shown.json(), ensure_ascii=False) or json.dumps(text, ensure_ascii=False)[
                1:-1
            ] in (json.dumps(shown.json(), ensure_ascii=False)), address
            continue
        body = shown.text.partition("<main")[2]
        assert "<script>alert" not in shown.text
        assert "<img src=x" not in shown.text
        assert not set(shown.text) & set("\x1b\x07\x08\x7f\x9b\u202e\u2066\u2069\0"), address
        assert legible(text)[:60].split("\n")[0].strip() in html.unescape(body), address


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("name", ["workload", "variant", "branch", "subject", "reason", "node_id", "command"])
def test_text_that_cannot_be_kept_or_shown_is_refused_with_its_place(
    client: TestClient, store: Store, bearing: Callable, recorded: Run, *, name: str, text: str
) -> None:
    before = len(store.runs())
    plain = json.loads(native.dumps(replace(recorded, id=new_run_id())))
    _put(plain["run"], name, text)
    answer = client.post("/api/v1/runs", content=json.dumps(plain), headers=bearing(Scope.INGEST))
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert name in error["where"]
    assert error["what"]
    assert len(answer.text) < 3000
    assert len(store.runs()) == before


def _put(plain: Any, name: str, text: str) -> None:
    for key, value in list(plain.items()) if isinstance(plain, dict) else enumerate(plain):
        if key == name:
            plain[key] = text
        elif isinstance(value, dict | list):
            _put(value, name, text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"ratio": 3.5', '"ratio": 1e999'),
        ('"value": 52.0', '"value": 1e999'),
        ('"items_per_call": 1', '"items_per_call": 99999999999'),
        ('"round_index": 0', '"round_index": 4294967296'),
        ('"threads": 2', '"threads": -99999999999'),
        ('"memory_bytes": 34359738368', '"memory_bytes": 9223372036854775808'),
        ('"seed": 7', f'"seed": {"9" * 5000}'),
    ],
)
def test_a_figure_that_no_column_holds_is_refused_as_a_fault_of_the_run(
    client: TestClient, store: Store, bearing: Callable, recorded: Run, *, old: str, new: str
) -> None:
    text = native.dumps(replace(recorded, id=new_run_id()))
    assert old in text
    answer = client.post("/api/v1/runs", content=text.replace(old, new), headers=bearing(Scope.INGEST))
    assert answer.status_code == 400, answer.text
    assert len(store.runs()) == 2


@pytest.mark.parametrize("text", [*HOSTILE.values(), *REFUSED.values()], ids=[*HOSTILE, *REFUSED])
def test_hostile_words_in_an_address_are_answered_and_change_nothing(
    client: TestClient, store: Store, text: str
) -> None:
    from urllib.parse import quote

    said = quote(text[:5000].encode("utf-8", "surrogatepass"), safe="")
    for address in (
        f"/api/v1/runs/{said}",
        f"/api/v1/runs?branch={said}&machine={said}",
        f"/api/v1/runs?limit={said}",
        f"/api/v1/cases/{said}/trend?machine={said}",
        f"/api/v1/compare?head={said}&base={said}",
        f"/run-{said}.html",
        f"/case-{said}.html",
        f"/compare.html?head={said}",
        f"/{said}",
    ):
        answer = client.get(address)
        assert answer.status_code in {200, 400, 404}, (address, answer.text)
        assert "<script>alert" not in answer.text or answer.headers["content-type"] == "application/json"
    assert len(store.runs()) == 2


_WORDS = st.one_of(
    st.text(max_size=12), st.sampled_from(list(HOSTILE.values())), st.text(st.characters(categories=["Cc", "Cf", "Zs"]))
)
_FIGURES = {
    bool: st.booleans(),
    int: st.one_of(st.integers(1, 50), st.integers(1, 2**31 - 1)),
    float: st.floats(min_value=0, allow_infinity=False),
}
"""Such as a service takes; others are refused, which other tests say."""


def _changed(draw: Callable, value: Any, kind: Any, name: str) -> Any:
    """A record in which some values are others, of the kinds that the records allow."""
    if name in NOT_FREE:
        return value
    if isinstance(kind, UnionType) and Unknown in get_args(kind) and draw(st.integers(0, 9)) == 0:
        return Unknown(reason=draw(_WORDS))
    if is_dataclass(value):
        hints = get_type_hints(type(value))
        return replace(
            value,
            **{
                each.name: _changed(draw, getattr(value, each.name), hints[each.name], each.name)
                for each in fields(value)
            },
        )
    if isinstance(value, tuple):
        inner, *rest = get_args(kind) if get_origin(kind) is tuple else (Any,)
        kept = value[: draw(st.integers(0, len(value)))] if rest == [...] and draw(st.integers(0, 9)) == 0 else value
        return tuple(_changed(draw, each, inner, name) for each in kept)
    if draw(st.integers(0, 7)) or name == "state":
        return value
    return draw(_words_or_figures(value))


def _words_or_figures(value: Any) -> st.SearchStrategy[Any]:
    if isinstance(value, Enum):
        return st.sampled_from(list(type(value)))
    return _WORDS if isinstance(value, str) else _FIGURES[type(value)]


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_was_taken_can_be_shown(
    kind: str, make_history: Callable[[str], str], recorded: Run, data: st.DataObject
) -> None:
    run = replace(_changed(data.draw, recorded, Run, ""), id=new_run_id())
    if isinstance(run.commit, Commit):
        run = replace(run, commit=replace(run.commit, sha="ab" * 20))
    results = [
        result
        if isinstance(result.measurement, Unknown)
        else replace(result, measurement=replace(result.measurement, case=result.case))
        for result in run.results
    ]
    run = replace(run, results=tuple(results))
    with open_store(make_history(kind)) as store:
        client = TestClient(application(Service(store=store, open_to_read=True)), base_url="http://service")
        token = store.create_token("somebody", [Scope.INGEST])[1]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        store.add_run(replace(recorded, started_at="2026-08-01T10:00:00+00:00"))
        body = json.dumps({"schema": native.SCHEMA, "run": native.to_plain(run)})
        answer = client.post("/api/v1/runs", content=body, headers=headers)
        assert answer.status_code in {201, 400}, answer.text
        event(f"answered {answer.status_code}")
        if answer.status_code == 400:
            assert len(store.runs()) == 1
            return
        assert store.run(run.id) == run
        for address in _addresses(run, recorded.id):
            assert client.get(address).status_code == 200, address
