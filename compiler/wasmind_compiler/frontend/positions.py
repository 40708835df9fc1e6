"""Where every key, value, header and array element of a TOML document stands.

`tomllib` gives values without places. This scanner gives places without values: it reads a text
that `tomllib` has already accepted, so it never meets an error, and it walks nested values with a
stack of its own, so depth costs no recursion. Only files with findings are scanned.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

#: Character offsets: first of the stretch, first behind it.
Range = tuple[int, int]

# Loops are unrolled (plain, then special and plain again) so that they cannot backtrack far.
# Possessive quantifiers would say the same, but are broken in Python 3.11.0 to 3.11.4.
_BLANK: Final = re.compile(r"[ \t\r\n]*(?:#[^\n]*[ \t\r\n]*)*")
_KEY: Final = re.compile(r"""[A-Za-z0-9_-]+|"[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\n]*'""")
_DOT: Final = re.compile(r"[ \t]*\.[ \t]*")
_EQUALS: Final = re.compile(r"[ \t]*=[ \t]*")
_SCALAR: Final = re.compile(
    r'"""[^"\\]*(?:(?:\\.|"{1,2}(?!"))[^"\\]*)*"{3,5}'
    r"|'''[^']*(?:'{1,2}(?!')[^']*)*'{3,5}"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|'[^'\n]*'"
    # A date and its time may be parted by one blank.
    r"|\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]+"
    r"|[^\s,\]}#]+",
    re.DOTALL,
)


@dataclass(slots=True)
class Node:
    """One value of the document.

    Attributes:
        key: where its name is written, in the header for a table that has one.
        value: the value; for a table with a header the header, for one that only exists through
            the names in front of others the first such name.
        header: `[table]` or `[[element]]`, brackets included.
        children: by key, or by index for arrays.
        appendable: an array of tables.
    """

    key: Range | None = None
    value: Range = (0, 0)
    header: Range | None = None
    children: dict[str | int, Node] = field(default_factory=dict)
    appendable: bool = False


def scan(text: str) -> Node:
    """The places of a document.

    Args:
        text: TOML that `tomllib` accepts, without a byte-order mark; any line ends.
    """
    return Scanner(text).document()


def statement_at(text: str, offset: int) -> int:
    """Where the statement begins that an error at `offset` belongs to.

    Args:
        text: TOML that is valid up to that statement.
        offset: of a character in it or right behind it.
    """
    start = 0
    scanner = Scanner(text)
    try:
        for found in scanner.statements():
            if found > offset:
                break
            start = found
    except (AssertionError, IndexError, KeyError):
        # The scanner stumbles over what is wrong, which is inside the last statement.
        pass
    return start


class Scanner:
    """Reads statement after statement into a tree of nodes."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._root = Node()

    def document(self) -> Node:
        """All of it."""
        for _ in self.statements():
            pass
        return self._root

    def header_at(self, start: int) -> tuple[list[str], Range]:
        """The names in the header that begins at an offset, and its place.

        What is behind the names may be missing or faulty.
        """
        brackets = 2 if self._text.startswith("[[", start) else 1
        self._at = start + brackets
        self._skip_blank()
        names = self._dotted()
        end = self._at
        closing = self._skip_blank()
        if self._text.startswith("]" * brackets, closing):
            end = closing + brackets
        return [name for name, _ in names], (start, end)

    def statements(self) -> Iterator[int]:
        """Scan one statement after the other; yields where each begins, before it is scanned."""
        table = self._root
        while self._skip_blank() < len(self._text):
            yield self._at
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._value(self._key_and_equals(table))

    def _skip_blank(self) -> int:
        self._at = self._match(_BLANK)[1]
        return self._at

    def _match(self, pattern: re.Pattern[str]) -> Range:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise AssertionError(f"not valid TOML at offset {self._at}")
        return found.span()

    def _header(self) -> Node:
        start = self._at
        brackets = 2 if self._text.startswith("[[", start) else 1
        self._at += brackets
        self._skip_blank()
        *outer, (name, key) = self._dotted()
        self._skip_blank()
        self._at += brackets
        node = last_element(self._descend(self._root, outer))
        node = node.children.setdefault(name, Node())
        if brackets == 2:
            node.appendable = True
            node.key = node.key or key
            node.value = node.value if node.children else (start, self._at)
            element = Node(key=key)
            node.children[len(node.children)] = element
            node = element
        node.key = key
        node.header = node.value = (start, self._at)
        return node

    def _dotted(self) -> list[tuple[str, Range]]:
        parts = []
        while True:
            start, end = self._match(_KEY)
            parts.append((_key_text(self._text[start:end]), (start, end)))
            self._at = end
            dot = _DOT.match(self._text, end)
            if dot is None:
                return parts
            self._at = dot.end()

    def _descend(self, table: Node, names: list[tuple[str, Range]]) -> Node:
        for name, key in names:
            table = last_element(table)
            child = table.children.get(name)
            if child is None:
                child = table.children[name] = Node(key=key, value=key)
            table = child
        return table

    def _key_and_equals(self, table: Node) -> Node:
        *outer, (name, key) = self._dotted()
        self._at = self._match(_EQUALS)[1]
        node = Node(key=key)
        self._assign(self._descend(table, outer), name, node)
        return node

    def _assign(self, table: Node, name: str, node: Node) -> None:
        table.children[name] = node

    def _value(self, node: Node) -> None:
        """Scan one value with all that is inside it."""
        containers: list[Node] = []
        following: Node | None = node
        while following is not None:
            if self._text[self._at] in "[{":
                following.value = (self._at, self._at)
                following.appendable = False
                containers.append(following)
                self._at += 1
            else:
                following.value = self._match(_SCALAR)
                self._at = following.value[1]
            following = self._next_member(containers)

    def _next_member(self, containers: list[Node]) -> Node | None:
        """The next value inside the innermost open container; None when all are closed."""
        while containers:
            self._skip_blank()
            container, character = containers[-1], self._text[self._at]
            if character == ",":
                self._at += 1
            elif character in "]}":
                self._at += 1
                container.value = (container.value[0], self._at)
                containers.pop()
            elif self._text[container.value[0]] == "{":
                return self._key_and_equals(container)
            else:
                element = container.children[len(container.children)] = Node()
                return element
        return None


def last_element(node: Node) -> Node:
    """Names below an array of tables belong to its last element."""
    while node.appendable:
        node = node.children[len(node.children) - 1]
    return node


def _key_text(written: str) -> str:
    if written[0] == "'":
        return written[1:-1]
    if written[0] != '"':
        return written
    if "\\" not in written:
        return written[1:-1]
    try:
        decoded: str = tomllib.loads(f"key = {written}")["key"]
    except tomllib.TOMLDecodeError as error:
        raise AssertionError(f"not a key of TOML: {written}") from error
    return decoded
