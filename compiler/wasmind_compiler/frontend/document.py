"""A TOML file: its values at once, the places of its values only when somebody asks."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from wasmind_compiler.diagnostics import (
    Collector,
    Diagnostic,
    Edit,
    Fix,
    Position,
    Span,
    TextIndex,
)
from wasmind_compiler.diagnostics.rules import files
from wasmind_compiler.frontend import limits
from wasmind_compiler.frontend.key_path import KeyPath, value_at

if TYPE_CHECKING:
    from wasmind_compiler.frontend.positions import Node, Range

_BOM: Final = "\ufeff".encode()
#: So many characters of changed texts are read to prove fixes of one file. A thousand fixes of a
#: thousand sections would take minutes; those that are left wait for the next run.
_MOST_TRIED: Final = 1024 * 1024


class Document:
    """A parsed TOML file.

    Attributes:
        index: its text.
        data: what `tomllib` made of it.
    """

    def __init__(self, index: TextIndex, data: Mapping[str, Any]) -> None:
        self.index = index
        self.data = data
        self._tried = 0

    @property
    def file(self) -> str:
        """Name shown to people."""
        return self.index.file

    def changed(self, text: str) -> Mapping[str, Any] | None:
        """The values of a changed text of the file; None if it is not valid, or if as much has been
        tried as may be."""
        self._tried += len(text)
        if self._tried > _MOST_TRIED:
            return None
        try:
            return tomllib.loads(text)
        except (ValueError, RecursionError):
            return None

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

    def has(self, path: KeyPath) -> bool:
        """Whether there is a value at `path`."""
        return self.at(path) is not None

    def at(self, path: KeyPath) -> Any:
        """The value at `path`; None if there is none."""
        return value_at(self.data, path)

    def is_section(self, path: KeyPath) -> bool:
        """Whether the table at `path`, or one in it, has a header of its own."""
        return _has_header(self._nearest(path))

    def is_dotted(self, path: KeyPath) -> bool:
        """Whether the table at `path` exists only through dotted keys, which can be added to."""
        node = self._nearest(path)
        return node.key is not None and node.value == node.key and not _has_header(node)

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


def _has_header(node: Node) -> bool:
    return node.header is not None or any(_has_header(each) for each in node.children.values())


def parse(
    file: str, content: bytes, collector: Collector, most: int = limits.MOST_BYTES
) -> Document | None:
    """Read a TOML document; what is wrong with it goes to the collector.

    Args:
        file: name shown to people.
        content: the bytes of the file.
        collector: takes the problems, and the text for its excerpts.
        most: how many bytes it may have.

    Returns:
        The document, or None if there is none to speak of.
    """
    if len(content) > most:
        collector.add(limits.too_large(file, most))
        return None
    mark = len(_BOM) if content.startswith(_BOM) else 0
    try:
        text = content[mark:].decode()
    except UnicodeDecodeError as error:
        collector.add(_not_utf8(file, content, error, collector))
        return None
    index = TextIndex(file, text, mark)
    collector.opened(index)
    if mark:
        collector.add(_byte_order_mark(file))
    if limits.has_endless_key(text):
        collector.add(limits.too_deep(index))
        return None
    document = _load(index, collector)
    if document is not None and limits.is_too_deep(document.data):
        collector.add(limits.too_deep(index))
        return None
    if document is not None and limits.may_have_large_numbers(text):
        from wasmind_compiler.frontend.numbers import large_numbers

        collector.extend(large_numbers(document))
    return document


def _load(index: TextIndex, collector: Collector) -> Document | None:
    try:
        return Document(index, tomllib.loads(index.text))
    except tomllib.TOMLDecodeError as error:
        from wasmind_compiler.frontend.conflicts import conflict_markers, unresolved
        from wasmind_compiler.frontend.syntax import all_syntax_errors

        if markers := conflict_markers(index):
            collector.add(unresolved(markers))
        else:
            collector.extend(all_syntax_errors(index, str(error)))
    except RecursionError:
        collector.add(limits.too_deep(index))
    except ValueError:
        # Python refuses numbers of more than some thousand digits with a plain ValueError.
        collector.add(limits.endless_number(index))
    return None


def _byte_order_mark(file: str) -> Diagnostic:
    # The mark is no part of the text: column 1 is the character behind it.
    span = Span(file=file, start=Position(1, 1, 0), end=Position(1, 1, len(_BOM)))
    return files.BYTE_ORDER_MARK.at(
        span,
        "the file begins with a byte-order mark",
        help="remove it; UTF-8 needs none",
        fix=Fix(title="remove the mark", edits=(Edit(span, ""),)),
    )


def _not_utf8(
    file: str, content: bytes, error: UnicodeDecodeError, collector: Collector
) -> Diagnostic:
    # Only what is needed for an excerpt: a binary file may be large.
    index = TextIndex(file, content[: error.start + 200].decode("utf-8", "replace"))
    collector.opened(index)
    before = len(content[: error.start].decode("utf-8", "replace"))
    found = content[error.start : error.start + 4].hex(" ")
    return files.NOT_UTF8.at(
        index.span(before, before + 1),
        f"not UTF-8: byte {error.start} begins `{found}`",
        help=_encoding_advice(content),
    )


def _encoding_advice(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it looks like UTF-16; save it as UTF-8"
    if b"\0" in content[:1000]:
        return "it looks like a binary file; name a TOML file"
    return "it looks like Latin-1 or Windows-1252; save it as UTF-8"
