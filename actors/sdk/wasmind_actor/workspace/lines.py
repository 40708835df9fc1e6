"""Lines of text files, and how they are shown and quoted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_LONGEST_QUOTE: Final = 200


def lines_of(text: str) -> tuple[str, ...]:
    r"""The lines of a text, without `\n` or `\r\n`; a final newline begins no further line."""
    parts = text.split("\n")
    if parts[-1] == "":
        parts.pop()
    return tuple(part.removesuffix("\r") for part in parts)


def numbered(lines: Sequence[str], first: int) -> str:
    """Lines as `NUMBER:LINE`, counted from `first`."""
    return "\n".join(f"{number}:{line}" for number, line in enumerate(lines, start=first))


def omitted(count: int) -> str:
    """What stands for lines that are not shown."""
    return f"[... {count} lines omitted ...]"


def quote(text: str) -> str:
    """A text as part of a sentence: on one line, and not too long."""
    shown = text.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    if len(shown) <= _LONGEST_QUOTE:
        return f"`{shown}`"
    return f"`{shown[:_LONGEST_QUOTE]}` ({len(text)} characters in all)"


def uses_crlf(text: str) -> bool:
    r"""Whether all lines end in `\r\n`, of which models see nothing."""
    newlines = text.count("\n")
    return newlines > 0 and text.count("\r\n") == newlines
