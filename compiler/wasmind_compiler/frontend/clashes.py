"""What a TOML file says twice: the statement `tomllib` refuses, and the one it clashes with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wasmind_compiler.diagnostics import Diagnostic, Edit, Fix, Label, TextIndex
from wasmind_compiler.diagnostics.rules import files
from wasmind_compiler.frontend.joining import joined
from wasmind_compiler.frontend.key_path import KeyPath, dotted
from wasmind_compiler.frontend.positions import Node, Range, Scanner, last_element, scan
from wasmind_compiler.frontend.slip import reads_further

#: Names from the inside out.
_Way = tuple[str | int, "_Way | None"]


def explain_clash(index: TextIndex, start: int) -> Diagnostic | None:
    """The clash of the statement at `start` with what is before it; None if there is none."""
    if index.text[start] == "[":
        return _HeaderClash(index, start).explain()
    return _explain_key(index, start)


@dataclass(slots=True)
class _Written:
    """A key that was given before."""

    first: Range
    again: Range
    #: Of the first if it is an inline table, which the other would add to.
    path: KeyPath | None = None


class _Watch(Scanner):
    """A scanner that notices when a name is given again."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.found: _Written | None = None

    def _assign(self, table: Node, name: str, node: Node) -> None:
        self.found = self.found or self._clash(table, name, node)
        super()._assign(table, name, node)

    def _clash(self, table: Node, name: str, node: Node) -> _Written | None:
        earlier = table.children.get(name)
        if earlier is not None and earlier.key is not None and node.key is not None:
            return _Written(earlier.key, node.key)
        if table.key is None or node.key is None:
            return None
        if _is_value(self._text, table):
            return _Written(table.key, node.key)
        if _is_complete(self._text, table):
            return _Written(table.key, node.key, _path_to(self._root, table))
        return None


def _path_to(root: Node, wanted: Node) -> KeyPath:
    """The way to a node of a tree."""
    # Each name with those before it: whole paths would cost the square of the depth.
    pending: list[tuple[Node, _Way | None]] = [(root, None)]
    while pending:
        node, way = pending.pop()
        if node is wanted:
            return tuple(_names(way))[::-1]
        pending += [(child, (name, way)) for name, child in node.children.items()]
    raise AssertionError("the node is not in the tree")


def _names(way: _Way | None) -> Iterator[str | int]:
    while way is not None:
        name, way = way
        yield name


def _is_value(text: str, node: Node) -> bool:
    """Whether a node was given a value of its own that is no table."""
    if node.key is None or node.value == node.key or node.header is not None or node.appendable:
        return False
    # An inline table that is still open has no length.
    return node.value[0] != node.value[1] and text[node.value[0]] != "{"


def _is_complete(text: str, node: Node) -> bool:
    """Whether a node is an inline table that was closed; one that is still open has no length."""
    start, end = node.value
    return start != end and text[start] == "{"


def _explain_key(index: TextIndex, start: int) -> Diagnostic | None:
    watch = _Watch(index.text)
    try:
        for begun in watch.statements():
            if begun > start:
                break
    except (AssertionError, IndexError, KeyError):
        pass
    found = watch.found
    if found is None:
        return None
    if found.path is not None:
        return _closed(index, found.again, found.first, dotted(found.path))
    name = index.text[slice(*found.again)]
    return files.DUPLICATE_KEY.at(
        index.span(*found.again),
        f"the key `{name}` is given twice",
        label="given again",
        labels=(Label(index.span(*found.first), "first given here"),),
        help="keep one of them",
    )


def _closed(index: TextIndex, again: Range, first: Range, name: str) -> Diagnostic:
    """Something added to a table that is complete: it was written inline or with dotted keys."""
    return files.TABLE_TWICE.at(
        index.span(*again),
        f"the table `{name}` cannot be extended here",
        label="adds to it",
        labels=(Label(index.span(*first), "complete here"),),
        help="write all of it in one place",
    )


class _HeaderClash:
    """The header at an offset, and what its name means already."""

    def __init__(self, index: TextIndex, start: int) -> None:
        self._index = index
        self._start = start
        self._doubled = index.text.startswith("[[", start)
        self._names, (_, self._end) = Scanner(index.text).header_at(start)
        self._before = scan(index.text[:start])

    def explain(self) -> Diagnostic | None:
        names, node = self._names, self._before
        for depth, name in enumerate(names, 1):
            child = last_element(node).children.get(name)
            if child is None:
                if node.key is None:
                    return None
                header, name = (self._start, self._end), dotted(tuple(names[: depth - 1]))
                return _closed(self._index, header, node.key, name)
            if depth == len(names) or _is_value(self._index.text, child):
                return self._explain(child, dotted(tuple(names[:depth])))
            node = child
        return None

    def _explain(self, first: Node, name: str) -> Diagnostic:
        if first.appendable and not self._doubled:
            return self._needs_double(name, (self._start, self._end), first, "always")
        if self._doubled and first.header is not None:
            return self._needs_double(name, first.header, first, "maybe")
        if self._doubled and (inner := _first_header(first)) is not None:
            return self._before_element(name, inner)
        if first.header is not None:
            return files.TABLE_TWICE.at(
                self._index.span(self._start, self._end),
                f"the table `{name}` is defined twice",
                label="defined again",
                labels=(Label(self._index.span(*first.header), "first defined here"),),
                help="join the two sections",
                fix=self._joined(first.header),
            )
        return files.DUPLICATE_KEY.at(
            self._index.span(self._start, self._end),
            f"`{name}` is given twice",
            label="given again",
            labels=(Label(self._index.span(*(first.key or first.value)), "first given here"),),
            help="keep one of them",
        )

    def _joined(self, first: Range) -> Fix | None:
        """Both sections in one; None if they give the same key."""
        text = self._index.text
        edits = joined(text, (self._start, self._end), first, _headers(text))
        if not reads_further(text, edits):
            return None
        made = tuple(Edit(self._index.span(*place), written) for place, written in edits)
        return Fix(title="join the two sections", edits=made, applicability="always")

    def _needs_double(self, name: str, place: Range, first: Node, sure: str) -> Diagnostic:
        """One of two headers of a name has single and the other double brackets."""
        inner = self._index.text[slice(*place)]
        fix = Fix(
            title=f"write `[{inner}]`",
            edits=(
                Edit(self._index.span(place[0], place[0]), "["),
                Edit(self._index.span(place[1], place[1]), "]"),
            ),
            applicability="always" if sure == "always" else "maybe",
        )
        earlier = first.children[0].header if first.appendable else first.header
        return files.TABLE_OR_ARRAY.at(
            self._index.span(self._start, self._end),
            f"`{name}` is both a table and an array of tables",
            labels=(Label(self._index.span(*(earlier or first.value)), "first defined here"),),
            help=f"write `[{inner}]`: every element of an array has doubled brackets",
            fix=fix,
        )

    def _before_element(self, name: str, inner: Range) -> Diagnostic:
        return files.TABLE_OR_ARRAY.at(
            self._index.span(*inner),
            f"a section of `{name}` stands before its element",
            labels=(Label(self._index.span(self._start, self._end), "the element begins here"),),
            help="move it below the element it belongs to",
        )


def _headers(text: str) -> list[Range]:
    """All headers up to the first mistake in the grammar."""
    scanner, found = Scanner(text), []
    try:
        for start in scanner.statements():
            if text[start] == "[":
                found.append((start, start + 1))
    except (AssertionError, IndexError, KeyError):
        pass
    return found


def _first_header(node: Node) -> Range | None:
    for child in node.children.values():
        if (found := child.header or _first_header(child)) is not None:
            return found
    return None
