"""Tools that models are offered: within one agent every name may mean one tool only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wasmind_compiler.analysis.contract import Contract
from wasmind_compiler.analysis.spawning import Agent
from wasmind_compiler.diagnostics import Collector, Label
from wasmind_compiler.diagnostics.rules import contracts
from wasmind_compiler.resolution.graph import ResolvedActor


def check_tools(
    agents: Iterable[Agent],
    actors: Mapping[str, ResolvedActor],
    described: Mapping[str, Contract],
    collector: Collector,
) -> None:
    """Report tools of one name that would meet in one agent."""
    for agent in agents:
        offered: dict[str, str] = {}
        for member in agent.members:
            for tool in described[member].tools or () if member in described else ():
                other = offered.setdefault(tool.name, member)
                if other != member:
                    _report(tool.name, agent, actors[other], actors[member], collector)


def _report(
    tool: str, agent: Agent, first: ResolvedActor, second: ResolvedActor, collector: Collector
) -> None:
    collector.add(
        contracts.TOOL_NAME_CLASH.at(
            second.span(),
            f"`{first.name}` and `{second.name}` both offer the tool `{tool}` in one agent",
            labels=(Label(first.span(), "offers it too"),),
            notes=(f"they meet in: {agent.title}",),
            help="take one of them out of the agent",
        )
    )
