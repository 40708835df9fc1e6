"""The agents of a system: actors that none can contain, and members that are missing or too many.

All of these are judgements about the system as a whole, so they are made only where everything in
it is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wasmind_compiler.analysis.annotations import is_annotated
from wasmind_compiler.analysis.contract import Contract
from wasmind_compiler.analysis.spawning import Agent
from wasmind_compiler.diagnostics import Collector, Label, Span
from wasmind_compiler.diagnostics.rules import agents, graph, names
from wasmind_compiler.resolution.graph import Resolution, ResolvedActor

_MODEL = frozenset({"model"})


def report_never_spawned(
    resolution: Resolution, reached: frozenset[str], collector: Collector
) -> None:
    """Report actors that no agent can contain.

    Args:
        resolution: the system.
        reached: the actors that some agent can contain.
        collector: takes the findings.
    """
    for name, actor in resolution.actors.items():
        if name in reached:
            continue
        if actor.parent is None:
            help_line = f'add "{name}" to `starting_actors` or to a spawn list, or remove it'
            message = f"nothing spawns `{name}`"
            collector.add(names.NEVER_SPAWNED.at(actor.span(), message, help=help_line))
        elif actor.parent in reached:
            # Below an actor that never runs this would only repeat the cause.
            collector.add(
                graph.UNUSED_DEPENDENCY.at(
                    actor.entries[0].header(),
                    f"`{actor.parent}` depends on `{name}`, but nothing spawns it",
                    help="add it to `required_spawn_with` or to a spawn list, or remove it",
                )
            )


def check_agents(
    resolution: Resolution,
    possible: Iterable[Agent],
    contracts: Mapping[str, Contract],
    collector: Collector,
) -> None:
    """Report agents with two actors of one kind, and spawn lists without an assistant."""
    models_are_asked = any(_asks_models(contract) for contract in contracts.values())
    for agent in possible:
        _report_same_kinds(resolution, agent, collector)
        if models_are_asked and not any(_may_ask_models(contracts[x]) for x in agent.members):
            _report_no_model(resolution, agent, collector)


def _report_same_kinds(resolution: Resolution, agent: Agent, collector: Collector) -> None:
    first: dict[str, ResolvedActor] = {}
    listed = [name for name in _listed(resolution, agent) if name in resolution.actors]
    for name in dict.fromkeys((*listed, *agent.members)):
        actor = resolution.actors[name]
        other = first.setdefault(actor.manifest.actor_id, actor)
        if other is not actor:
            collector.add(
                agents.SAME_KIND_TWICE.at(
                    _member_span(resolution, agent, actor),
                    f"`{other.name}` and `{name}` are both `{actor.manifest.actor_id}`"
                    " and join one agent",
                    labels=(Label(_member_span(resolution, agent, other), "the other one"),),
                    notes=(f"they meet in: {agent.title}",),
                    help="take one of them out, unless the actor is made for this",
                )
            )


def _report_no_model(resolution: Resolution, agent: Agent, collector: Collector) -> None:
    made_by = agent.spawned_by
    if made_by is None or made_by.path is None:
        return
    collector.add(
        agents.AGENT_WITHOUT_MODEL.at(
            made_by.span or resolution.actors[made_by.owner].config.value(made_by.path),
            f"no actor of the agent that `{made_by.owner}` spawns asks a model",
            notes=("its actors: " + ", ".join(f"`{name}`" for name in agent.members),),
            help="add an assistant",
        )
    )


def _listed(resolution: Resolution, agent: Agent) -> Sequence[str]:
    """The names in the list that an agent is made from, in the order written."""
    if agent.spawned_by is not None:
        return agent.spawned_by.members
    return [name.text for name in resolution.config.starting_actors or ()]


def _member_span(resolution: Resolution, agent: Agent, actor: ResolvedActor) -> Span:
    """Where a member enters an agent: in the list that names it, else at its own table."""
    made_by = agent.spawned_by
    if made_by is None:
        for name in resolution.config.starting_actors or ():
            if name.text == actor.name:
                return name.span()
    elif made_by.path is not None and actor.name in made_by.members:
        path = (*made_by.path, made_by.members.index(actor.name))
        return made_by.span or resolution.actors[made_by.owner].config.value(path)
    return actor.span()


def _asks_models(contract: Contract) -> bool:
    return is_annotated(contract.settings, _MODEL)


def _may_ask_models(contract: Contract) -> bool:
    # Whoever can send requests, or says nothing about its settings, may ask one unannounced.
    return contract.settings is None or "http" in contract.capabilities or _asks_models(contract)
