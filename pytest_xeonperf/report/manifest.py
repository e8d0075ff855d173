"""What a folder of pages was made of, kept beside them: so that the next time only what changed is made again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING
from zlib import crc32

from pytest_xeonperf.report.render import package_version

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.resources.abc import Traversable
    from pathlib import Path

NAME = ".xeonperf-report.json"
"""Of the manifest in a folder of pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A page that was written.

    Attributes:
        inputs: Digest of what it was made from.
        linked: Of the page of a case, ids of its runs that it links to.
        size_bytes: Of the file, as are the time of its last change and its check sum.
    """

    inputs: str
    linked: tuple[str, ...] = ()
    size_bytes: int
    changed_ns: int
    checksum: int

    def is_at(self, path: Path) -> bool:
        """Whether the file is still what was written; it is read only where its time differs."""
        try:
            found = path.stat()
            if found.st_size != self.size_bytes:
                return False
            return found.st_mtime_ns == self.changed_ns or crc32(path.read_bytes()) == self.checksum
        except OSError:
            return False

    def read(self, path: Path) -> bytes:
        """The page; empty if it is not there or not what was written."""
        try:
            changed_ns, content = path.stat().st_mtime_ns, path.read_bytes()
        except OSError:
            return b""
        is_ours = changed_ns == self.changed_ns and len(content) == self.size_bytes
        return content if is_ours or crc32(content) == self.checksum else b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Of one folder.

    Attributes:
        made_by: Digest of the code and the templates that made the pages; empty where there is none to go on from.
        runs_digest: Of all runs that had results, in order.
        results: How many results there were, and `newest_id` the number of the newest.
        pages: By name.
    """

    made_by: str = ""
    runs_digest: str = ""
    results: int = 0
    newest_id: int = 0
    pages: dict[str, Written] = field(default_factory=dict)

    @classmethod
    def read(cls, directory: Path) -> Manifest:
        """The folder's manifest; an empty one if there is none that can be understood."""
        try:
            told = json.loads((directory / NAME).read_text(encoding="utf-8"))
            pages = {name: _written(entry) for name, entry in told.pop("pages").items() if _is_plain(name)}
            found = cls(**told, pages=pages)
            numbers = (found.results, found.newest_id)
            texts = (found.made_by, found.runs_digest)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return cls()
        sound = all(type(number) is int and number >= 0 for number in numbers)
        return found if sound and all(isinstance(text, str) for text in texts) else cls()

    def dumps(self) -> str:
        """The manifest as it is kept."""
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)


def _written(entry: dict[str, object]) -> Written:
    linked = entry.pop("linked")
    numbers = [entry[name] for name in ("size_bytes", "changed_ns", "checksum")]
    if not isinstance(linked, list) or any(type(number) is not int for number in numbers):
        raise TypeError("no entry of a page")
    return Written(**entry, linked=tuple(linked))  # type: ignore[arg-type]


def _is_plain(name: str) -> bool:
    """Whether it names a page in the folder itself: nothing else is ever removed."""
    return name.endswith(".html") and "/" not in name and "\\" not in name and not name.startswith(".")


@lru_cache(maxsize=1)
def maker() -> str:
    """A digest of everything that decides how pages look: the package's version, and code, templates and styles."""
    seen = hashlib.sha256(package_version().encode())
    for each in _makers():
        seen.update(each.read_bytes())
    return seen.hexdigest()[:32]


_OF_OTHERS = (
    "units.py",
    "records.py",
    "alerts.py",
    "store/comparing.py",
    "store/recent.py",
    "store/series.py",
    "store/sessions.py",
)
"""What decides how pages look, outside of the folders that do as a whole."""


def _makers() -> Iterable[Traversable]:
    package = files("pytest_xeonperf")
    yield from (package.joinpath(name) for name in _OF_OTHERS)
    for name in ("report", "judge", "host", "exchange"):
        yield from _sources(package.joinpath(name))


def _sources(folder: Traversable) -> Iterable[Traversable]:
    for each in sorted(folder.iterdir(), key=lambda found: found.name):
        if each.is_dir():
            if each.name != "__pycache__":
                yield from _sources(each)
        else:
            yield each


def digest(*parts: object) -> str:
    """Of whatever has a `repr` that says all of it."""
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
