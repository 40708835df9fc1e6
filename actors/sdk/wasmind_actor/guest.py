"""Inside a component: from the host's imports to one running actor."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from wit_world.imports import package

from wasmind_actor.actor import Actor
from wasmind_actor.modules import ActorModules

_INTERPRETER = ("actor", "app", "preload")


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
    """The class of the actor."""
    return modules().entry()


def describe() -> str:
    return entry().__name__


def envelope(message: Any) -> Any:
    return message
