"""The agents of a run and how they descend from each other. Pure bookkeeping."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from wasmind.plan import ROOT_SCOPE, RunPlan
from wasmind.runtime.errors import SpawnError
from wasmind.runtime.instance import Instance
from wasmind.runtime.messages import ADD_MESSAGE, STATUS_UPDATE, Envelope, short_id


@dataclass(slots=True)
class Agent:
    """A group of actor instances that share a scope.

    Attributes:
        preamble: what its members said until they were ready, which a restarted one has to learn.
        speaker: the member that says which status the agent is in, once one has.
        starting: it is not ready yet.
        room: how many generations of agents may still come below it.
    """

    scope: str
    name: str
    parent: str | None
    room: int
    instances: dict[str, Instance] = field(default_factory=dict)
    preamble: list[Envelope] = field(default_factory=list)
    speaker: str | None = None
    starting: bool = True
    exiting: bool = False


def speaks(instance: Instance, agent: Agent | None) -> bool:
    """Whether an actor holds its agent's conversation: by its contract, or by what it says."""
    actor = instance.actor
    if agent is not None and agent.speaker == actor.name:
        return True
    hears = any(handled.type == ADD_MESSAGE for handled in actor.handles or ())
    return hears and STATUS_UPDATE in (actor.emits or ())


class Agents:
    """All agents of a run. Safe to use from any thread.

    Args:
        deepest: how many generations below the root may be spawned.
        most: how many agents may live at once.
    """

    def __init__(self, deepest: int, most: int) -> None:
        self._deepest = deepest
        self._most = most
        self._lock = threading.Lock()
        self._alive: dict[str, Agent] = {}
        # Kept after an agent has ended: its parent can still be looked up, its scope never returns.
        self._parents: dict[str, str | None] = {}

    def open(self, name: str, parent: str | None, deepest: int | None = None) -> Agent:
        """A new agent without members; the root agent when it has no parent.

        Args:
            name: for people.
            parent: scope of the agent that spawns it.
            deepest: how many generations the spawning actor was granted, if that is limited.

        Raises:
            SpawnError: too deep, too many, or the parent is gone.
        """
        with self._lock:
            room = self._deepest
            if parent is not None:
                if parent not in self._alive or self._alive[parent].exiting:
                    raise SpawnError("the spawning agent is ending")
                room = self._alive[parent].room
                room = (room if deepest is None else min(room, deepest)) - 1
            if room < 0:
                raise SpawnError("agents are nested as deep as they may be (limit `agent.depth`)")
            if len(self._alive) >= self._most:
                raise SpawnError(f"at most {self._most} agents may live at once")
            agent = Agent(ROOT_SCOPE if parent is None else self._fresh(), name, parent, room)
            self._alive[agent.scope] = agent
            self._parents[agent.scope] = parent
            return agent

    def get(self, scope: str) -> Agent | None:
        """The living agent of that scope."""
        with self._lock:
            return self._alive.get(scope)

    def parent_of(self, scope: str) -> str | None:
        """The parent of a scope, also of one that has ended; None for the root and unknown ones."""
        with self._lock:
            return self._parents.get(scope)

    def leaving(self, scope: str) -> list[Agent]:
        """Mark an agent and its descendants as exiting; those newly marked, children first.

        The agent itself may have ended already.
        """
        with self._lock:
            found: list[Agent] = []
            self._mark(scope, found)
            return found

    def remove(self, instance: Instance) -> Agent | None:
        """Note that an instance is gone; its agent, if that was the last one of it."""
        with self._lock:
            agent = self._alive.get(instance.scope)
            if agent is None or agent.instances.get(instance.actor.name) is not instance:
                return None
            del agent.instances[instance.actor.name]
            if agent.instances:
                return None
            del self._alive[agent.scope]
            return agent

    def hears(self, scope: str, message_type: str) -> bool:
        """Whether a member of an agent that is alive handles what is sent to it."""
        agent = self.get(scope)
        members = () if agent is None else tuple(agent.instances.values())
        return any(
            each.actor.handles is None
            or any(handled.type == message_type for handled in each.actor.handles)
            for each in members
        )

    def discard(self, agent: Agent) -> None:
        """Forget an agent that could not be started."""
        with self._lock:
            self._alive.pop(agent.scope, None)

    def any_alive(self) -> bool:
        """Whether an agent lives or is being started."""
        with self._lock:
            return bool(self._alive)

    def instances(self) -> list[Instance]:
        """All living instances."""
        with self._lock:
            return [item for agent in self._alive.values() for item in agent.instances.values()]

    def _mark(self, scope: str, found: list[Agent]) -> None:
        agent = self._alive.get(scope)
        if agent is not None:
            if agent.exiting:
                return
            agent.exiting = True
        for child in list(self._alive.values()):
            if child.parent == scope:
                self._mark(child.scope, found)
        if agent is not None:
            found.append(agent)

    def _fresh(self) -> str:
        while (scope := short_id()) in self._parents or scope == ROOT_SCOPE:
            pass
        return scope


def members(plan: RunPlan, requested: list[str]) -> list[str]:
    """Logical names of a new agent: what was asked for, what joins every agent, and companions.

    Raises:
        SpawnError: a name the plan does not know.
    """
    known = {actor.name: actor for actor in plan.actors}
    for name in requested:
        if name not in known:
            raise SpawnError(f"Attempt to spawn non-existent actor: {name}")
    wanted = dict.fromkeys(requested)
    wanted.update(dict.fromkeys(actor.name for actor in plan.actors if actor.auto_spawn))
    for name in list(wanted):
        wanted.update(dict.fromkeys(known[name].spawn_with))
    return [name for name in known if name in wanted]
