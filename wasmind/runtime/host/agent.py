"""`agent`: start agents and look at the tree of scopes."""

from __future__ import annotations

from typing import Any, Final

from wasmind.runtime.abi import Err, Ok
from wasmind.runtime.errors import SpawnError
from wasmind.runtime.host.doing import doing
from wasmind.runtime.host.door import Host
from wasmind.runtime.host.interface import HostFunction, Interface


def _spawn(host: Host, actors: list[str], name: str) -> Ok | Err:
    try:
        with doing(host, f"starting the agent {name}"):
            return Ok(host.around.spawn(host, actors, name))
    except SpawnError as error:
        return Err(f"Failed to spawn agent: {error}")


def _refuse_spawn(reason: str) -> Any:
    return Err(f"Failed to spawn agent: {reason}")


def _parent(host: Host) -> str | None:
    return host.around.parent_of(host.scope)


def _parent_of(host: Host, scope: str) -> str | None:
    return host.around.parent_of(scope)


AGENT: Final = Interface(
    name="wasmind:actor/agent",
    capability="agent",
    functions={
        "spawn-agent": HostFunction(_spawn, _refuse_spawn, blocking=True),
        "get-parent-scope": HostFunction(_parent, lambda _reason: None),
        "get-parent-scope-of": HostFunction(_parent_of, lambda _reason: None),
    },
)
