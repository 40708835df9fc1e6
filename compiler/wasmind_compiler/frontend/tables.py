"""Typed views of tables that the schema has judged.

The schema reports what is wrong; these readers must not. They skip what has another type, so that
the rest of a faulty file can still be checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wasmind.records import Record
from wasmind_compiler.diagnostics import Span
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath


class Name(Record):
    """A logical name, a model name or the like, and where it is written."""

    text: str
    document: Document
    path: KeyPath

    def span(self) -> Span:
        """Its place."""
        return self.document.value(self.path)


class Table:
    """A table of a document and the path that leads to it."""

    def __init__(self, document: Document, path: KeyPath, values: Mapping[str, Any]) -> None:
        self.document = document
        self.path = path
        self.values = values

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def string(self, key: str) -> str | None:
        """The string under `key`, if it is one."""
        value = self.values.get(key)
        return value if isinstance(value, str) else None

    def boolean(self, key: str) -> bool | None:
        """The boolean under `key`, if it is one."""
        value = self.values.get(key)
        return value if isinstance(value, bool) else None

    def mapping(self, key: str) -> Mapping[str, Any] | None:
        """The table under `key` as it is, if it is one."""
        value = self.values.get(key)
        return value if isinstance(value, dict) else None

    def names(self, key: str) -> tuple[Name, ...] | None:
        """The strings of the array under `key`, each with its place; None if there is none."""
        value = self.values.get(key)
        if not isinstance(value, list):
            return None
        return tuple(
            Name(item, self.document, (*self.path, key, index))
            for index, item in enumerate(value)
            if isinstance(item, str)
        )

    def table(self, key: str) -> Table | None:
        """The table under `key`, if it is one."""
        value = self.values.get(key)
        return Table(self.document, (*self.path, key), value) if isinstance(value, dict) else None

    def tables(self, key: str) -> tuple[tuple[str, Table], ...]:
        """The tables inside the table under `key`, by name in the order written."""
        outer = self.table(key)
        if outer is None:
            return ()
        inner = ((name, outer.table(name)) for name in outer.values)
        return tuple((name, table) for name, table in inner if table is not None)
