"""What happened, line by line, on disk before anything else happens: for whoever looks after a crash or a reboot."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pytest_xeonperf.exchange.native import to_plain
from pytest_xeonperf.shell import protocol


@dataclass(frozen=True, slots=True)
class Journal:
    """A folder of a session's own: ``journal.jsonl`` with every start, round and death, ``child.log`` beside it."""

    folder: Path

    @classmethod
    def open(cls, rootdir: Path) -> Journal:
        """A new folder below ``.xeonperf`` in rootdir, which git is told to leave alone; a temporary one if need be."""
        home = rootdir / ".xeonperf"
        folder = home / datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        try:
            folder.mkdir(parents=True)
            (home / ".gitignore").write_text("*\n", encoding="ascii")
        except OSError:
            folder = Path(tempfile.mkdtemp(prefix="xeonperf-"))
        return cls(folder)

    @property
    def log(self) -> Path:
        """What the measuring children wrote to stdout and stderr."""
        return self.folder / "child.log"

    def hear(self, message: object) -> None:
        """Note a message of the child, unless it is a report: results are in the database."""
        if isinstance(message, protocol.Entering):
            facts = {"model": message.model, "variant": message.variant, "stage": message.stage}
            self.note("entering", facts)
        elif isinstance(message, protocol.Idle):
            self.note("idle", {})
        elif isinstance(message, protocol.WantsWeights):
            self.note("weighing", [{"test": each.node_id, "variant": each.variant} for each in message.wanted])
        elif isinstance(message, protocol.WantsFreshLook):
            self.note("fresh look", {"tests": message.node_ids, "why": message.why})
        elif isinstance(message, protocol.RoundVoided):
            self.note("voided", {"model": message.model, "index": message.index})
        elif isinstance(message, protocol.RoundDone):
            pairs = {variant: to_plain(sample) for variant, sample in message.pairs.items()}
            self.note("round", {"model": message.model, "index": message.index, "pairs": pairs})

    def note(self, event: str, facts: object) -> None:
        """Append one line."""
        line = {"at": datetime.now(UTC).isoformat(timespec="microseconds"), "event": event, "facts": facts}
        with (self.folder / "journal.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")
