"""The resolved system: actors by logical name, and how they hang together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from wasmind.records import Record
from wasmind_compiler.diagnostics import Span
from wasmind_compiler.frontend.actor_entry import ActorEntry
from wasmind_compiler.frontend.app_config import AppConfig
from wasmind_compiler.frontend.manifest import Manifest
from wasmind_compiler.frontend.source import Source
from wasmind_compiler.frontend.tables import Name
from wasmind_compiler.resolution.layers import LayeredTable
from wasmind_compiler.resolution.provider import Identity


class ResolvedActor(Record):
    """An actor of the system with its settings merged.

    Attributes:
        entries: the tables that speak about it, lowest first: of depending manifests, of
            `[actors]`, of `[actor_overrides]`.
        source: the source that won.
        config: merged settings; without layers when nobody gave any.
        parent: the actor whose manifest led here first; None for the user's own actors.
        required: its companions as finally listed.
        spawn_with: all companions, those of companions included, sorted, without itself.
    """

    name: str
    entries: tuple[ActorEntry, ...]
    source: Source
    identity: Identity
    manifest: Manifest
    parent: str | None
    config: LayeredTable
    auto_spawn: bool
    required: tuple[Name, ...]
    spawn_with: tuple[str, ...]

    @property
    def is_dependency(self) -> bool:
        """Whether only manifests name it."""
        return self.parent is not None

    def span(self) -> Span:
        """Where problems of the actor as such are reported: at the table that is highest."""
        return self.entries[-1].header()


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What a config resolved to.

    Attributes:
        actors: by logical name, in the order of names.
        named: every logical name that was declared, resolved or not, to its actor_id, which is
            empty where it is unknown.
        complete: every manifest could be read, so no other names exist.
    """

    config: AppConfig
    actors: Mapping[str, ResolvedActor]
    named: Mapping[str, str]
    complete: bool

    @property
    def starting(self) -> tuple[str, ...]:
        """The root agent: starting and automatic actors, and all their companions."""
        return self.agent(name.text for name in self.config.starting_actors or ())

    def route(self, name: str) -> tuple[ActorEntry, ...]:
        """The tables by which an actor was first reached: an own actor's, then dependencies'."""
        steps: list[ActorEntry] = []
        at: str | None = name
        while at is not None:
            actor = self.actors[at]
            # Below the table of an own actor there may be that of a dependency it coincides with.
            own = [entry for entry in actor.entries if entry.section == "actors"]
            steps.append((own or actor.entries)[0])
            at = actor.parent
        return tuple(reversed(steps))

    def users_table(self, name: str) -> ActorEntry:
        """The table of the config that is closest to an actor: its own or its override, or that of
        the nearest actor above it that has one."""
        while True:
            actor = self.actors[name]
            if actor.parent is None or actor.entries[-1].section != "dependencies":
                return actor.entries[-1]
            name = actor.parent

    def declarations(self, name: str) -> Iterator[tuple[str, ActorEntry]]:
        """The tables of all manifests that declare an actor, each with the actor it is needed by.

        Only the first that was met is merged; the others agree with it, or have been reported.
        """
        for actor in self.actors.values():
            for entry in actor.manifest.dependencies:
                if entry.name == name:
                    yield actor.name, entry

    @cached_property
    def automatic(self) -> tuple[str, ...]:
        """Actors that join every agent."""
        return tuple(actor.name for actor in self.actors.values() if actor.auto_spawn)

    def agent(self, members: Iterable[str]) -> tuple[str, ...]:
        """All actors of an agent spawned from a list: with automatic actors and companions."""
        found: set[str] = set()
        for name in (*members, *self.automatic):
            if name in self.actors:
                found.update((name, *self.actors[name].spawn_with))
        return tuple(sorted(found))
