"""Tokens of the service: told once, kept as hashes, good until they are revoked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.store import schema
from pytest_xeonperf.store.engine import connect, open_store
from pytest_xeonperf.store.location import locate
from pytest_xeonperf.store.tokens import Scope


def test_a_token_is_found_by_its_text_and_by_nothing_else(database: str) -> None:
    with open_store(database) as store:
        token, text = store.create_token("nightly <b>", [Scope.INGEST, Scope.READ, Scope.INGEST])
        assert token.scopes == (Scope.INGEST, Scope.READ)
        assert store.token(text) == token
        other = store.create_token("other", [Scope.READ])[1]
        swapped = "_".join([*text.split("_")[:2], other.split("_", 2)[2]])
        for wrong in ("", "xp", text[:-1], text + "x", "yp" + text[2:], swapped, f"xp_{token.id}_", f"xp_{token.id}"):
            assert isinstance(store.token(wrong), Unknown), wrong


def test_no_secret_is_in_the_database(database: str) -> None:
    with open_store(database) as store:
        _, text = store.create_token("nightly", [Scope.INGEST])
    engine = connect(locate(database))
    with engine.begin() as connection:
        (row,) = connection.execute(select(schema.token)).mappings().all()
    engine.dispose()
    assert text.split("_", 2)[2] not in str(dict(row))


def test_a_revoked_token_is_good_for_nothing_and_stays_listed(database: str) -> None:
    with open_store(database) as store:
        token, text = store.create_token("leaver", [Scope.READ])
        store.revoke_token(token.id)
        assert isinstance(store.token(text), Unknown)
        (listed,) = store.tokens()
        assert listed.revoked_at
        assert replace(listed, revoked_at="") == token
        for gone in (token.id, "nothing"):
            with pytest.raises(UsageError, match="there is no good token"):
                store.revoke_token(gone)
