"""What is said about a syntax error whose cause is known."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

from wasmind_compiler.frontend.positions import Range


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
    """Whether edits, given in their order, let a document be read further than before."""
    edited = text
    for (start, end), replacement in sorted(edits, reverse=True):
        edited = edited[:start] + replacement + edited[end:]
    return _first_error(edited) > _first_error(text)


def _first_error(text: str) -> tuple[int, int]:
    """Line and column of the first syntax error; behind the last line if there is none."""
    last = text.count("\n") + 1
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+), column (\d+)", str(error))
        return (int(place.group(1)), int(place.group(2))) if place else (last, 0)
    except (RecursionError, ValueError):
        return (0, 0)
    return (last + 1, 0)


def line_at(text: str, offset: int) -> Range:
    """The line an offset is in, without its end."""
    start, end = text.rfind("\n", 0, offset) + 1, text.find("\n", offset)
    return start, len(text) if end == -1 else end
