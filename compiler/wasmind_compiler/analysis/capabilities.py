"""Capabilities: what an actor needs, what it is granted, and what that leaves it with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from wasmind.records import Record
from wasmind_compiler.diagnostics import Collector, Diagnostic
from wasmind_compiler.diagnostics.rules import components
from wasmind_compiler.diagnostics.suggestions import nearest
from wasmind_compiler.frontend.actor_entry import ActorEntry, Grant
from wasmind_compiler.frontend.key_path import dotted
from wasmind_compiler.frontend.sections import added_keys
from wasmind_compiler.resolution.graph import ResolvedActor

#: Every actor talks and logs; these need not be repeated to narrow something else.
_HARMLESS: Final = frozenset({"logger", "messaging"})


class Granted(Record):
    """What an actor gets: capability names, and the tables that narrow some of them."""

    capabilities: tuple[str, ...]
    narrowed: Mapping[str, Mapping[str, Any]]


def promised(actor: ResolvedActor) -> Granted:
    """What an actor gets that has yet to be built, as far as that is written: its grants, or what
    it declares."""
    entry, declared = _granting(actor), actor.manifest.capabilities
    written = declared or () if entry is None or entry.grants is None else entry.grants
    names = set(_known(_allowed(written)))
    return Granted(capabilities=tuple(sorted(names)), narrowed=_narrowed(written, names))


def may_use(actor: ResolvedActor) -> tuple[str, ...]:
    """What an actor could use that has yet to be built: its grants, without them everything."""
    if _granting(actor) is not None:
        return promised(actor).capabilities
    from wasmind.plan import CAPABILITIES

    return tuple(CAPABILITIES)


def grant(
    actor: ResolvedActor,
    imported: Sequence[str] | None,
    optional: Sequence[str],
    used: Sequence[str],
    collector: Collector,
) -> Granted:
    """Needs cut down to grants; without grants an actor gets what it declares.

    Args:
        actor: the actor, with its manifest and the user's tables.
        imported: capabilities a component of its own imports; None for a Python actor.
        optional: capabilities such a component can use where they are granted.
        used: capabilities the contract names.
        collector: takes needs that are not granted and grants that are not needed.
    """
    declared = actor.manifest.capabilities
    if imported is not None and declared is not None:
        lacking = set(imported) - _allowed(declared)
        collector.extend(_undeclared(actor, _truly_lacking(lacking, declared, collector)))
    needs = set(used if imported is None else imported) | _allowed(declared or ())
    # A component has no use for what it does not import, whatever it declares.
    needs = needs if imported is None else needs & {*imported, *optional}
    entry = _granting(actor)
    if entry is None or entry.grants is None:
        return Granted(capabilities=tuple(sorted(needs)), narrowed=_narrowed(declared or (), needs))
    lacking = _truly_lacking(needs - _granted(entry.grants), entry.grants, collector)
    collector.extend(_refused(actor, entry, lacking))
    collector.extend(_superfluous(actor, entry, needs | set(optional)))
    granted = {*needs, *optional} & _granted(entry.grants)
    return Granted(capabilities=tuple(sorted(granted)), narrowed=_narrowed(entry.grants, granted))


def files_not_granted(actor: ResolvedActor, granted: Granted) -> Iterator[Diagnostic]:
    """What to say about a component that opens files through WASI, where no folder is granted."""
    entry = _granting(actor)
    grants = (entry and entry.grants) or ()
    if any(each.capability == "filesystem" for each in grants):
        return  # granted, or refused on purpose
    names = sorted({*granted.capabilities, "filesystem"} - _HARMLESS)
    table = ", ".join(f"{name} = true" for name in names)
    yield components.FILES_NOT_GRANTED.at(
        actor.source.span() if entry is None else entry.document.header((*entry.path, "grants")),
        f"the component of `{actor.name}` opens files through WASI, and no folder is granted to it",
        help=f"if it needs them, write `grants = {{ {table} }}` in `[actors.{actor.name}]`"
        if entry is None
        else "if it needs them, add `filesystem = true`, or the folders, to the grants",
    )


def _granting(actor: ResolvedActor) -> ActorEntry | None:
    """The table that has the last word on what the actor is granted."""
    return next((each for each in reversed(actor.entries) if each.grants is not None), None)


def _allowed(grants: Sequence[Grant]) -> set[str]:
    return {each.capability for each in grants if each.allowed}


def _granted(grants: Sequence[Grant]) -> set[str]:
    """What a table of grants allows; talking and logging also when it does not mention them."""
    refused = {each.capability for each in grants if not each.allowed}
    return _allowed(grants) | (_HARMLESS - refused)


def _narrowed(grants: Sequence[Grant], granted: set[str]) -> Mapping[str, Mapping[str, Any]]:
    return {
        each.capability: each.limits
        for each in sorted(grants, key=lambda each: each.capability)
        if each.limits and each.capability in granted
    }


def _undeclared(actor: ResolvedActor, names: Iterable[str]) -> Iterator[Diagnostic]:
    document = actor.manifest.document
    for name in sorted(names):
        yield components.DECLARED_DIFFERS.at(
            document.header(("capabilities",)),
            f"the component of `{actor.name}` imports `{name}`, which is not declared",
            help=f"add `{name} = true` to `[capabilities]`",
        )


def _refused(actor: ResolvedActor, entry: ActorEntry, names: Iterable[str]) -> Iterator[Diagnostic]:
    table = f"[{entry.section}.{entry.name}.grants]"
    for name in sorted(names):
        yield components.NOT_GRANTED.at(
            entry.document.header((*entry.path, "grants")),
            f"`{actor.name}` needs the capability `{name}`, which is not granted",
            help=f"add `{name} = true` to `{table}`, or use an actor that does without",
            fix=added_keys(
                entry.document,
                (*entry.path, "grants"),
                [f"{dotted((name,))} = true"],
                f"grant `{name}`",
            ),
        )


def _superfluous(actor: ResolvedActor, entry: ActorEntry, wanted: set[str]) -> Iterator[Diagnostic]:
    for name in _known(_allowed(entry.grants or ()) - wanted):
        yield components.UNUSED_GRANT.at(
            entry.key("grants", name),
            f"`{actor.name}` does not use the capability `{name}`",
            help="remove it",
        )


def _truly_lacking(lacking: set[str], grants: Sequence[Grant], collector: Collector) -> set[str]:
    """What a table lacks, without names that are only misspelled in it, which is an error."""
    if not lacking or collector.lenient:
        return lacking
    unknown = {each.capability for each in grants}
    unknown.difference_update(_known(unknown))
    return lacking - {near for name in unknown for near in nearest(name, lacking)}


def _known(names: set[str]) -> list[str]:
    """The capabilities among names; the schema has said what is wrong with the others."""
    if not names:
        return []
    from wasmind.plan import CAPABILITIES

    return sorted(names & CAPABILITIES.keys())
