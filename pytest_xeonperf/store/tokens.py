"""Who may use the service: tokens with scopes, of which the history keeps no more than a hash.

A token is ``xp_`` with its public id and a secret of 256 random bits. Such a secret cannot be guessed from its SHA-256,
so it needs no slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.store import schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, RowMapping

_PREFIX = "xp"
_ID_BYTES, _SECRET_BYTES = 6, 32


class Scope(StrEnum):
    """What a token is good for."""

    READ = "read"
    INGEST = "ingest"
    TRIAGE = "triage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as the history knows it.

    Attributes:
        id: Public, for logs and for revoking it.
        name: Whose it is, for people.
        revoked_at: UTC ISO-8601; empty while it is good.
    """

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: str
    revoked_at: str


def create(connection: Connection, name: str, scopes: Sequence[Scope]) -> tuple[Token, str]:
    """A new token, and the text that whoever uses it has to say: it is told once, and kept nowhere."""
    token = Token(
        id=secrets.token_hex(_ID_BYTES),
        name=name,
        scopes=tuple(dict.fromkeys(scopes)),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        revoked_at="",
    )
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    row = {
        "id": token.id,
        "name": name,
        "scopes": [scope.value for scope in token.scopes],
        "secret_sha256": _hash(secret),
        "created_at": token.created_at,
        "revoked_at": "",
    }
    connection.execute(insert(schema.token), row)
    return token, f"{_PREFIX}_{token.id}_{secret}"


def find(connection: Connection, text: str) -> Token | Unknown:
    """The token that somebody says, if there is one and it was not revoked."""
    nobody = Unknown(reason="no such token, or it was revoked")
    prefix, _, rest = text.partition("_")
    token_id, _, secret = rest.partition("_")
    row = connection.execute(select(schema.token).where(schema.token.c.id == token_id)).mappings().one_or_none()
    good = hmac.compare_digest(_hash(secret), row["secret_sha256"] if row else _hash(""))
    if row is None or not good or prefix != _PREFIX or row["revoked_at"]:
        return nobody
    return _token(row)


def read_all(connection: Connection) -> tuple[Token, ...]:
    """Every token, oldest first, the revoked ones too."""
    query = select(schema.token).order_by(schema.token.c.created_at, schema.token.c.id)
    return tuple(map(_token, connection.execute(query).mappings()))


def revoke(connection: Connection, token_id: str) -> None:
    """Make a token good for nothing, from the next request on.

    Raises:
        UsageError: There is none of that id that was good.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    token = schema.token.c
    done = connection.execute(
        update(schema.token).where(token.id == token_id, token.revoked_at == "").values(revoked_at=now)
    )
    if done.rowcount == 0:
        raise UsageError(f"there is no good token {token_id!r}", remedy="`xeonperf token list` shows them")


def _token(row: RowMapping) -> Token:
    return Token(
        id=row["id"],
        name=row["name"],
        scopes=tuple(Scope(scope) for scope in row["scopes"]),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
