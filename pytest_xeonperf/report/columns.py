"""Columns as pages carry them: words that repeat are said once, figures are binary; and back, to go on from a page."""

from __future__ import annotations

import base64
from array import array
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_IN_A_BYTE = 256
_LARGEST = 3.0e38
"""What 32 bits hold; a ratio beyond it is off every chart anyway."""

MOST = 0xFFFF
"""Values a column of words can have: places are 16 bits wide."""


class Words:
    """A column of words: a list of those that occur, in the order of their first occurrence, and places in it."""

    __slots__ = ("_place_of", "places", "words")

    def __init__(self, words: Sequence[str] = (), places: bytes = b"") -> None:
        self.words = list(words)
        self.places = array("H", places)
        self._place_of = {word: place for place, word in enumerate(self.words)}

    def add(self, values: Sequence[str]) -> None:
        """More values."""
        for word in dict.fromkeys(values):
            if word not in self._place_of:
                self._place_of[word] = len(self.words)
                self.words.append(word)
        self.places.extend(map(self._place_of.__getitem__, values))

    def __getitem__(self, index: int) -> str:
        return self.words[self.places[index]]

    def __len__(self) -> int:
        return len(self.places)

    def packed(self) -> list[Any]:
        """Ready for JSON: the words, and the places in base64, of one or two bytes each; none where one word is all."""
        if len(self.words) <= 1:
            return [self.words, ""]
        wide = np.frombuffer(self.places, dtype=np.uint16)
        kind = "<u1" if len(self.words) <= _MOST_IN_A_BYTE else "<u2"
        return [self.words, base64.b64encode(wide.astype(kind).tobytes()).decode()]

    @classmethod
    def unpacked(cls, packed: Sequence[Any], length: int) -> Words:
        """The column again.

        Raises:
            ValueError: It is none, or not that long.
        """
        words, text = packed
        kind = "<u1" if len(words) <= _MOST_IN_A_BYTE else "<u2"
        raw = np.frombuffer(base64.b64decode(text, validate=True), dtype=kind)
        places = raw if len(words) > 1 else np.zeros(length, dtype=np.uint16)
        if len(places) != length or (length and int(places.max()) >= len(words)):
            raise ValueError(f"a column of {len(places)} values, not of {length}")
        return cls(words, places.astype(np.uint16).tobytes())


class Figures:
    """A column of figures of 32 bits; what is not there is NaN."""

    __slots__ = ("values",)

    def __init__(self, values: bytes = b"") -> None:
        self.values = array("f", values)

    def add(self, values: Sequence[float]) -> None:
        """More values."""
        within = np.clip(np.array(values, dtype=np.float64), -_LARGEST, _LARGEST)
        self.values.frombytes(within.astype(np.float32).tobytes())

    def array(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The values, not copied."""
        return np.frombuffer(self.values, dtype=np.float32)

    def packed(self) -> str:
        """In base64, ready for JSON."""
        return base64.b64encode(self.array().astype("<f4").tobytes()).decode()

    @classmethod
    def unpacked(cls, text: str, length: int) -> Figures:
        """The column again.

        Raises:
            ValueError: It is none, or not that long.
        """
        values = np.frombuffer(base64.b64decode(text, validate=True), dtype="<f4")
        if len(values) != length:
            raise ValueError(f"a column of {len(values)} figures, not of {length}")
        return cls(values.astype(np.float32).tobytes())


def pack_integers(values: array[int]) -> str:
    """A column of whole numbers of 32 bits, in base64, ready for JSON."""
    return base64.b64encode(np.frombuffer(values, dtype=np.uint32).astype("<u4").tobytes()).decode()


def unpack_integers(text: str, length: int) -> array[int]:
    """The column again.

    Raises:
        ValueError: It is none, or not that long.
    """
    values = np.frombuffer(base64.b64decode(text, validate=True), dtype="<u4")
    if len(values) != length:
        raise ValueError(f"a column of {len(values)} numbers, not of {length}")
    return array("I", values.astype(np.uint32).tobytes())
