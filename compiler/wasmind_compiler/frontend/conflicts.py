"""What a merge left behind that somebody has yet to decide."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from wasmind_compiler.diagnostics import Diagnostic, Label, Span, TextIndex
from wasmind_compiler.diagnostics.rules import files
from wasmind_compiler.frontend.strings import LEXEME

_MARKER: Final = re.compile(r"^(?:<{7}|>{7}|={7}|\|{7})(?= |\r?$)[^\r\n]*", re.MULTILINE)
#: Lines of `=` and `|` alone are no sign of a conflict.
_ENDS: Final = ("<<<<<<<", ">>>>>>>")


def conflict_markers(index: TextIndex) -> list[Span]:
    """The lines of conflict markers in a text; none if they all are inside of strings.

    A prompt may well explain how conflicts are written.
    """
    text = index.text
    if not any(each in text for each in _ENDS):
        return []
    strings = [found.span() for found in LEXEME.finditer(text) if found["open"] is None]
    free = []
    for marker in _MARKER.finditer(text):
        before = bisect_left(strings, marker.span()) - 1
        if before < 0 or strings[before][1] <= marker.start():
            free.append(marker.span())
    if not any(text.startswith(_ENDS, start) for start, _ in free):
        return []
    return [index.span(*place) for place in free]


def python_conflict(index: TextIndex) -> Diagnostic | None:
    """The diagnostic for a module that does not compile, if a merge left it like that."""
    markers = [index.span(*marker.span()) for marker in _MARKER.finditer(index.text)]
    conflicted = any(marker[0].startswith(_ENDS) for marker in _MARKER.finditer(index.text))
    return unresolved(markers) if conflicted else None


def unresolved(markers: Sequence[Span]) -> Diagnostic:
    """The diagnostic for the lines of conflict markers of a file."""
    return files.MERGE_CONFLICT.at(
        markers[0],
        "the file has unresolved merge conflicts",
        labels=tuple(Label(span, "") for span in markers[1:]),
        help="keep what is right of each, and remove the marked lines",
    )
