"""Fixes that are about whole sections of a document: rename one, put keys into one, add one.

TOML can write a table in many ways, and not every edit fits every one of them. Each function tries
what fits and returns None where the result would not be valid, which is tested by parsing it. That
takes as long as the document, so after many fixes no more are tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from wasmind_compiler.diagnostics import Applicability, Edit, Fix, Span
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath, dotted, quoted, value_at

_DOTTED: Final = re.compile(r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\..*)?\.""")
_ABSENT: Final = object()
_PART: Final = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")


def renamed_section(
    document: Document,
    path: KeyPath,
    to: KeyPath,
    title: str,
    applicability: Applicability = "maybe",
) -> Fix | None:
    """Call the table at `path` something else, with all tables below it."""
    spans = [span for each in _tables(document, path) if (span := _header(document, each))]
    edits = [edit for span in spans for edit in _renamed(document, span, path, to)]
    if not edits:
        return None
    # Keys in front of `=` would have to be renamed too.
    fix = Fix(title=title, edits=tuple(edits), applicability=applicability)
    return _valid(document, fix, gone=path)


def moved_section(
    document: Document,
    path: KeyPath,
    to: KeyPath,
    title: str,
    applicability: Applicability = "maybe",
) -> Fix | None:
    """Make the table at `path` part of the table `to`: its sections are renamed, or joined with
    those that `to` has already. None where both give the same key."""
    edits: list[Edit] = []
    for each in _tables(document, path):
        if (header := _header(document, each)) is None:
            continue
        target = (*to, *each[len(path) :])
        place = _header(document, target) if document.has(target) else None
        if place is None:
            edits += _renamed(document, header, path, to)
        else:
            edits += _joined(document, header, place)
    fix = Fix(title=title, edits=tuple(edits), applicability=applicability)
    return _valid(document, fix, gone=path) if edits else None


def _joined(document: Document, header: Span, target: Span) -> Iterator[Edit]:
    """The lines of one section put below those of another."""
    # Loaded for this only.
    from wasmind_compiler.frontend.joining import joined

    headers = [span for each in _tables(document, ()) if (span := _header(document, each))]
    places = [_offsets(document, span) for span in headers]
    moves = joined(
        document.index.text, _offsets(document, header), _offsets(document, target), places
    )
    for (start, end), text in moves:
        yield Edit(document.index.span(start, end), text)


def line_end(text: str) -> str:
    """How lines of a text end."""
    return "\r\n" if "\r\n" in text else "\n"


def with_comments(text: str, at: int) -> int:
    """The beginning of the line at an offset, or of the comments right above it."""
    at = text.rfind("\n", 0, at) + 1
    while (before := text.rfind("\n", 0, max(0, at - 1)) + 1) < at and text[before] == "#":
        at = before
    return at


def _renamed(document: Document, header: Span, path: KeyPath, to: KeyPath) -> Iterator[Edit]:
    """The names of a header that have to change."""
    start, _ = _offsets(document, header)
    parts = list(islice(_PART.finditer(document.index.text, start), len(path)))
    if len(path) != len(to):
        yield Edit(document.index.span(parts[0].start(), parts[-1].end()), dotted(to))
        return
    for part, old, new in zip(parts, path, to, strict=True):
        if old != new:
            yield Edit(document.index.span(*part.span()), dotted((new,)))


def renamed_key(
    document: Document,
    path: KeyPath,
    to: str,
    title: str,
    applicability: Applicability = "maybe",
) -> Fix | None:
    """Give the value at `path` another name in the same place."""
    fix = renamed_section(document, path, (*path[:-1], to), title, applicability)
    if fix is None:
        edits = (Edit(document.key(path), dotted((to,))),)
        fix = Fix(title=title, edits=edits, applicability=applicability)
        fix = fix if _is_free(document, path, to) else _valid(document, fix, gone=path)
    return fix


def _is_free(document: Document, path: KeyPath, to: str) -> bool:
    """Whether the name of a plain value, which stands in one place, can certainly be replaced."""
    return (
        not isinstance(document.at(path), dict | list | None)
        and not document.has((*path[:-1], to))
        and document.text(document.key(path)) == dotted(path[-1:])
    )


def added_keys(document: Document, table: KeyPath, lines: Sequence[str], title: str) -> Fix | None:
    """Put `key = value` lines into a table, which is made where there is none."""
    insertion = _insertion(document, table, *lines)
    if insertion is None:
        text = line_end(document.index.text).join((f"[{dotted(table)}]", *lines))
        insertion = Edit(*_new_section(document, table, text))
    return _valid(document, Fix(title=title, edits=(insertion,)))


def added_element(
    document: Document, array: KeyPath, lines: Sequence[str], title: str
) -> Fix | None:
    """Put an element of `key = value` lines behind those of an array of tables."""
    text = line_end(document.index.text).join((f"[[{dotted(array)}]]", *lines))
    insertion = Edit(*_new_section(document, array, text))
    return _valid(document, Fix(title=title, edits=(insertion,)))


def lifted_key(document: Document, path: KeyPath) -> Fix | None:
    """Move a key, with what stands behind it on its line, above the first section of the document.

    Returns:
        None where other keys are on its line.
    """
    text = document.index.text
    start, _ = _offsets(document, document.key(path))
    _, end = _offsets(document, document.value(path))
    line_start, stop = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    stop = len(text) if stop == -1 else stop
    rest = text[end:stop].strip()
    headers = [span for each in _tables(document, ()) if (span := _header(document, each))]
    if text[line_start:start].strip() or (rest and rest[0] != "#") or not headers:
        return None
    at = min(with_comments(text, _offsets(document, span)[0]) for span in headers)
    edits = (
        Edit(
            document.index.span(at, at),
            f"{text[start:stop].rstrip()}{line_end(document.index.text) * 2}",
        ),
        Edit(document.index.span(line_start, min(stop + 1, len(text))), ""),
    )
    title = f"move `{path[-1]}` to the top"
    return _valid(document, Fix(title=title, edits=edits, applicability="always"), gone=path)


def literal(value: Any) -> str:
    """A simple value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    if isinstance(value, dict):
        inside = ", ".join(f"{dotted((key,))} = {literal(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, str):
        return quoted(value)
    return str(value)


def _insertion(document: Document, table: KeyPath, *lines: str) -> Edit | None:
    """Lines put into a table that has a header or is inline."""
    if not document.has(table):
        return None
    header = _header(document, table)
    if header is not None:
        _, end = _offsets(document, header)
        rest = document.index.text.find("\n", end)
        end_of_line = line_end(document.index.text)
        written = "".join(f"{line}{end_of_line}" for line in lines)
        if rest == -1:
            at = len(document.index.text)
            return Edit(document.index.span(at, at), f"{end_of_line}{written}")
        return Edit(document.index.span(rest + 1, rest + 1), written)
    if document.is_dotted(table):
        return _dotted_insertion(document, table, *lines)
    value = document.value(table)
    text = document.text(value)
    if not text.startswith("{"):
        return None
    _, end = _offsets(document, value)
    inside = text[1:-1]
    at = end - 1 - (len(inside) - len(inside.rstrip()))
    joined = ", ".join(lines)
    new = f", {joined}" if inside.strip() else f" {joined} "
    return Edit(document.index.span(at, at), new)


def _dotted_insertion(document: Document, table: KeyPath, *lines: str) -> Edit | None:
    """Lines behind the last key of a table that only exists in front of its keys."""
    value: Any = document.data
    for part in table:
        value = value[part]
    last = (*table, next(reversed(value)))
    start, _ = _offsets(document, document.key(last))
    _, end = _offsets(document, document.value(last))
    text = document.index.text
    prefix = text[text.rfind("\n", 0, start) + 1 : start]
    stop = text.find("\n", end) + 1
    if not _DOTTED.fullmatch(prefix) or not stop:
        return None
    end_of_line = line_end(document.index.text)
    written = "".join(f"{prefix}{line}{end_of_line}" for line in lines)
    return Edit(document.index.span(stop, stop), written)


def _new_section(document: Document, table: KeyPath, text: str) -> tuple[Span, str]:
    """A section behind those it belongs with: of the same table, of the same kind, else last."""
    content, end_of_line = document.index.text, line_end(document.index.text)
    headers = sorted(
        (_offsets(document, span)[0], path)
        for path in _tables(document, ())
        if (span := _header(document, path)) is not None
    )
    for length in (2, 1):
        fitting = [n for n, (_, path) in enumerate(headers) if path[:length] == table[:length]]
        if fitting and fitting[-1] + 1 < len(headers):
            at = headers[fitting[-1] + 1][0]
            return document.index.span(at, at), f"{text}{end_of_line}{end_of_line}"
        if fitting:
            break
    stop = len(content)
    gap = 0 if not content else 1 if content.endswith("\n") else 2
    return document.index.span(stop, stop), f"{end_of_line * gap}{text}{end_of_line}"


def _valid(document: Document, fix: Fix, gone: KeyPath | None = None) -> Fix | None:
    """The fix, if it leaves a document that can be read and, if asked, no `gone` in it."""
    text = document.index.text
    offsets = [(*_offsets(document, edit.span), edit.replacement) for edit in fix.edits]
    for start, end, replacement in sorted(offsets, reverse=True):
        text = text[:start] + replacement + text[end:]
    data = document.changed(text)
    if data is None:
        return None
    return fix if gone is None or value_at(data, gone, _ABSENT) is _ABSENT else None


def _tables(document: Document, path: KeyPath) -> Iterator[KeyPath]:
    """The table at a path and all below it."""
    value: Any = document.data
    for part in path:
        value = value[part]
    pending = [(path, value)]
    while pending:
        at, each = pending.pop()
        if isinstance(each, dict):
            yield at
            pending += [((*at, key), item) for key, item in each.items()]
        elif isinstance(each, list):
            pending += [((*at, index), item) for index, item in enumerate(each)]


def _header(document: Document, path: KeyPath) -> Span | None:
    """The bracketed header of a table, if it has one."""
    if not path:
        return None
    span = document.header(path)
    text = document.text(span)
    # An array value also begins with a bracket; a header is a line of its own.
    is_table = text.startswith("[") and document.value(path) == span
    return span if is_table else None


def _offsets(document: Document, span: Span) -> tuple[int, int]:
    index = document.index
    return (
        index.offset(span.start.line, span.start.column),
        index.offset(span.end.line, span.end.column),
    )
