"""Reports of what cannot be at once: cycles, and one name or dependency with two meanings."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from wasmind_compiler.diagnostics import Diagnostic, Fix, Label, Span
from wasmind_compiler.diagnostics.rules import graph, sources
from wasmind_compiler.diagnostics.suggestions import together
from wasmind_compiler.frontend.actor_entry import ActorEntry
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath, dotted
from wasmind_compiler.frontend.sections import added_keys, literal, renamed_section
from wasmind_compiler.frontend.source import GitSource, PathSource, Source
from wasmind_compiler.resolution.found import Found, chain, edge, shortened, shown


def cycle(loop: Sequence[Found], closing: ActorEntry) -> Diagnostic:
    """A dependency that leads back to an actor it comes from.

    Args:
        loop: the actors around, the one that is reached again first.
        closing: the dependency of the last of them.
    """
    again, last = loop[0], loop[-1]
    if again is last and closing.source is not None:
        return _self_dependency(again, closing, closing.source)
    names = [*(found.name for found in loop), closing.name]
    steps = shortened(len(names), lambda number: f"`{names[number]}`")
    labels = tuple(
        Label(
            loop[number].entry.header(), f"{number}: `{names[number - 1]}` needs `{names[number]}`"
        )
        for number in shown(len(loop))[1:]
    )
    return sources.CYCLE.at(
        closing.header(),
        "dependency cycle: " + " → ".join(steps),
        label=f"{len(loop)}: `{last.name}` needs `{closing.name}`, which closes the cycle",
        labels=labels,
        notes=(
            "entered through:\n" + chain(again),
            "once around:\n" + "\n".join(_around(loop, closing)),
        ),
        help="remove one of these dependencies; actors that only talk to or spawn each other need"
        " none",
    )


def _around(loop: Sequence[Found], closing: ActorEntry) -> list[str]:
    is_renamed = closing.name != loop[0].name

    def line(number: int) -> str:
        is_last = number == len(loop) - 1
        lower = closing if is_last else loop[number + 1].entry
        # The names differ from lap to lap, the folders do not.
        place = f", in {loop[0 if is_last else number + 1].place}" if is_renamed else ""
        return edge(loop[number].entry, lower) + place

    lines = shortened(len(loop), line)
    if is_renamed:
        lines.append(f"{closing.name} has the same source as {loop[0].name}")
    return [f"  {line}" for line in lines]


def _self_dependency(found: Found, closing: ActorEntry, source: Source) -> Diagnostic:
    return graph.SELF_DEPENDENCY.at(
        source.span(),
        f"`{found.name}` depends on its own source",
        label="this is the actor itself",
        notes=(f"`{closing.name}` and `{found.name}` are both in: {found.place}",),
        help=f"remove `[{dotted(closing.path)}]`",
    )


def conflict(
    known: Found, parent: Found, entry: ActorEntry, place: str | None, config: Document
) -> Diagnostic:
    """Two manifests that mean different actors by one name.

    Args:
        known: what the name meant first.
        parent: the actor whose manifest means something else.
        entry: its table.
        place: the canonical source of that, if it is known.
        config: the config, which can settle it.
    """
    assert entry.source is not None
    second, first = _telling_spans(entry.source, known.source)
    return sources.CONFLICTING_SOURCES.at(
        second,
        f"`{entry.name}` means two actors: {known.source} and {entry.source}",
        labels=(Label(first, "first meant here"),),
        notes=(
            _route("first reached by", known.place, chain(known)),
            _route("then by", place, chain(parent, entry)),
        ),
        help=_unifying(known.source, entry),
        fix=_settling_override(known, config),
    )


def own_actor_clash(
    known: Found, parent: Found, entry: ActorEntry, place: str | None
) -> Diagnostic:
    """An own actor that has the name of a dependency from elsewhere."""
    override = ("actor_overrides", entry.name)
    return sources.OWN_ACTOR_CLASH.at(
        known.entry.header(),
        f"own actor `{entry.name}` clashes with a dependency of `{parent.name}`",
        labels=(Label(entry.header(), "the dependency is declared here"),),
        notes=(_route("the dependency is reached by", place, chain(parent, entry)),),
        help=f"rename it, or replace the dependency's source with `[{dotted(override)}]`",
        fix=renamed_section(
            known.entry.document,
            known.entry.path,
            override,
            f"make it `[{dotted(override)}]`",
        ),
    )


def own_actor_coincides(known: Found, entry: ActorEntry) -> Diagnostic:
    """An own actor that a manifest also declares, from the same source."""
    override = dotted(("actor_overrides", entry.name))
    return sources.OWN_ACTOR_COINCIDES.at(
        known.entry.header(),
        f"own actor `{entry.name}` is also a dependency with the same source",
        labels=(Label(entry.header(), "declared here"),),
        notes=("the settings of both are merged, and those of `[actors]` win",),
        help=f"use `[{override}]` to change its settings",
    )


def conflicting_settings(
    known: Found, parent: Found, entry: ActorEntry, keys: Sequence[KeyPath]
) -> Diagnostic:
    """A dependency that two manifests configure differently.

    Args:
        known: the dependency.
        parent: the actor whose manifest disagrees with the first.
        entry: its table.
        keys: what differs, inside the tables of both.
    """
    first = known.declarations[0]
    section = dotted(("actor_overrides", entry.name))
    named = together([f"`{dotted(key)}`" for key in keys])
    return sources.CONFLICTING_SETTINGS.at(
        _setting_span(entry, keys[0]),
        f"`{entry.name}` is shared, but with different {named}",
        label="differs here",
        labels=(Label(_setting_span(first, keys[0]), "from here"),),
        notes=("first reached by:\n" + chain(known), "then by:\n" + chain(parent, entry)),
        help=f"decide in `[{section}]` of the config: set {named} there",
    )


def _setting_span(entry: ActorEntry, key: KeyPath) -> Span:
    return entry.value(*key) if entry.document.has((*entry.path, *key)) else entry.header()


def _route(title: str, place: str | None, way: str) -> str:
    return f"{title}:\n{way}" + (f"\n  which is: {place}" if place else "")


def _telling_spans(*two: Source) -> list[Span]:
    """Where sources differ: at their refs if that is all, else at what they lead to."""
    only_refs = _differ_in_ref(*two)
    spans = []
    for source in two:
        at_ref = only_refs and isinstance(source, GitSource) and source.ref is not None
        spans.append(source.written.span("git_ref") if at_ref else source.span())
    return spans


def _differ_in_ref(one: Source, other: Source) -> bool:
    return (
        isinstance(one, GitSource)
        and isinstance(other, GitSource)
        and (one.git, one.sub_dir) == (other.git, other.sub_dir)
    )


def _are_one_repository(one: Source, other: Source) -> bool:
    """Whether two URLs name one host and path, by different transports."""
    if not (isinstance(one, GitSource) and isinstance(other, GitSource)):
        return False
    # Systems without git sources need nothing of git.
    from wasmind_compiler.resolution.git.url import GitUrl, read_git_url

    first, second = read_git_url(one.git), read_git_url(other.git)
    return (
        isinstance(first, GitUrl)
        and isinstance(second, GitUrl)
        and (first.host, first.path) == (second.host, second.path)
        and (first.scheme, first.place) != (second.scheme, second.place)
    )


def _unifying(first: Source, entry: ActorEntry) -> str:
    assert entry.source is not None
    if _differ_in_ref(first, entry.source):
        return "name the same `git_ref` in both manifests, or decide with an override's `source`"
    if _are_one_repository(first, entry.source):
        return "both URLs seem to lead to one repository: write the same in both manifests"
    section = dotted(("actor_overrides", entry.name))
    return f"decide with a `source` in `[{section}]`, or rename one of them"


def _settling_override(known: Found, config: Document) -> Fix | None:
    """An override that makes every manifest use the source that was met first."""
    table = known.source.written.table()
    if isinstance(known.source, PathSource):
        start = posixpath.dirname(config.file)
        if posixpath.isabs(known.place) != posixpath.isabs(start):
            return None
        table = {"path": posixpath.relpath(known.place, start or ".")}
    path = ("actor_overrides", known.name)
    return added_keys(config, path, [f"source = {literal(table)}"], f"use {known.source} for all")
