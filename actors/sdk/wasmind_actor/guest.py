"""Inside a component: from the host's imports to one running actor."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any, Final

from wit_world.imports import package
from wit_world.imports.actor import MessageEnvelope

from wasmind_actor import contract, door
from wasmind_actor.actor import Actor
from wasmind_actor.guest_host import GuestHost
from wasmind_actor.handlers import Envelope
from wasmind_actor.modules import ActorModules

#: Modules of the interpreter itself, which make room for the actor's.
_INTERPRETER: Final = ("actor", "app", "heap", "preload", "rehearsal")


@cache
def modules() -> ActorModules:
    """The modules the host handed over, importable from now on."""
    for name in _INTERPRETER:
        sys.modules.pop(name, None)
    found = ActorModules(dict(package.modules()))
    found.install()
    return found


@cache
def entry() -> type[Actor[Any]]:
    """The class of the actor in the component."""
    return modules().entry()


def describe() -> str:
    """The contract of that actor."""
    return contract.describe(modules())


def envelope(message: MessageEnvelope) -> Envelope:
    """A message as it comes from the host, in our own words."""
    return Envelope(
        id=message.id,
        message_type=message.message_type,
        from_actor_id=message.from_actor_id,
        from_scope=message.from_scope,
        payload=message.payload,
    )


door.install(GuestHost())
