"""Resolution: from the config's tables to the actors of the system.

Names are flat: a logical name means one actor wherever it is used. A source that is overridden is
replaced before anything is loaded from it. The algorithm does no I/O; sources are injected.
"""

from __future__ import annotations

from collections.abc import Sequence

from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.frontend.actor_entry import ActorEntry
from wasmind_compiler.frontend.app_config import AppConfig
from wasmind_compiler.frontend.tables import Name
from wasmind_compiler.resolution.companions import (
    all_companions,
    check_author_list,
    check_companions,
)
from wasmind_compiler.resolution.doubts import report_doubtful_sources
from wasmind_compiler.resolution.found import Found
from wasmind_compiler.resolution.graph import Resolution, ResolvedActor
from wasmind_compiler.resolution.layers import Layer, LayeredTable
from wasmind_compiler.resolution.overrides import (
    report_lost_overrides,
    report_missing_sources,
    report_overridden_actors,
    report_overrides_of_nothing,
)
from wasmind_compiler.resolution.provider import SourceProvider
from wasmind_compiler.resolution.starting import check_starting
from wasmind_compiler.resolution.walk import Limits, Walk


def resolve(
    config: AppConfig,
    provider: SourceProvider,
    collector: Collector,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Resolution:
    """Resolve a config. What is wrong goes to the collector; what is right is in the result."""
    walk = Walk(config, provider, collector, limits)
    walk.run()
    # Only what has been reported as an error may keep others from being reported.
    walk.complete = walk.complete or not collector.failed
    report_overridden_actors(config, collector)
    report_missing_sources(walk, config, collector)
    report_lost_overrides(walk, config, collector)
    report_overrides_of_nothing(walk, collector)
    report_doubtful_sources(walk, collector)
    entries = {name: _entries(walk, found) for name, found in sorted(walk.found.items())}
    required = {name: _required(walk.found[name], entries[name]) for name in entries}
    named = {name: _actor_id(walk, name) for name in walk.named}
    lists = {**_lists_of_unresolved(walk, config), **required}
    check_companions(lists, named, complete=walk.complete, collector=collector)
    for name, found in walk.found.items():
        check_author_list(found, required[name], named, collector)
    companions = all_companions(required, limits.companions, collector)
    actors = {
        name: _resolved(walk.found[name], layers, required[name], companions[name])
        for name, layers in entries.items()
    }
    check_starting(
        config,
        named,
        complete=walk.complete,
        anyone_automatic=any(actor.auto_spawn for actor in actors.values()),
        collector=collector,
    )
    return Resolution(config=config, actors=actors, named=named, complete=walk.complete)


def _entries(walk: Walk, found: Found) -> tuple[ActorEntry, ...]:
    """The tables that speak about an actor, lowest first.

    Further declarations of a dependency agree with the first, or have been reported.
    """
    layers = found.declarations[:1]
    if found.is_own:
        layers.append(found.entry)
    if (override := walk.overrides.get(found.name)) is not None:
        layers.append(override)
    return tuple(layers)


def _required(found: Found, entries: Sequence[ActorEntry]) -> tuple[Name, ...]:
    for entry in entries[::-1]:
        # The list in a dependency table is reported and has no effect.
        if entry.section != "dependencies" and entry.required_spawn_with is not None:
            return entry.required_spawn_with
    return found.manifest.required_spawn_with


def _lists_of_unresolved(walk: Walk, config: AppConfig) -> dict[str, tuple[Name, ...]]:
    """Lists can be checked even where the actor itself could not be loaded."""
    return {
        entry.name: entry.required_spawn_with or ()
        for entry in (*config.actors, *walk.overrides.values())
        if entry.name not in walk.found
    }


def _actor_id(walk: Walk, name: str) -> str:
    found = walk.found.get(name)
    return found.manifest.actor_id if found is not None else ""


def _resolved(
    found: Found,
    entries: tuple[ActorEntry, ...],
    required: tuple[Name, ...],
    companions: tuple[str, ...],
) -> ResolvedActor:
    said = [entry.auto_spawn for entry in entries if entry.auto_spawn is not None]
    layers = [
        Layer(entry.document, (*entry.path, "config"), entry.config)
        for entry in entries
        if entry.config is not None
    ]
    top = entries[-1]
    return ResolvedActor(
        name=found.name,
        entries=entries,
        source=found.source,
        identity=found.identity,
        manifest=found.manifest,
        parent=found.parent.name if found.parent is not None else None,
        config=LayeredTable(layers, (top.document, top.path)),
        auto_spawn=said[-1] if said else False,
        required=required,
        spawn_with=companions,
    )
