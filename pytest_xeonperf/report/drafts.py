"""Files that take their place in one step: a reader finds the old page or the new one, never half of one."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """A name beside the file; what is written there takes the file's place at the end, if all went well."""
    draft = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part")
    try:
        yield draft
        if draft.exists():
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
