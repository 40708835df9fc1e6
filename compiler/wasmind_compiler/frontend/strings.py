"""Strings as they are written: where they begin and end, and where each character stands."""

from __future__ import annotations

import re
from typing import Final

#: A comment or a complete string; or, last, a quote that opens an incomplete one.
LEXEME: Final = re.compile(
    r"#[^\n]*"
    r'|(?P<string>"""[^"\\]*(?:(?:\\.|"{1,2}(?!"))[^"\\]*)*"{3,5}'
    r'|"(?!"")[^"\\\n]*(?:\\[^\n][^"\\\n]*)*")'
    r"|'''[^']*(?:'{1,2}(?!')[^']*)*'{3,5}|'(?!'')[^'\n]*'"
    r"|(?P<open>\"\"\"|'''|[\"'])",
    re.DOTALL,
)
_MULTI_LINE: Final = ('"""', "'''")
#: What one step over the inside of a literal may be, the longest first.
_PIECE: Final = re.compile(
    r"(?P<continued>\\[ \t]*\r?\n[ \t\r\n]*)"
    r"|(?P<escape>\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.))"
    r"|(?P<line_end>\r\n)"
    r"|(?P<plain>.)",
    re.DOTALL,
)
_LITERAL_PIECE: Final = re.compile(r"(?P<line_end>\r\n)|(?P<plain>.)", re.DOTALL)


def character_offsets(written: str) -> list[int]:
    """For every character of the value, and for its end, the offset in the literal.

    Args:
        written: a TOML string with its quotes, or a bare key.
    """
    width = _quotes(written)
    start, end = width, len(written) - width
    if width == 3:
        start += 2 if written.startswith("\r\n", start) else written.startswith("\n", start)
    piece = _PIECE if written[:1] == '"' else _LITERAL_PIECE
    offsets = []
    for found in piece.finditer(written, start, end):
        # A line that ends in a backslash adds no character.
        if found.lastgroup != "continued":
            offsets.append(found.start())
    return [*offsets, end]


def _quotes(written: str) -> int:
    if written[:1] not in ('"', "'"):
        return 0
    return 3 if written.startswith(_MULTI_LINE) and len(written) >= 6 else 1
