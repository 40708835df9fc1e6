"""Two sections of a TOML text made one. Works on text, which need not be valid yet."""

from __future__ import annotations

from collections.abc import Iterable

from wasmind_compiler.frontend.positions import Range
from wasmind_compiler.frontend.sections import line_end, with_comments


def joined(
    text: str, header: Range, target: Range, headers: Iterable[Range]
) -> list[tuple[Range, str]]:
    """Put the lines of one section, with the comments about it, below those of another.

    Args:
        text: the document.
        header: of the section that moves.
        target: header of the section it moves into.
        headers: all headers of the document.

    Returns:
        What to replace, and by what.
    """
    begins = sorted(with_comments(text, start) for start, _ in headers)
    start, end = _section(text, header, begins)
    at = len(text[: _section(text, target, begins)[1]].rstrip())
    inside = text[start:end].rstrip()
    above, below = text[start : header[0]], text[header[1] : start + len(inside)]
    remark, _, lines = below.partition("\n")
    comment = f"{remark.strip()}{line_end(text)}" if remark.strip() else ""
    moved = f"{above}{comment}{lines}".rstrip()
    return [((at, at), f"{line_end(text)}{moved}" if moved else ""), ((start, end), "")]


def _section(text: str, header: Range, begins: list[int]) -> Range:
    """Where a section begins, with the comments right above it, and where the next one does."""
    start = with_comments(text, header[0])
    return start, next((each for each in begins if each > start), len(text))
