"""A topology in the formats of `wasmind graph`. Every text ends in a newline."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final

from wasmind.visible import json_visible
from wasmind_compiler.emit.topology import Member, Topology

#: In this order, so that what is written stays as it is.
_MERMAID: Final = {"#": "#35;", "&": "&amp;", '"': "&quot;", "<": "&lt;", "`": "#96;"}


def to_json(topology: Topology) -> str:
    """For programs."""
    return json_visible(json.dumps(asdict(topology), indent=2, ensure_ascii=False)) + "\n"


def to_dot(topology: Topology) -> str:
    """For Graphviz."""
    import graphviz

    drawing = graphviz.Digraph(
        "wasmind",
        graph_attr={
            "label": graphviz.escape(topology.name),
            "labelloc": "t",
            "rankdir": "LR",
            "compound": "true",
            "fontname": "Helvetica",
        },
        node_attr={"shape": "box", "style": "rounded", "fontname": "Helvetica", "fontsize": "11"},
        edge_attr={"fontname": "Helvetica", "fontsize": "9"},
    )
    for number, agent in enumerate(topology.agents):
        with drawing.subgraph(name=f"cluster_{number}") as cluster:
            cluster.attr(label=graphviz.escape(agent.title), style="rounded", color="gray50")
            for member in agent.members:
                cluster.node(_node(number, member), label=_dot_label(member))
    for parent, child in _spawn_edges(topology):
        agent, made = topology.agents[parent[0]], topology.agents[child]
        if made.members:
            drawing.edge(
                _node(parent[0], agent.members[parent[1]]),
                _node(child, made.members[0]),
                label=graphviz.escape(f"spawns {made.setting}"),
                lhead=f"cluster_{child}",
                style="dashed",
            )
    return str(drawing.source)


def to_mermaid(topology: Topology) -> str:
    """For Markdown."""
    lines = ["flowchart LR"]
    for number, agent in enumerate(topology.agents):
        lines.append(f'  subgraph agent{number}["{_mermaid_text(agent.title)}"]')
        for index, member in enumerate(agent.members):
            text = "<br/>".join(_mermaid_text(line) for line in _lines(member))
            lines.append(f'    agent{number}_{index}["{text}"]')
        lines.append("  end")
    for (number, index), child in _spawn_edges(topology):
        label = _mermaid_text(f"spawns {topology.agents[child].setting}")
        lines.append(f'  agent{number}_{index} -. "{label}" .-> agent{child}')
    return "\n".join(lines) + "\n"


def _spawn_edges(topology: Topology) -> list[tuple[tuple[int, int], int]]:
    """Edges from (agent, member) to the agents made: from the first place the spawner is in."""
    places: dict[str, tuple[int, int]] = {}
    for number, agent in enumerate(topology.agents):
        for index, member in enumerate(agent.members):
            places.setdefault(member.name, (number, index))
    return [
        (places[agent.spawned_by], number)
        for number, agent in enumerate(topology.agents)
        if agent.spawned_by in places
    ]


def _lines(member: Member) -> list[str]:
    lines = [member.name, member.actor_id]
    if member.capabilities:
        lines.append("can: " + ", ".join(member.capabilities))
    if member.reasons:
        lines.append("here: " + ", ".join(member.reasons))
    return lines


def _node(number: int, member: Member) -> str:
    # Colons would be read as ports.
    return f"{number}/{member.name}".replace(":", "_")


def _dot_label(member: Member) -> str:
    import graphviz

    return "\\n".join(graphviz.escape(line) for line in _lines(member))


def _mermaid_text(text: str) -> str:
    """Text for a label in quotes.

    A backtick at its beginning would start Markdown, and `#…;` is how Mermaid writes characters.
    """
    for character, written in _MERMAID.items():
        text = text.replace(character, written)
    return text
