"""The lockfile: what a config resolved to, pinned.

Invariants: the text is a function of what was resolved and of nothing else, so writing it twice
changes no byte; entries are sorted and every fact has a line of its own, so a change touches few
lines; there is no time, secret or machine fact in it, and no absolute path but in `file://` URLs. A
format that is newer than ours is never read or overwritten; an older one is read and rewritten.

Versions: 1 had no git sources and did not name its config; 2 did not say how capabilities are
narrowed; 3 did not name the interpreter component.

The interpreter is recorded and not pinned: it is part of the installed Wasmind, and no lockfile can
bring another one about. A lockfile with another one than the present is therefore not stale. What
links a bundle, or was asked to keep to the lockfile, says so in a note (WM1012); `wasmind lock`
records the present one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from wasmind.records import Record
from wasmind_compiler.frontend.source import GitRef

VERSION: Final = 4
_NARROWED_SINCE: Final = 3
_FIRST_LINE: Final = "# Written by `wasmind lock`; not meant to be edited.\n"
_SHA256: Final = "sha256:"


class LockedGit(Record):
    """The commit that a ref of a repository meant, for all actors that come from it.

    Attributes:
        url: as written, without secrets.
        ref: as written; None for the default branch.
        revision: full commit id.
        default_branch: what HEAD named, if there is no ref.
        tag_object: id of an annotated tag.
    """

    url: str
    ref: GitRef | None
    revision: str
    default_branch: str | None = None
    tag_object: str | None = None

    @property
    def shown(self) -> str:
        """The repository and the ref, for people."""
        return f"{self.url}#{self.ref.text}" if self.ref else self.url


class LockedActor(Record):
    """One actor. Digests are sha256 in hex; paths in `source` are relative to the config.

    `grants` are the tables that narrow capabilities; None where the format did not have them.
    """

    name: str
    actor_id: str
    source: Mapping[str, Any]
    digest: str
    component: str | None
    capabilities: tuple[str, ...]
    grants: Mapping[str, Mapping[str, Any]] | None
    dependencies: tuple[str, ...]
    contract: str | None
    config_schema: str | None


class Lock(Record):
    """A whole lockfile.

    Attributes:
        config: file name of the config; empty in the first format.
        interpreter: sha256, in hex, of the component that Python actors ran on; None if there are
            none, and in older formats.
    """

    config: str
    git: tuple[LockedGit, ...]
    actors: tuple[LockedActor, ...]
    interpreter: str | None = None


def lock_path(config: Path) -> Path:
    """The lockfile of a config: beside it, with its stem."""
    return config.with_suffix(".lock")


def render_lock(lock: Lock) -> str:
    """The text of a lockfile, in the newest format."""
    head = f"{_FIRST_LINE}version = {VERSION}\nconfig = {_text(lock.config)}\n"
    if lock.interpreter is not None:
        head += f"interpreter = {_digest(lock.interpreter)}\n"
    git = sorted(lock.git, key=lambda each: (each.url, _ref_key(each.ref)))
    actors = sorted(lock.actors, key=lambda each: each.name)
    tables = [_table("git", _git_facts(each)) for each in git]
    tables += [_table("actor", _actor_facts(each)) for each in actors]
    return "\n".join([head, *tables])


def read_lock(data: Mapping[str, Any]) -> Lock:
    """The lockfile of a document that has the form of one."""
    return Lock(
        config=data.get("config", ""),
        git=tuple(map(_read_git, data.get("git", ()))),
        actors=tuple(_read_actor(each, data["version"]) for each in data.get("actor", ())),
        interpreter=_hex(data.get("interpreter")),
    )


def _read_git(table: Mapping[str, Any]) -> LockedGit:
    return LockedGit(
        url=table["url"],
        ref=next((GitRef(kind, text) for kind, text in table.get("git_ref", {}).items()), None),
        revision=table["revision"],
        default_branch=table.get("default_branch"),
        tag_object=table.get("tag_object"),
    )


def _read_actor(table: Mapping[str, Any], version: int) -> LockedActor:
    return LockedActor(
        name=table["name"],
        actor_id=table["actor_id"],
        source=table["source"],
        digest=_hex(table["digest"]) or "",
        component=_hex(table.get("component")),
        capabilities=tuple(table["capabilities"]),
        grants=table.get("grants", {}) if version >= _NARROWED_SINCE else None,
        dependencies=tuple(table["dependencies"]),
        contract=_hex(table.get("contract")),
        config_schema=_hex(table.get("config_schema")),
    )


def _hex(digest: str | None) -> str | None:
    return None if digest is None else digest.removeprefix(_SHA256)


def _ref_key(ref: GitRef | None) -> tuple[str, str]:
    return (ref.kind, ref.text) if ref else ("", "")


def _git_facts(git: LockedGit) -> Iterator[tuple[str, str | None]]:
    yield "url", _text(git.url)
    yield "git_ref", inline({git.ref.kind: git.ref.text}) if git.ref else None
    yield "revision", _text(git.revision)
    yield "default_branch", _optional(git.default_branch)
    yield "tag_object", _optional(git.tag_object)


def _actor_facts(actor: LockedActor) -> Iterator[tuple[str, str | None]]:
    yield "name", _text(actor.name)
    yield "actor_id", _text(actor.actor_id)
    yield "source", inline(actor.source)
    yield "digest", _digest(actor.digest)
    yield "component", _digest(actor.component)
    yield "capabilities", _list(actor.capabilities)
    yield "grants", inline(actor.grants) if actor.grants else None
    yield "dependencies", _list(actor.dependencies)
    yield "contract", _digest(actor.contract)
    yield "config_schema", _digest(actor.config_schema)


def _table(name: str, facts: Iterable[tuple[str, str | None]]) -> str:
    lines = (f"{key} = {value}\n" for key, value in facts if value is not None)
    return f"[[{name}]]\n" + "".join(lines)


def _text(value: str) -> str:
    # A JSON string is a TOML basic string but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _optional(value: str | None) -> str | None:
    return None if value is None else _text(value)


def _digest(value: str | None) -> str | None:
    return None if value is None else _text(_SHA256 + value)


def inline(table: Mapping[str, Any]) -> str:
    """A table on one line, as the lockfile has it."""
    return "{" + ", ".join(f"{key} = {_value(value)}" for key, value in table.items()) + "}"


def _value(value: Any) -> str:
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return inline(value) if isinstance(value, Mapping) else _text(value)


def _list(items: tuple[str, ...]) -> str:
    """A line for each item, as soon as there are two."""
    written = [_text(item) for item in sorted(items)]
    if len(written) < 2:
        return "[" + "".join(written) + "]"
    return "[\n" + "".join(f"    {item},\n" for item in written) + "]"
