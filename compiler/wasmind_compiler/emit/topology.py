"""The shape of a system: agents, the actors in them, and why each is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wasmind_compiler.analysis.spawning import Agent
from wasmind_compiler.analysis.system import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An actor inside one agent.

    `reasons` say why it is there: `starting`, `auto_spawn`, `required by …`, `spawnable`,
    and `dependency of …` for actors that only manifests name.
    """

    name: str
    actor_id: str
    source: str
    capabilities: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """An agent: the root agent, or one that `spawned_by` can make from the list in `setting`."""

    title: str
    spawned_by: str | None
    setting: str | None
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """A whole system."""

    name: str
    agents: tuple[Cluster, ...]


def make_topology(system: System) -> Topology:
    """The shape of a system."""
    agents = tuple(_cluster(system, agent) for agent in system.agents)
    return Topology(name=system.name, agents=agents)


def _cluster(system: System, agent: Agent) -> Cluster:
    made = agent.spawned_by
    return Cluster(
        title=agent.title,
        spawned_by=made.owner if made else None,
        setting=made.label if made else None,
        members=tuple(
            _member(system, agent, name) for name in agent.members if name in system.actors
        ),
    )


def _member(system: System, agent: Agent, name: str) -> Member:
    actor = system.actors[name]
    return Member(
        name=name,
        actor_id=actor.resolved.manifest.actor_id,
        source=str(actor.resolved.source),
        capabilities=actor.granted.capabilities,
        reasons=tuple(_reasons(system, agent, name)),
    )


def _reasons(system: System, agent: Agent, name: str) -> Iterator[str]:
    actors = system.resolution.actors
    if agent.spawned_by is None:
        starting = system.resolution.config.starting_actors or ()
        if name in {each.text for each in starting}:
            yield "starting"
    elif name in agent.spawned_by.members:
        yield "spawnable"
    if actors[name].auto_spawn:
        yield "auto_spawn"
    for other in agent.members:
        if name in {each.text for each in actors[other].required} and other != name:
            yield f"required by {other}"
    if (parent := actors[name].parent) is not None:
        yield f"dependency of {parent}"
