"""Fixes for common changes to a document: rename, remove, move, wrap. Layout and comments stay."""

from __future__ import annotations

import re
from typing import Final

from wasmind_compiler.diagnostics import Edit, Fix, Span
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath, dotted, quoted
from wasmind_compiler.frontend.sections import line_end

_COMMA: Final = re.compile(r"[ \t]*,[ \t]*")


def rename_key(document: Document, path: KeyPath, name: str) -> Fix:
    """Give the last key of `path` another name."""
    edit = Edit(document.key(path), dotted((name,)))
    return Fix(title=f"rename to `{name}`", edits=(edit,), applicability="always")


def replace_string(
    document: Document, path: KeyPath, text: str, *, title: str, sure: bool = False
) -> Fix:
    """Write another string at `path`."""
    edit = Edit(document.value(path), quoted(text))
    return Fix(title=title, edits=(edit,), applicability="always" if sure else "maybe")


def remove_element(document: Document, path: KeyPath) -> Fix:
    """Remove an element of an array, with the comma that parts it from the others."""
    *outer, index = path
    assert isinstance(index, int)
    start, end = _range(document, path)
    text = document.index.text
    following = _range(document, (*outer, index + 1))
    comma = _COMMA.match(text, end)
    line_start = text.rfind("\n", 0, start) + 1
    line_stop = text.find("\n", end)
    rest = text[end : line_stop if line_stop != -1 else len(text)]
    if line_stop != -1 and not text[line_start:start].strip() and not rest.strip(", \t\r"):
        # Alone on its line, which goes as a whole.
        start, end = line_start, line_stop + 1
    elif following[0] > end and "#" not in text[end : following[0]]:
        end = following[0]
    elif comma is not None:
        end = comma.end()
    elif index > 0:
        before = _range(document, (*outer, index - 1))[1]
        start = before if "#" not in text[before:start] else start
    edit = Edit(document.index.span(start, end), "")
    return Fix(title="remove it", edits=(edit,), applicability="always")


def move_into(document: Document, path: KeyPath, table: str) -> Fix | None:
    """Move a key of a table into the table `table` beside it, which may not exist yet.

    Returns:
        None where the key's value is a section of its own.
    """
    *outer, key = path
    target = (*outer, table)
    if document.is_section(path):
        return None
    title = f"move it into `{dotted(target)}`"
    name, place = document.key(path), _range(document, path)
    if not document.has(target) or document.is_dotted(target):
        # `config.key = 1` in place of `key = 1` creates the table or adds to it.
        prefix = Edit(document.index.span(*_at(document, name)), f"{table}.")
        return Fix(title=title, edits=(prefix,), applicability="always")
    removed = _statement(document, _at(document, name)[0], place[1])
    if removed is None:
        return None
    statement = f"{dotted((key,))} = {document.index.text[slice(*place)]}"
    added = _addition(document, target, statement, _comment(document, place[1], removed))
    if added is None:
        return None
    edits = (Edit(document.index.span(*removed), ""), added)
    return Fix(title=title, edits=edits, applicability="always")


def move_to(document: Document, path: KeyPath, table: KeyPath) -> Fix | None:
    """Move a key with a plain value into another table of the document.

    Returns:
        None where that cannot be done by cutting out a line or a part of an inline table.
    """
    place = _range(document, path)
    name = _at(document, document.key(path))[0]
    removed = _statement(document, name, place[1])
    if removed is None or document.is_section(path) or document.is_dotted(table):
        return None
    text = document.index.text
    has_place = document.header(table) != document.key(table)
    if document.has(table) and not has_place and text[_range(document, table)[0]] != "{":
        # It exists only through the headers of tables in it.
        return None
    statement = f"{dotted((path[-1],))} = {text[slice(*place)]}"
    comment = _comment(document, place[1], removed)
    if document.has(table):
        added = _addition(document, table, statement, comment)
        if added is None:
            return None
    else:
        end, feed = document.index.span(len(text), len(text)), line_end(text)
        lines = ("", f"[{dotted(table)}]", f"{statement}{comment}", "")
        added = Edit(end, ("" if text.endswith("\n") else feed) + feed.join(lines))
    edits = (Edit(document.index.span(*removed), ""), added)
    title = f"move it into `[{dotted(table)}]`"
    return Fix(title=title, edits=edits, applicability="always")


def wrap(document: Document, path: KeyPath, table: str) -> Fix:
    """Turn `key = value` inside an inline table into `table = { key = value }`."""
    start = _at(document, document.key(path))
    end = _range(document, path)[1]
    edits = (
        Edit(document.index.span(*start), f"{table} = {{ "),
        Edit(document.index.span(end, end), " }"),
    )
    return Fix(title=f"wrap it in `{table}`", edits=edits, applicability="always")


def _range(document: Document, path: KeyPath) -> tuple[int, int]:
    span = document.value(path)
    return _offset(document, span, "start"), _offset(document, span, "end")


def _at(document: Document, span: Span) -> tuple[int, int]:
    start = _offset(document, span, "start")
    return start, start


def _offset(document: Document, span: Span, side: str) -> int:
    position = span.start if side == "start" else span.end
    return document.index.offset(position.line, position.column)


def _statement(document: Document, start: int, end: int) -> tuple[int, int] | None:
    """The stretch to remove with a key and its value: its line, or its part of an inline table."""
    text = document.index.text
    line_start = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", end)
    stop = len(text) if stop == -1 else stop + 1
    if not text[line_start:start].strip() and text[end:stop].strip()[:1] in ("", "#"):
        return line_start, stop
    if (comma := _COMMA.match(text, end)) is not None:
        return start, comma.end()
    before = text[line_start:start]
    if before.rstrip().endswith(","):
        return line_start + len(before.rstrip()) - 1, end
    return None


def _comment(document: Document, end: int, removed: tuple[int, int]) -> str:
    """The comment behind a value that ends at an offset, if it is removed with its line."""
    behind = document.index.text[end : max(end, removed[1])].rstrip()
    return behind if "#" in behind else ""


def _addition(document: Document, target: KeyPath, statement: str, comment: str) -> Edit | None:
    """A statement at the beginning of an existing table; None if the comment would be lost."""
    start, end = _range(document, target)
    text = document.index.text
    if text[start] == "{":
        if comment:
            return None
        empty = not text[start + 1 : end - 1].strip()
        inserted = f" {statement} " if empty else f" {statement},"
        return Edit(document.index.span(start + 1, start + 1), inserted)
    stop, feed = text.find("\n", end), line_end(text)
    if stop == -1:
        return Edit(document.index.span(len(text), len(text)), f"{feed}{statement}{comment}{feed}")
    return Edit(document.index.span(stop + 1, stop + 1), f"{statement}{comment}{feed}")
