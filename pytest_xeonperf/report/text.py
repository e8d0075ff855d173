"""Text that came from elsewhere, made safe to look at: nothing in it can hide, reorder or flood a page."""

from __future__ import annotations

import re

LONGEST = 4000
"""Characters shown of one text."""

_TREACHEROUS = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for tab and newline
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of writing
    "\ud800-\udfff"  # halves of surrogate pairs, which UTF-8 cannot write
    "\ufffe\uffff"  # what is no character, which XML cannot hold
    "]"
)


def legible(text: str) -> str:
    r"""The text with treacherous characters spelled out (``\u202e``) and its tail cut where it has no end."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text)} characters)"
    return _TREACHEROUS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
