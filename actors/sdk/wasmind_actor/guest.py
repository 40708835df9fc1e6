"""Inside a component: from the host's imports to one running actor."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from wit_world.imports import package

from wasmind_actor import contract, door
from wasmind_actor.actor import Actor
from wasmind_actor.guest_host import GuestHost, bytes_of
from wasmind_actor.modules import ActorModules

#: Modules of the interpreter itself, which make room for the actor's.
_INTERPRETER: Final = ("actor", "app", "heap", "preload", "rehearsal", "sockets", "zones")


@cache
def modules() -> ActorModules:
    """The modules the host handed over, importable from now on."""
    for name in _INTERPRETER:
        sys.modules.pop(name, None)
    handed_over = package.modules()
    found = ActorModules({name: bytes_of(code) for name, code in handed_over})
    found.install()
    return found


@cache
def entry() -> type[Actor[Any]]:
    """The class of the actor in the component."""
    return modules().entry()


def start(scope: str, config: str) -> Actor[Any]:
    """Bring that actor to life."""
    with _no_exit():
        return entry()(scope, config)


def describe() -> str:
    """The contract of that actor, whose modules may not ask for anything meanwhile."""
    door.install(None)
    with _no_exit():
        return contract.describe(modules())


@contextmanager
def _no_exit() -> Iterator[None]:
    """Make `sys.exit` an error like others: it would end the interpreter without a traceback."""
    try:
        yield
    except SystemExit as error:
        raise RuntimeError(
            "the actor called `sys.exit`, but actors end with their agent"
        ) from error


door.install(GuestHost())
