"""The component's exported resource: whatever actor the host put into `package`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wit_world.imports.actor import MessageEnvelope

from wasmind_actor import guest
from wasmind_actor.handlers import Envelope

if TYPE_CHECKING:
    import wasmind_actor

#: The actor this instance has become; a component is one actor.
_living: wasmind_actor.Actor[Any] | None = None


class Actor:
    """`wasmind:actor/actor.actor`; componentize-py finds it by module and class name."""

    def __init__(self, scope: str, config: str) -> None:
        global _living
        self._actor = _living = guest.start(scope, config)

    def handle_message(self, message: MessageEnvelope) -> None:
        """Deliver one message, for hosts that do not know `mailbox`."""
        deliver(
            message.id,
            message.message_type,
            message.from_actor_id,
            message.from_scope,
            message.payload,
        )

    def destructor(self) -> None:
        """Stop; called once, at shutdown."""
        self._actor.shut_down()


def deliver(
    id_: str, message_type: str, from_actor_id: str, from_scope: str, content: str | bytes
) -> None:
    """Hand a message to the actor."""
    assert _living is not None, "a message came before the actor was constructed"
    _living.handle(
        Envelope(
            id=id_,
            message_type=message_type,
            from_actor_id=from_actor_id,
            from_scope=from_scope,
            content=content,
        )
    )
