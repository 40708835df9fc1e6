"""Who may put whom into new agents, and which agents can come to be."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from wasmind.records import Record
from wasmind_compiler.analysis.annotations import Annotated, annotated, is_annotated, strings
from wasmind_compiler.build.artifact import Artifact
from wasmind_compiler.diagnostics import Collector, Span
from wasmind_compiler.diagnostics.rules import agents, names
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath, dotted
from wasmind_compiler.frontend.tables import Name
from wasmind_compiler.resolution.companions import (
    is_unknown,
    unknown_name_advice,
    unknown_name_fix,
)
from wasmind_compiler.resolution.graph import Resolution, ResolvedActor

_NAMING = frozenset({"actor", "actors"})


class SpawnList(Record):
    """Logical names that an actor puts into one new agent, and the setting that lists them.

    `path` is that of the setting in the owner's config; None for names from its contract. `span` is
    where the list stands in the owner's code, if no file of the config has it.
    """

    owner: str
    label: str
    members: tuple[str, ...]
    path: KeyPath | None = None
    span: Span | None = None


class Agent(Record):
    """A group of actors that can come to be: the root agent, or one made from a spawn list."""

    spawned_by: SpawnList | None
    members: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it is called in pictures and messages."""
        if self.spawned_by is None:
            return "root agent"
        return f"{self.spawned_by.owner}: {self.spawned_by.label}"


class Spawning(Record):
    """What one actor can spawn; `anything` when nobody can know."""

    lists: tuple[SpawnList, ...] = ()
    anything: bool = False


def read_spawning(
    actor: ResolvedActor,
    artifact: Artifact,
    capabilities: tuple[str, ...],
    resolution: Resolution,
    collector: Collector,
) -> Spawning:
    """What an actor can spawn, from its contract and settings; unknown names are reported."""
    contract = artifact.contract
    found = list(_in_code(actor, artifact))
    for each in found:
        for name in each.members:
            place = each.span or actor.source.span()
            _check(actor, name, place, None, resolution, collector)
    for part in annotated(actor.config.merged, contract.settings or {}):
        if part.kind in _NAMING:
            lists = list(_lists(actor, artifact, part))
            found += [each for each in lists if each.members]
            if "agent" in capabilities and not resolution.automatic:
                _report_empty(actor, lists, collector)
            for path, name in strings(part):
                place = span_of_setting(actor, artifact, path)
                origin = actor.config.origin(path)
                _check(actor, name, place, origin, resolution, collector)
    if "agent" not in capabilities:
        return Spawning()
    says = contract.spawns is not None or is_annotated(contract.settings, _NAMING)
    return Spawning(lists=tuple(found), anything=not says)


def possible_agents(
    resolution: Resolution, spawning: Mapping[str, Spawning]
) -> tuple[tuple[Agent, ...], frozenset[str]]:
    """The agents that can come to be, root first, and every actor that can be in one."""
    root = Agent(spawned_by=None, members=resolution.starting)
    possible = [root]
    # In the order they are met, so that agents are in the same order in every run.
    reached = dict.fromkeys(root.members)
    pending, anything = deque(root.members), False

    def reach(names: Iterable[str]) -> None:
        new = [name for name in names if name not in reached]
        reached.update(dict.fromkeys(new))
        pending.extend(new)

    while pending:
        spawns = spawning.get(pending.popleft(), Spawning())
        if spawns.anything and not anything:
            anything = True
            reach(resolution.actors)
        for each in spawns.lists:
            members = resolution.agent(each.members)
            possible.append(Agent(spawned_by=each, members=members))
            reach(members)
    return tuple(possible), frozenset(reached)


def span_of_setting(actor: ResolvedActor, artifact: Artifact, path: KeyPath) -> Span:
    """Where a setting is: in the file that sets it, else where the actor declares its default."""
    if actor.config.origin(path) is None:
        declared = artifact.span(artifact.contract.places.get(str(path[0])))
        if declared is not None:
            return declared
    return actor.config.value(path)


def _in_code(actor: ResolvedActor, artifact: Artifact) -> Iterator[SpawnList]:
    """The lists an actor brings along."""
    contract = artifact.contract
    for each in contract.agents:
        span = artifact.span(each.place)
        label = "spawns" if span is None else f"spawns (line {span.start.line})"
        yield SpawnList(actor.name, label, each.actors, None, span)
    if contract.spawns is not None and not contract.agents:
        yield SpawnList(actor.name, "spawns", contract.spawns)


def _lists(actor: ResolvedActor, artifact: Artifact, part: Annotated) -> Iterator[SpawnList]:
    if isinstance(part.value, dict):
        for key in part.value:
            inner = Annotated(part.kind, (*part.path, key), part.value[key])
            yield from _lists(actor, artifact, inner)
    else:
        members = tuple(name for _, name in strings(part))
        is_set = actor.config.origin(part.path) is not None
        span = None if is_set else span_of_setting(actor, artifact, part.path)
        yield SpawnList(actor.name, dotted(part.path), members, part.path, span)


def _report_empty(actor: ResolvedActor, lists: Iterable[SpawnList], collector: Collector) -> None:
    for each in lists:
        written = each.path is not None and actor.config.origin(each.path) is not None
        if each.path is not None and written and not each.members:
            collector.add(
                agents.EMPTY_AGENT.at(
                    actor.config.value(each.path),
                    f"`{actor.name}` would spawn an agent without actors: `{each.label}` is empty",
                    help="list the actors of the new agent",
                )
            )


def _check(
    actor: ResolvedActor,
    name: str,
    place: Span,
    origin: tuple[Document, KeyPath] | None,
    resolution: Resolution,
    collector: Collector,
) -> None:
    named = resolution.named
    if not is_unknown(name, named, complete=resolution.complete):
        return
    fix = None if origin is None else unknown_name_fix(Name(name, *origin), named)
    collector.add(
        names.UNKNOWN_SPAWNED_ACTOR.at(
            place,
            f"`{actor.name}` spawns `{name}`, which does not exist",
            help=unknown_name_advice(name, named),
            fix=fix,
        )
    )
