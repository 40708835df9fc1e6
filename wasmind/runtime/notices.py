"""What the host says in words: to people, to agents, and in the place of actors that cannot."""

from __future__ import annotations

from typing import Any

from wasmind.plan import ROOT_SCOPE, Actor
from wasmind.runtime import messages
from wasmind.runtime.agents import Agents
from wasmind.runtime.bus import Bus
from wasmind.runtime.host.door import Host
from wasmind.runtime.turns import Turns


class Notices:
    """Puts the host's own words on the bus."""

    def __init__(self, bus: Bus, agents: Agents) -> None:
        self._bus = bus
        self._agents = agents

    def say_as(self, actor: Actor, scope: str, message_type: str, payload: bytes) -> None:
        """A message in an actor's name."""
        self._bus.publish(
            id=messages.root_id(),
            message_type=message_type,
            from_actor_id=actor.actor_id,
            from_scope=scope,
            payload=payload,
            sender=actor.name,
        )

    def answer(self, actor: Actor, scope: str, call: Any, reason: str) -> None:
        """Answer a tool call with an error in the place of its actor, for the one who waits."""
        answer = messages.failed_tool_call(call, reason)
        if answer is not None:
            self.say_as(actor, scope, messages.TOOL_CALL_STATUS, answer)

    def tell_parent(self, scope: str, reason: str) -> None:
        """An agent may wait for this one: it has to learn that nothing comes."""
        parent = self._agents.parent_of(scope)
        if parent is not None:
            text = f"Agent {scope} could not go on: {reason}"
            self._bus.publish(
                id=messages.root_id(),
                message_type=messages.ADD_MESSAGE,
                from_actor_id=messages.COORDINATOR,
                from_scope=scope,
                payload=messages.system_message(parent, text),
            )

    def halt(self, actor: Actor, scope: str, turns: Turns) -> None:
        """Let an agent pause before it makes further calls: it has had all its turns.

        The root agent goes on when the user speaks, others when anybody speaks to them.
        """
        reason = f"the agent had {turns.most} turns for one message (limit `turns`) and was stopped"
        self._bus.publish(
            id=messages.root_id(),
            message_type=messages.QUEUE_STATUS,
            from_actor_id=messages.COORDINATOR,
            from_scope=ROOT_SCOPE,
            payload=messages.pause(scope, for_user=scope == ROOT_SCOPE),
        )
        self.tell_parent(scope, f"{reason}; the user has to speak first")
        if turns.first_time(scope):
            text = f"{reason}; send a message to let it go on"
            payload = messages.notification("Stopped", text, "Limits")
            self.say_as(actor, scope, messages.USER_NOTIFICATION, payload)

    def http_failed(self, host: Host, attempts: int, reason: str) -> None:
        """Tell the user that a request was given up after more than one attempt."""
        text = f"{reason}; gave up after {attempts} attempts"
        self._bus.publish(
            id="http-retry-failure",
            message_type=messages.USER_NOTIFICATION,
            from_actor_id=host.actor.actor_id,
            from_scope=host.scope,
            payload=messages.notification("HTTP Request Failed", text, "HTTP"),
            sender=host.actor.name,
        )
