"""A TOML file: its values at once, the places of its values only when somebody asks."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from wasmind_compiler.diagnostics import Collector, Diagnostic, TextIndex
from wasmind_compiler.diagnostics.model import Span
from wasmind_compiler.diagnostics.rules import files
from wasmind_compiler.frontend.key_path import KeyPath

if TYPE_CHECKING:
    from wasmind_compiler.frontend.positions import Node, Range

_BOM: Final = "\ufeff".encode()
_TOML_PLACE: Final = r" \(at (?:line (\d+), column (\d+)|end of document)\)$"


class Document:
    """A parsed TOML file.

    Attributes:
        index: its text.
        data: what `tomllib` made of it.
    """

    def __init__(self, index: TextIndex, data: Mapping[str, Any]) -> None:
        self.index = index
        self.data = data

    @property
    def file(self) -> str:
        """Name shown to people."""
        return self.index.file

    @cached_property
    def _positions(self) -> Node:
        # Imported for files with findings only.
        from wasmind_compiler.frontend.positions import scan

        return scan(self.index.text)

    def value(self, path: KeyPath) -> Span:
        """The value at `path`; for a table with a header, the header.

        A path that does not exist gives the place of the nearest table around it.
        """
        node = self._nearest(path)
        return self._span(node.value) if node is not self._positions else self.whole()

    def key(self, path: KeyPath) -> Span:
        """The name at the end of `path`; for an array element the element."""
        node = self._nearest(path)
        return self._span(node.key) if node.key is not None else self.value(path)

    def header(self, path: KeyPath) -> Span:
        """Where a table is announced: its header, else its key."""
        node = self._nearest(path)
        return self._span(node.header) if node.header is not None else self.key(path)

    def inside(self, path: KeyPath, start: int, end: int) -> Span:
        """A part of the string at `path`, from one character of its value up to another."""
        return self._part(self._nearest(path).value, start, end)

    def inside_key(self, path: KeyPath, start: int, end: int) -> Span:
        """A part of the name at the end of `path`."""
        node = self._nearest(path)
        return self._part(node.key or node.value, start, end)

    def text(self, span: Span) -> str:
        """What is written at a span of this file."""
        start = self.index.offset(span.start.line, span.start.column)
        return self.index.text[start : self.index.offset(span.end.line, span.end.column)]

    def _part(self, place: Range, start: int, end: int) -> Span:
        from wasmind_compiler.frontend.strings import character_offsets

        offsets = character_offsets(self.index.text[slice(*place)])
        last = len(offsets) - 1
        return self._span(
            (place[0] + offsets[min(start, last)], place[0] + offsets[min(end, last)])
        )

    def whole(self) -> Span:
        """The first character, for what concerns the file as such."""
        return self.index.first_character()

    def _nearest(self, path: KeyPath) -> Node:
        node = self._positions
        for part in path:
            child = node.children.get(part)
            if child is None:
                break
            node = child
        return node

    def _span(self, place: Range) -> Span:
        return self.index.span(*place)


def parse(file: str, content: bytes, collector: Collector) -> Document | None:
    """Read a TOML document; what is wrong with it goes to the collector.

    Args:
        file: name shown to people.
        content: the bytes of the file.
        collector: takes the problems, and the text for its excerpts.

    Returns:
        The document, or None if there is none to speak of.
    """
    mark = len(_BOM) if content.startswith(_BOM) else 0
    try:
        text = content[mark:].decode()
    except UnicodeDecodeError as error:
        collector.add(_not_utf8(file, content, error, collector))
        return None
    index = TextIndex(file, text, mark)
    collector.opened(index)
    try:
        return Document(index, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        collector.add(_syntax_error(index, str(error)))
    except RecursionError:
        message = "values are nested too deeply"
        collector.add(files.TOML_SYNTAX.at(index.first_character(), message))
    except ValueError as error:
        # Python refuses numbers of more than some thousand digits with a plain ValueError.
        collector.add(files.TOML_SYNTAX.at(index.first_character(), _lower(str(error))))
    return None


def _not_utf8(
    file: str, content: bytes, error: UnicodeDecodeError, collector: Collector
) -> Diagnostic:
    index = TextIndex(file, content.decode("utf-8", "replace"))
    collector.opened(index)
    before = len(content[: error.start].decode("utf-8", "replace"))
    found = content[error.start : error.start + 4].hex(" ")
    utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return files.NOT_UTF8.at(
        index.span(before, before + 1),
        f"not UTF-8: byte {error.start} begins `{found}`",
        help="it looks like UTF-16; save it as UTF-8" if utf16 else "save the file as UTF-8",
    )


def _syntax_error(index: TextIndex, message: str) -> Diagnostic:
    found = re.search(_TOML_PLACE, message)
    line, column = found.groups() if found else (None, None)
    if line is not None and column is not None:
        start = index.offset(int(line), int(column))
    else:
        start = len(index.text.rstrip())
    end = start
    while end < len(index.text) and index.text[end] not in "\r\n \t":
        end += 1
    text = message[: found.start()] if found else message
    return files.TOML_SYNTAX.at(index.span(start, end), f"TOML syntax error: {_lower(text)}")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
