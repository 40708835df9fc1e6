"""What differs between two lockfiles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from wasmind_compiler.resolution.lockfile import Lock, LockedActor, LockedGit, inline
from wasmind_compiler.resolution.policy import Widening

_SHOWN_DIGITS: Final = 7
#: What every actor may do; gaining it is no news.
_HARMLESS: Final = frozenset({"logger", "messaging"})
#: Lists that limit a capability; without one there is no limit. All other lists add to it.
_LIMITING: Final = frozenset({"hosts", "ports", "methods", "programs", "directories"})
#: Numbers that limit a capability.
_MOST: Final = frozenset({"depth", "number"})
#: Place and content of each entry, by its subject and what tells it from others of that name.
_Entries = Mapping[tuple[str, str], tuple[int, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An entry that came, went or changed.

    Attributes:
        subject: the actor's name, or repository and ref.
        facts: what changed in it, a line each.
        index: of the entry in the old lockfile; None if it is new.
    """

    kind: Literal["added", "removed", "changed"]
    table: Literal["actor", "git"]
    subject: str
    facts: tuple[str, ...] = ()
    index: int | None = None


def changes(old: Lock, new: Lock) -> Iterator[Change]:
    """Everything that differs, repositories first, in the order of names."""
    yield from _compare("git", _repositories(old.git), _repositories(new.git))
    yield from _compare("actor", _actors(old.actors), _actors(new.actors))


def widenings(old: Lock, new: Lock, granted: Collection[str] = ()) -> Iterator[Widening]:
    """Actors that could do more than before, in the order of names.

    An actor that is new counts only if one that is not has brought it along, be it through others
    that are new: what the config itself adds was added by the user.

    Args:
        old, new: what is compared.
        granted: names of actors whose capabilities the config itself lists; the user has said what
            they may do.
    """
    before = {actor.name: actor for actor in old.actors}
    brought = _brought_along(new, before.keys())
    for actor in sorted(new.actors, key=lambda each: each.name):
        known = before.get(actor.name)
        if actor.name in granted or (known is None and actor.name not in brought):
            continue
        had = set(known.capabilities) if known is not None else _HARMLESS
        gains = set(actor.capabilities) - had - _HARMLESS
        if known is not None:
            gains.update(_less_narrowed(known, actor))
        if gains:
            kept = tuple(sorted(had)) if known is not None else ()
            yield Widening(actor=actor.name, had=kept, gains=tuple(sorted(gains)))


def _less_narrowed(before: LockedActor, after: LockedActor) -> Iterator[str]:
    """What is narrowed less, like `command.programs`; `command` if it is not narrowed any more."""
    for name, had in (before.grants or {}).items():
        if name in after.capabilities:
            has = (after.grants or {}).get(name)
            if not has:
                yield name
            else:
                yield from (
                    f"{name}.{key}" for key in had.keys() | has.keys() if _is_wider(key, had, has)
                )


def _is_wider(key: str, had: Mapping[str, Any], has: Mapping[str, Any]) -> bool:
    old, new = had.get(key), has.get(key)
    if key in _MOST:
        return old is not None and (new is None or new > old)
    if key in _LIMITING:
        return old is not None and (new is None or not set(new) <= set(old))
    if isinstance(new, list | tuple):
        may_write = had.get("read_write", ()) if key == "read" else ()
        return not set(new) <= {*(old or ()), *may_write}
    return bool(new) and new != old


def _brought_along(lock: Lock, by: Collection[str]) -> set[str]:
    """Everything that actors of these names depend on, directly or through others."""
    dependencies = {actor.name: actor.dependencies for actor in lock.actors}
    brought: set[str] = set()
    pending = [name for name in dependencies if name in by]
    while pending:
        found = set(dependencies.get(pending.pop(), ())) - brought
        brought |= found
        pending += found
    return brought


def _repositories(entries: Sequence[LockedGit]) -> _Entries:
    # A tag and a branch may have the same name.
    return {
        (each.shown, each.ref.kind if each.ref else ""): (index, each)
        for index, each in enumerate(entries)
    }


def _actors(entries: Sequence[LockedActor]) -> _Entries:
    return {(each.name, ""): (index, each) for index, each in enumerate(entries)}


def _compare(table: Literal["actor", "git"], old: _Entries, new: _Entries) -> Iterator[Change]:
    for key in sorted(old.keys() | new.keys()):
        subject, _ = key
        if key not in new:
            yield Change(kind="removed", table=table, subject=subject, index=old[key][0])
        elif key not in old:
            yield Change(kind="added", table=table, subject=subject)
        else:
            (index, before), (_, after) = old[key], new[key]
            facts = tuple(_facts(before, after))
            if facts:
                yield Change(kind="changed", table=table, subject=subject, facts=facts, index=index)


def _facts(before: Any, after: Any) -> Iterator[str]:
    for name, old, new in zip(before._fields, before, after, strict=True):
        if name == "grants" and old is None:
            continue  # the old format did not have them
        if name in {"capabilities", "dependencies"}:
            old, new = tuple(sorted(old)), tuple(sorted(new))
        if old != new:
            yield f"{name}: {_short(old)} -> {_short(new)}"


def _short(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if isinstance(value, Mapping):
        return inline(value)
    text = str(value)
    is_id = len(text) in {40, 64} and all(letter in "0123456789abcdef" for letter in text)
    return text[:_SHOWN_DIGITS] if is_id else text
