"""Why a system is what it is: where a setting comes from, and why an actor is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wasmind_compiler.analysis.annotations import annotated, default_of, strings, with_defaults
from wasmind_compiler.analysis.spawning import span_of_setting
from wasmind_compiler.analysis.system import System
from wasmind_compiler.diagnostics import Span
from wasmind_compiler.frontend.actor_entry import ActorEntry
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath, dotted, value_at
from wasmind_compiler.resolution.graph import Resolution, ResolvedActor


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one layer says about a key. `place` is the table it stands in, as written there."""

    value: Any
    span: Span
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingOrigin:
    """The layers that give a key a value, lowest first: the last one wins.

    `default` is what the actor takes when no layer speaks, and `declared` where it says so; None if
    it publishes none.
    """

    path: str
    layers: tuple[Said, ...]
    default: Any = None
    declared: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One reason for an actor to be there. `by` is the actor that asks for it, if one does."""

    text: str
    span: Span
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Why an actor is in the system.

    Attributes:
        name: its logical name.
        declared: where it is declared, by the chain of manifests that leads there.
        shared: the other manifests that declare it.
        chain: from what starts with the first agent to the actor; empty if nothing spawns it.
        reasons: all reasons for it, those of the chain included.
        possible: actors that may spawn it, as nobody can know whom they spawn.
    """

    name: str
    declared: tuple[Step, ...]
    shared: tuple[Step, ...]
    chain: tuple[Step, ...]
    reasons: tuple[Step, ...]
    possible: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOrigin:
    """A model of a config.

    Attributes:
        kind: like `scripted`.
        declared: where.
        users: settings of actors that name it, each with its value's place.
    """

    name: str
    kind: str
    declared: Span
    users: tuple[tuple[str, Span], ...]


def setting_origins(system: System, actor: ResolvedActor, path: KeyPath) -> list[SettingOrigin]:
    """The origin of a key of an actor's table, or of every key below it.

    Args:
        system: the linked system.
        actor: the actor.
        path: like `("config", "model_name")`.
    """
    layers = list(_layers(actor))
    if path[0] == "config":
        # What an upper layer replaced as a whole is not part of the result.
        values = [value_at(_effective(system, actor), path[1:])]
    else:
        values = [document.at((*base, *path)) for document, base in layers]
    leaves: dict[KeyPath, None] = {}
    for value in values:
        if value is not None:
            leaves.update(dict.fromkeys(_leaves(value, path)))
    return [_origin(system, actor, leaf, layers) for leaf in leaves or {path: None}]


def _origin(
    system: System, actor: ResolvedActor, path: KeyPath, layers: list[tuple[Document, KeyPath]]
) -> SettingOrigin:
    said = tuple(_said(layers, path))
    if said:
        # What no merged layer speaks about is no part of the result, whoever else does.
        said = (*_said(_shared(system, actor), path), *said)
    default = _default(system, actor, path)
    return SettingOrigin(
        path=dotted((actor.name, *path)),
        layers=said,
        default=default,
        declared=None if default is None else _declared_at(system, actor, path),
    )


def _said(layers: Iterable[tuple[Document, KeyPath]], path: KeyPath) -> Iterator[Said]:
    for document, base in layers:
        if document.at((*base, *path)) is not None and _speaks(base, path):
            yield Said(
                value=document.at((*base, *path)),
                span=document.value((*base, *path)),
                place=f"[{dotted(base)}]" if base else "top of the manifest",
            )


def _layers(actor: ResolvedActor) -> Iterator[tuple[Document, KeyPath]]:
    yield actor.manifest.document, ()
    for entry in actor.entries:
        yield entry.document, entry.path


def _shared(system: System, actor: ResolvedActor) -> list[tuple[Document, KeyPath]]:
    """Tables of manifests that were not merged, because another one was met first."""
    merged = {(entry.document, entry.path) for entry in actor.entries}
    declared = system.resolution.declarations(actor.name)
    # An actor under two names has one manifest.
    places = dict.fromkeys((entry.document, entry.path) for _, entry in declared)
    return [place for place in places if place not in merged]


def _speaks(base: KeyPath, path: KeyPath) -> bool:
    """Whether a key has a meaning in a table: the manifest itself only names companions, and those
    a dependency table names are ignored."""
    companions = path[:1] == ("required_spawn_with",)
    return companions if not base else not (companions and base[0] == "dependencies")


def _leaves(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    else:
        yield path


def _default(system: System, actor: ResolvedActor, path: KeyPath) -> Any:
    if path[:1] != ("config",):
        return None
    root = _schema(system, actor)
    default = value_at(with_defaults({}, root), path[1:])
    if default is not None:
        return default
    # Of a part of a table that has none as a whole.
    schema: Any = root
    for part in path[1:]:
        schema = schema.get("properties", {}).get(part, {}) if isinstance(schema, dict) else {}
    return default_of(schema, root)


def _effective(system: System, actor: ResolvedActor) -> Any:
    """The settings of an actor, those included that nobody sets."""
    return with_defaults(actor.config.merged, _schema(system, actor))


def _schema(system: System, actor: ResolvedActor) -> Mapping[str, Any]:
    linked = system.actors.get(actor.name)
    return {} if linked is None else linked.artifact.contract.settings or {}


def _declared_at(system: System, actor: ResolvedActor, path: KeyPath) -> Span | None:
    artifact = system.actors[actor.name].artifact
    return artifact.span(artifact.contract.places.get(str(path[1])) if len(path) > 1 else None)


def presence(system: System, name: str) -> Presence:
    """Why an actor of the system is there."""
    resolution = system.resolution
    reasons = {each: tuple(_reasons(system, each)) for each in resolution.actors}
    shared = (
        _dependency(by, entry)
        for by, entry in resolution.declarations(name)
        if by != resolution.actors[name].parent
    )
    return Presence(
        name=name,
        declared=tuple(_declared(resolution, name)),
        shared=tuple(shared),
        chain=_chain(reasons, name),
        reasons=reasons[name],
        possible=tuple(
            actor.name
            for actor in system.actors.values()
            if actor.spawning.anything and actor.name in system.reached and actor.name != name
        ),
    )


def model_origin(system: System, name: str) -> ModelOrigin | None:
    """Where a model is declared and who uses it; None if there is none of that name."""
    config = system.resolution.config
    for model in config.models:
        if model.name.text == name:
            declared = model.name.document.header(model.name.path)
            return ModelOrigin(
                name=name, kind=model.kind, declared=declared, users=tuple(_users(system, name))
            )
    for proxied in config.proxied_models:
        if proxied.name.text == name:
            return ModelOrigin(
                name=name,
                kind="litellm",
                declared=proxied.name.span(),
                users=tuple(_users(system, name)),
            )
    return None


def _users(system: System, name: str) -> Iterator[tuple[str, Span]]:
    for actor in system.actors.values():
        config = actor.resolved.config
        for part in annotated(config.merged, actor.artifact.contract.settings or {}):
            for path, member in strings(part) if part.kind == "model" else ():
                if member == name:
                    yield dotted((actor.name, "config", *path)), config.value(path)


def _declared(resolution: Resolution, name: str) -> Iterator[Step]:
    for entry in resolution.route(name):
        parent = resolution.actors[entry.name].parent
        if parent is None:
            text = f"`{entry.name}` is an actor of the config"
            yield Step(text=text, span=entry.header())
        else:
            yield _dependency(parent, entry)


def _dependency(by: str, entry: ActorEntry) -> Step:
    return Step(text=f"`{by}` depends on `{entry.name}`", span=entry.header(), by=by)


def _reasons(system: System, name: str) -> Iterator[Step]:
    resolution = system.resolution
    for starting in resolution.config.starting_actors or ():
        if starting.text == name:
            yield Step(text=f"`{name}` is a starting actor", span=starting.span())
    actor = resolution.actors[name]
    for entry in reversed(actor.entries):
        if actor.auto_spawn and entry.auto_spawn:
            yield Step(text=f"`{name}` joins every agent", span=entry.key("auto_spawn"))
            break
    for other in resolution.actors.values():
        for member in other.required:
            if member.text == name and other.name != name:
                text = f"`{other.name}` requires `{name}`"
                yield Step(text=text, span=member.span(), by=other.name)
        yield from _spawn_lists(system, other, name)


def _spawn_lists(system: System, other: ResolvedActor, name: str) -> Iterator[Step]:
    linked = system.actors.get(other.name)
    if linked is None:
        return
    contract = linked.artifact.contract
    for part in annotated(other.config.merged, contract.settings or {}):
        for path, member in strings(part) if part.kind in ("actor", "actors") else ():
            if member == name:
                text = f"`{other.name}` spawns `{name}`"
                span = span_of_setting(other, linked.artifact, path)
                yield Step(text=text, span=span, by=other.name)
    for spawned in contract.agents:
        span = linked.artifact.span(spawned.place) or other.source.span()
        if name in spawned.actors:
            yield Step(text=f"`{other.name}` spawns `{name}`", span=span, by=other.name)
    if contract.agents:
        return
    if name in (contract.spawns or ()):
        text = f"`{other.name}` spawns `{name}` by itself"
        yield Step(text=text, span=other.source.span(), by=other.name)


def _chain(reasons: Mapping[str, tuple[Step, ...]], name: str) -> tuple[Step, ...]:
    """The shortest way from an actor that needs nobody to this one."""
    pending: list[tuple[str, tuple[Step, ...]]] = [(name, ())]
    seen = {name}
    while pending:
        current, behind = pending.pop(0)
        for step in reasons.get(current, ()):
            if step.by is None:
                return (step, *behind)
            if step.by not in seen:
                seen.add(step.by)
                pending.append((step.by, (step, *behind)))
    return ()
