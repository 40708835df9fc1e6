"""Who may put whom into new agents, and which agents can come to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wasmind_compiler.analysis.annotations import Annotated, annotated, is_annotated, strings
from wasmind_compiler.analysis.contract import Contract
from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.diagnostics.rules import names
from wasmind_compiler.frontend.key_path import KeyPath, dotted
from wasmind_compiler.resolution.companions import unknown_name_advice
from wasmind_compiler.resolution.graph import Resolution, ResolvedActor

_NAMING = frozenset({"actor", "actors"})


@dataclass(frozen=True, slots=True)
class SpawnList:
    """Logical names that an actor puts into one new agent, and the setting that lists them."""

    owner: str
    label: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A group of actors that can come to be: the root agent, or one made from a spawn list."""

    spawned_by: SpawnList | None
    members: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it is called in pictures and messages."""
        if self.spawned_by is None:
            return "root agent"
        return f"{self.spawned_by.owner}: {self.spawned_by.label}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawning:
    """What one actor can spawn; `anything` when nobody can know."""

    lists: tuple[SpawnList, ...] = ()
    anything: bool = False


def read_spawning(
    actor: ResolvedActor,
    contract: Contract,
    capabilities: tuple[str, ...],
    named: Mapping[str, str],
    collector: Collector,
) -> Spawning:
    """What an actor can spawn, from its contract and settings; unknown names are reported."""
    found: list[SpawnList] = []
    if contract.spawns is not None:
        found.append(SpawnList(actor.name, "spawns", contract.spawns))
        for name in contract.spawns:
            _check(actor, name, None, named, collector)
    for part in annotated(actor.config.merged, contract.settings or {}):
        if part.kind in _NAMING:
            found += _lists(actor.name, part)
            for path, name in strings(part):
                _check(actor, name, path, named, collector)
    if "agent" not in capabilities:
        return Spawning()
    says = contract.spawns is not None or is_annotated(contract.settings, _NAMING)
    return Spawning(lists=tuple(found), anything=not says)


def possible_agents(
    resolution: Resolution, spawning: Mapping[str, Spawning]
) -> tuple[tuple[Agent, ...], frozenset[str]]:
    """The agents that can come to be, root first, and every actor that can be in one."""
    root = Agent(spawned_by=None, members=resolution.starting)
    agents, pending = [root], list(root.members)
    reached: set[str] = set()
    while pending:
        name = pending.pop(0)
        if name in reached:
            continue
        reached.add(name)
        spawns = spawning.get(name, Spawning())
        if spawns.anything:
            pending += resolution.actors
        for each in spawns.lists:
            members = resolution.agent(each.members)
            agents.append(Agent(spawned_by=each, members=members))
            pending += members
    return tuple(agents), frozenset(reached)


def report_never_spawned(
    resolution: Resolution, reached: frozenset[str], collector: Collector
) -> None:
    """Report the user's own actors that no agent can contain."""
    for name, actor in resolution.actors.items():
        if name not in reached and not actor.is_dependency:
            help_line = f'add "{name}" to `starting_actors` or to a spawn list, or remove it'
            message = f"nothing spawns `{name}`"
            collector.add(names.NEVER_SPAWNED.at(actor.span(), message, help=help_line))


def _lists(owner: str, part: Annotated) -> Iterator[SpawnList]:
    label = dotted(part.path)
    if isinstance(part.value, dict):
        for key in part.value:
            yield from _lists(owner, Annotated(part.kind, (*part.path, key), part.value[key]))
    elif members := tuple(name for _, name in strings(part)):
        yield SpawnList(owner, label, members)


def _check(
    actor: ResolvedActor,
    name: str,
    path: KeyPath | None,
    named: Mapping[str, str],
    collector: Collector,
) -> None:
    if name not in named:
        span = actor.source.span() if path is None else actor.config.value(path)
        message = f"`{actor.name}` spawns `{name}`, which does not exist"
        help_line = unknown_name_advice(name, named)
        collector.add(names.UNKNOWN_SPAWNED_ACTOR.at(span, message, help=help_line))
