"""What is said about a syntax error whose cause is known."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wasmind_compiler.frontend.positions import Range

_NOTHING: Final = re.compile(r"[ \t]*(?:#[^\n]*)?\r?(?:\n|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """What is wrong, and what to write.

    Attributes:
        place: what is wrong.
        edits: places and what to write there, in order; empty if that is not known.
        sure: that this is what was meant.
    """

    place: Range
    message: str
    help: str
    edits: tuple[tuple[Range, str], ...] = ()
    sure: bool = False


def reads_further(text: str, edits: Sequence[tuple[Range, str]]) -> bool:
    """Whether edits, given in their order, leave less of a document unread than before."""
    edited = text
    for (start, end), replacement in sorted(edits, reverse=True):
        edited = edited[:start] + replacement + edited[end:]
    return _unread(edited) < _unread(text)


def _unread(text: str) -> int:
    """How many characters there are from the first syntax error on; -1 if there is none."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+), column (\d+)", str(error))
        return len(text) - _offset(text, *map(int, place.groups())) if place else 0
    except (RecursionError, ValueError):
        return len(text) + 1
    return -1


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.index("\n", start) + 1
    return start + column - 1


def line_at(text: str, offset: int) -> Range:
    """The line an offset is in, without its end."""
    start, end = text.rfind("\n", 0, offset) + 1, text.find("\n", offset)
    return start, len(text) if end == -1 else end


def ends_line(text: str, offset: int) -> bool:
    """Whether nothing follows on the line but blanks and a comment."""
    return _NOTHING.match(text, offset) is not None
