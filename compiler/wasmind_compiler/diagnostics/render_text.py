"""Diagnostics as text for people, in the layout of rustc."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from wasmind.visible import visible_line
from wasmind_compiler.diagnostics.masking import masked, masked_file
from wasmind_compiler.diagnostics.model import Diagnostic, Severity, Span
from wasmind_compiler.diagnostics.text_index import TextIndex

#: How the names of TOML files end.
_TOML: Final = (".toml", ".lock")
_RESET: Final = "\x1b[0m"
_BLUE: Final = "\x1b[1;34m"
_BOLD: Final = "\x1b[1m"
_COLOURS: Final = {
    Severity.ERROR: "\x1b[1;31m",
    Severity.WARNING: "\x1b[1;33m",
    Severity.NOTE: "\x1b[1;32m",
}
_TAB: Final = "    "
#: Of a span that goes over more lines the first ones and the last are shown.
_MOST_LINES: Final = 4
#: Characters shown of a longer line, around the marks.
_LONGEST: Final = 160
_CUT: Final = "…"


def render_text(
    diagnostics: Iterable[Diagnostic], texts: Mapping[str, TextIndex], *, colour: bool = False
) -> str:
    """All diagnostics, a blank line between them, and a final newline if there are any."""
    # Once for each file, because many problems may be in one line; and as a whole, because a
    # secret may be on several.
    covered = {name: _covered(index) for name, index in texts.items()}
    return "\n".join(_Block(found, covered, colour).render() for found in diagnostics)


def _covered(index: TextIndex) -> TextIndex:
    # What looks like a value in other files may be the code at fault.
    cover = masked_file if index.file.endswith(_TOML) else masked
    return index.with_text(cover(index.text))


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`; empty when there is nothing to count."""
    counts = dict.fromkeys(Severity, 0)
    for found in diagnostics:
        counts[found.severity] += 1
    return ", ".join(
        f"{count} {severity.value}{'s' if count > 1 else ''}"
        for severity, count in counts.items()
        if count
    )


class _Block:
    """One diagnostic: headline, an excerpt per place, notes and help."""

    def __init__(self, found: Diagnostic, texts: Mapping[str, TextIndex], colour: bool) -> None:
        self._found = found
        self._texts = texts
        self._colour = colour
        spans = [label.span for label in found.labels] + ([found.span] if found.span else [])
        self._gutter = max((len(str(_last_line(span))) for span in spans), default=1)

    def render(self) -> str:
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        found, tint = self._found, _COLOURS[self._found.severity]
        head = self._paint(f"{found.severity.value}[{found.code}]", tint)
        yield head + self._paint(f": {_shown(found.message)}", _BOLD)
        if found.span is not None:
            yield from self._excerpt(found.span, "-->", "^", found.label, tint)
        for label in found.labels:
            yield from self._excerpt(label.span, ":::", "-", label.text, _BLUE)
        yield from self._remarks()

    def _remarks(self) -> Iterator[str]:
        remarks = [("note", note) for note in self._found.notes]
        if self._found.help is not None:
            remarks.append(("help", self._found.help))
        indent = " " * self._gutter
        for kind, text in remarks:
            first, *rest = [_shown(line) for line in text.splitlines()] or [""]
            yield f"{indent} {self._paint('=', _BLUE)} {self._paint(kind, _BOLD)}: {first}"
            for line in rest:
                yield f"{indent}   {' ' * len(kind)}  {line}".rstrip()

    def _excerpt(self, span: Span, arrow: str, mark: str, label: str, tint: str) -> Iterator[str]:
        indent, bar = " " * self._gutter, self._paint("|", _BLUE)
        yield f"{indent}{self._paint(arrow, _BLUE)} {_shown(str(span))}"
        index = self._texts.get(span.file)
        if index is None:
            if label:
                yield f"{indent} {self._paint('=', _BLUE)} {_shown(label)}"
            return
        yield f"{indent} {bar}"
        marked = self._marked(index, span, mark, tint)
        yield f"{marked}" + (f" {self._paint(_shown(label), tint)}" if label else "")

    def _marked(self, index: TextIndex, span: Span, mark: str, tint: str) -> str:
        """The lines of a span, each with its marks below; the middle of many is left out."""
        first, last = span.start.line, _last_line(span)
        numbers = list(range(first, last + 1))
        if len(numbers) > _MOST_LINES:
            numbers = [*numbers[: _MOST_LINES - 1], last]
        lines: list[str] = []
        for number in numbers:
            if lines and number == last and last - first >= _MOST_LINES:
                lines.append(self._paint("." * max(3, self._gutter), _BLUE))
            text = index.line(number)
            start = span.start.column - 1 if number == first else len(text) - len(text.lstrip())
            end = span.end.column - 1 if number == span.end.line else len(text)
            lines += self._line(number, text, (start, max(start, end)), mark, tint)
        return "\n".join(lines)

    def _line(
        self, number: int, text: str, marked: tuple[int, int], mark: str, tint: str
    ) -> Iterator[str]:
        bar = self._paint("|", _BLUE)
        start, end = marked
        text, start, end = _window(text, start, end)
        marks = " " * _width(_shown(text[:start]))
        marks += self._paint(mark * max(1, _width(_shown(text[start:end]))), tint)
        shown = self._paint(str(number).rjust(self._gutter), _BLUE)
        yield f"{shown} {bar} {_shown(text)}".rstrip()
        yield f"{' ' * self._gutter} {bar} {marks}"

    def _paint(self, text: str, tint: str) -> str:
        return f"{tint}{text}{_RESET}" if self._colour and text else text


def _last_line(span: Span) -> int:
    # A span that ends at the very beginning of a line shows nothing of it.
    ends_before = span.end.column == 1 and span.end.line > span.start.line
    return span.end.line - ends_before


def _window(text: str, start: int, end: int) -> tuple[str, int, int]:
    """The part of a long line around its marks, and where they are in it."""
    if len(text) <= _LONGEST:
        return text, start, end
    begin = max(0, min(start - _LONGEST // 4, len(text) - _LONGEST))
    part = text[begin : begin + _LONGEST]
    if begin + _LONGEST < len(text):
        part = part[:-1] + _CUT
    if begin:
        part = _CUT + part[1:]
    return part, start - begin, min(end - begin, len(part))


def _shown(text: str) -> str:
    """Tabs at a fixed width, and control characters visible: the terminal must not obey a file."""
    return visible_line(text.replace("\t", _TAB))


def _width(text: str) -> int:
    """Terminal cells of a text."""
    cells = 0
    for character in text:
        if unicodedata.combining(character):
            continue
        cells += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return cells
