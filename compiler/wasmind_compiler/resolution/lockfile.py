"""The lockfile: what a config resolved to, pinned.

Invariants: the text is a function of what was resolved and of nothing else, so writing it twice
changes no byte; actors are sorted by name and every fact has a line of its own, so a change touches
few lines; there is no absolute path, time or machine fact in it. A format that is newer than ours
is never read or overwritten.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

VERSION: Final = 1
_FIRST_LINE: Final = "Written by `wasmind lock`; not meant to be edited."


class LockState(Enum):
    """A lockfile on disk against what it should be."""

    CURRENT = "current"
    STALE = "stale"
    MISSING = "missing"
    NEWER = "newer"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedActor:
    """One actor. Digests are sha256 in hex; paths in `source` are relative to the config."""

    name: str
    actor_id: str
    source: Mapping[str, str]
    digest: str
    component: str | None
    capabilities: tuple[str, ...]
    dependencies: tuple[str, ...]
    contract: str
    config_schema: str | None


def lock_path(config: Path) -> Path:
    """The lockfile of a config: beside it, with its stem."""
    return config.with_suffix(".lock")


def render_lock(actors: Iterable[LockedActor]) -> str:
    """The text of a lockfile."""
    import tomlkit

    document = tomlkit.document()
    document.add(tomlkit.comment(_FIRST_LINE))
    document.add("version", tomlkit.item(VERSION))
    tables = tomlkit.aot()
    for actor in sorted(actors, key=lambda each: each.name):
        table = tomlkit.table()
        for key, value in _facts(actor):
            table.add(key, value)
        tables.append(table)
    if tables:
        document.add("actor", tables)
    return tomlkit.dumps(document)


def lock_state(path: Path, wanted: str) -> LockState:
    """How the lockfile on disk relates to what it should be.

    Raises:
        OSError: it cannot be read.
    """
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        return LockState.MISSING
    if found == wanted.encode():
        return LockState.CURRENT
    return LockState.NEWER if _version(found) > VERSION else LockState.STALE


def _version(content: bytes) -> int:
    """The format of a lockfile; 0 if that cannot be told."""
    try:
        version = tomllib.loads(content.decode()).get("version")
    except (ValueError, RecursionError):
        return 0
    return version if isinstance(version, int) else 0


def _facts(actor: LockedActor) -> list[tuple[str, Any]]:
    import tomlkit

    source = tomlkit.inline_table()
    source.update(dict(actor.source))
    facts: list[tuple[str, Any]] = [
        ("name", actor.name),
        ("actor_id", actor.actor_id),
        ("source", source),
        ("digest", f"sha256:{actor.digest}"),
        ("component", f"sha256:{actor.component}" if actor.component else None),
        ("capabilities", _list(actor.capabilities)),
        ("dependencies", _list(actor.dependencies)),
        ("contract", f"sha256:{actor.contract}"),
        ("config_schema", f"sha256:{actor.config_schema}" if actor.config_schema else None),
    ]
    return [(key, value) for key, value in facts if value is not None]


def _list(items: tuple[str, ...]) -> Any:
    import tomlkit

    array = tomlkit.array()
    array.extend(sorted(items))
    return array.multiline(len(items) > 1)
