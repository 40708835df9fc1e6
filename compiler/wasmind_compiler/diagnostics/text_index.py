"""From offsets in a text to the positions people and editors use."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import pairwise

from wasmind_compiler.diagnostics.model import Position, Span


class TextIndex:
    """The text of one file, with spans for its character offsets.

    Args:
        file: name shown to people.
        text: content without a byte-order mark.
        bytes_before: length of the mark that was removed, so that byte offsets fit the file.
    """

    def __init__(self, file: str, text: str, bytes_before: int = 0) -> None:
        self.file = file
        self.text = text
        self._bytes_before = bytes_before

    def with_text(self, text: str) -> TextIndex:
        """An index of the same file for another text."""
        return TextIndex(self.file, text, self._bytes_before)

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        at = self.text.find("\n")
        while at != -1:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return starts

    @cached_property
    def _line_bytes(self) -> list[int]:
        """Offset in bytes of each line."""
        sizes = [self._bytes_before]
        for start, end in pairwise(self._line_starts):
            sizes.append(sizes[-1] + _size(self.text[start:end]))
        return sizes

    def position(self, offset: int) -> Position:
        """The position of a character offset; offsets behind the end mean the end."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._line_starts, offset)
        column = offset - self._line_starts[line - 1] + 1
        before = self.text[self._line_starts[line - 1] : offset]
        return Position(line, column, self._line_bytes[line - 1] + _size(before))

    def offset(self, line: int, column: int) -> int:
        """The character offset of a 1-based line and column, kept inside the text."""
        if line > len(self._line_starts):
            return len(self.text)
        return min(self._line_starts[max(line, 1) - 1] + max(column, 1) - 1, len(self.text))

    def line(self, number: int) -> str:
        """A 1-based line without its line end; empty behind the last."""
        if number > len(self._line_starts):
            return ""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end != -1 else None].rstrip("\r")

    def span(self, start: int, end: int) -> Span:
        """The span from one character offset up to another."""
        return Span(file=self.file, start=self.position(start), end=self.position(end))

    def first_character(self) -> Span:
        """Where something about the whole file is reported."""
        return self.span(0, min(1, len(self.text)))


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
