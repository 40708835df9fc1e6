"""Knows who works for whom in a delegation network; its manifest is what puts one together."""

from __future__ import annotations

from wasmind_actor import Actor, Envelope, Scope, agents, log, on
from wasmind_actor.library import DelegatedAgentSpawned
from wasmind_actor.messages import StatusUpdate
from wasmind_actor.status import Done


class DelegationNetworkCoordinator(Actor):
    """Keeps the tree of agents that are at work, and logs how it changes.

    Attributes:
        children: agent to the agents below it that are at work.
    """

    children: dict[Scope, set[Scope]]

    def start(self) -> None:
        """Nobody works for anybody yet."""
        self.children = {self.scope: set()}

    @on(DelegatedAgentSpawned, reach="any")
    def agent_spawned(self, message: DelegatedAgentSpawned) -> None:
        """Somebody has a new subordinate."""
        parent = agents.parent_of(message.agent_id)
        self.children.setdefault(message.agent_id, set())
        if parent is not None:
            self.children.setdefault(parent, set()).add(message.agent_id)
        log.info(f"{message.agent_type} {message.agent_id} works for {parent}; {self._count()}")

    @on(StatusUpdate, reach="any")
    def status_changed(self, message: StatusUpdate, envelope: Envelope) -> None:
        """An agent that is done leaves the tree."""
        scope = envelope.from_scope
        if not isinstance(message.status, Done) or scope not in self.children:
            return
        del self.children[scope]
        for below in self.children.values():
            below.discard(scope)
        log.info(f"{scope} is done; {self._count()}")

    def _count(self) -> str:
        return f"{len(self.children) - 1} agents at work"
