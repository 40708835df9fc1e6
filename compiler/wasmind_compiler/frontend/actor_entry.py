"""What somebody says about an actor: the table type shared by `[actors]`, `[actor_overrides]` and
`[dependencies]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from wasmind.records import Record
from wasmind_compiler.diagnostics import Span
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath
from wasmind_compiler.frontend.source import Source, read_source
from wasmind_compiler.frontend.tables import Name, Table

#: The same as in the schemas.
_CONTROL: Final = r"\x00-\x1f\x7f-\x9f"
_USABLE: Final = re.compile(rf"[^\s{_CONTROL}](?:[^{_CONTROL}]*[^\s{_CONTROL}])?")

Section = Literal["actors", "actor_overrides", "dependencies"]

#: Keys with a meaning beside `source`, by section.
ENTRY_KEYS: Mapping[Section, frozenset[str]] = {
    "dependencies": frozenset({"source", "config", "auto_spawn", "required_spawn_with"}),
    "actors": frozenset({"source", "config", "auto_spawn", "required_spawn_with"})
    | {"grants", "limits", "restart"},
    "actor_overrides": frozenset({"source", "config", "auto_spawn", "required_spawn_with"})
    | {"grants", "limits", "restart"},
}


class Grant(Record):
    """One capability in a `grants` or `[capabilities]` table.

    `limits` narrows it; an empty table grants all of it, as `true` does.
    """

    capability: str
    allowed: bool
    limits: Mapping[str, Any]


class ActorEntry(Record):
    """One table about one logical name. None means the table does not say."""

    name: str
    section: Section
    document: Document
    path: KeyPath
    source: Source | None
    has_source: bool
    config: Mapping[str, Any] | None
    auto_spawn: bool | None
    required_spawn_with: tuple[Name, ...] | None
    grants: tuple[Grant, ...] | None
    limits: Table | None
    restart: Table | None
    misplaced: tuple[str, ...]

    @property
    def is_readable(self) -> bool:
        """Whether the settings, if there are any, are a table."""
        return self.config is not None or not self.document.has((*self.path, "config"))

    def header(self) -> Span:
        """Where the table is announced."""
        return self.document.header(self.path)

    def value(self, *keys: str | int) -> Span:
        """A value inside the table."""
        return self.document.value((*self.path, *keys))

    def key(self, *keys: str | int) -> Span:
        """A key inside the table."""
        return self.document.key((*self.path, *keys))


def read_entries(table: Table, section: Section) -> tuple[ActorEntry, ...]:
    """The entries of one section that have a usable name, in the order written."""
    tables = table.tables(section)
    return tuple(_entry(name, section, each) for name, each in tables if is_usable(name))


def is_usable(name: str) -> bool:
    """Whether a logical name is one; what is not is reported by the schema."""
    return _USABLE.fullmatch(name) is not None


def read_grants(table: Table | None) -> tuple[Grant, ...] | None:
    """A `grants` or `[capabilities]` table; None if there is none."""
    if table is None:
        return None
    grants = []
    for name, value in table.values.items():
        limits = value if isinstance(value, dict) else {}
        allowed = isinstance(value, dict) or value is True
        grants.append(Grant(capability=name, allowed=allowed, limits=limits))
    return tuple(grants)


def _entry(name: str, section: Section, whole: Table) -> ActorEntry:
    known = ENTRY_KEYS[section]
    # What has no meaning in a section has been reported, and must not get one here.
    table = Table(whole.document, whole.path, {k: v for k, v in whole.values.items() if k in known})
    return ActorEntry(
        name=name,
        section=section,
        document=table.document,
        path=table.path,
        source=read_source(table.table("source")),
        has_source="source" in table,
        config=table.mapping("config"),
        auto_spawn=table.boolean("auto_spawn"),
        required_spawn_with=table.names("required_spawn_with"),
        grants=read_grants(table.table("grants")),
        limits=table.table("limits"),
        restart=table.table("restart"),
        misplaced=tuple(key for key in whole.values if key not in known),
    )
