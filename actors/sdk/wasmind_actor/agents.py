"""Other agents: making them and finding one's place among them. Capability `agent`."""

from __future__ import annotations

from collections.abc import Sequence

from wasmind_actor import door
from wasmind_actor.chat import Scope


class SpawnError(Exception):
    """No agent was made; the text says why."""


def spawn(actors: Sequence[str], name: str) -> Scope:
    """Make a new agent below the own one; all its actors exist when this returns.

    Args:
        actors: logical names.
        name: what people see.

    Raises:
        SpawnError: nothing was started.
    """
    return door.host().spawn(actors, name)


def parent() -> Scope | None:
    """The agent that made the own one; None for the root."""
    return door.host().parent()


def parent_of(scope: Scope) -> Scope | None:
    """The agent that made `scope`; None for the root and for unknown scopes."""
    return door.host().parent_of(scope)
