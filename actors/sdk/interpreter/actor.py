"""The component's exported resource: whatever actor the host put into `package`."""

from __future__ import annotations

from wit_world.imports.actor import MessageEnvelope

from wasmind_actor import guest


class Actor:
    """`wasmind:actor/actor.actor`; componentize-py finds it by module and class name."""

    def __init__(self, scope: str, config: str) -> None:
        self._actor = guest.entry()(scope, config)

    def handle_message(self, message: MessageEnvelope) -> None:
        """Deliver one message."""
        self._actor.handle(guest.envelope(message))

    def destructor(self) -> None:
        """Stop; called once, at shutdown."""
        self._actor.shut_down()
