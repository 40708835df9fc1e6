"""The shared Python interpreter at the compiler's service: source to bytecode, actor to contract.

Nothing of the host can be reached while an actor describes itself: every capability is withheld.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wasmind.plan import Actor, Limits
from wasmind.runtime.abi import Err
from wasmind.runtime.credentials import Sealed
from wasmind.runtime.engine import Engine, Report
from wasmind.runtime.errors import EngineError, SourceError, SpawnError
from wasmind.runtime.guest import Guest
from wasmind.runtime.host import INTERFACES
from wasmind.runtime.host.door import Host
from wasmind.runtime.linking import link

if TYPE_CHECKING:
    from wasmind.runtime.events import HttpRetry
    from wasmind.runtime.host.connections import Connections
    from wasmind.runtime.host.egress import Address
    from wasmind.runtime.host.launch import Launchers
    from wasmind.runtime.host.models import ModelGateway

_LIMITS: Final = Limits(memory_mib=256, compute_seconds=20.0)


class _Nowhere:
    """The surroundings of a guest that is only asked questions."""

    def broadcast(self, host: Host, message_type: str, payload: bytes) -> None:
        """Nobody listens."""

    def log(self, host: Host, level: str, text: str) -> None:
        """Nobody reads it."""

    def spawn(self, host: Host, actors: list[str], name: str) -> str:
        """There is no system to spawn in."""
        raise SpawnError("not while an actor is described")

    def parent_of(self, scope: str) -> str | None:
        """There are no scopes."""
        return None

    def blocked(self) -> AbstractContextManager[None]:
        """There are no workers."""
        return nullcontext()

    def slot(self, limit: str) -> AbstractContextManager[bool]:
        """Nothing runs from here."""
        return nullcontext(enter_result=False)

    def credentials(self, scheme: str, host: str, address: Address) -> Sealed:
        """There are no requests."""
        return Sealed()

    def masked(self, text: str) -> str:
        """There are no secrets."""
        return text

    def masked_bytes(self, data: bytes) -> bytes:
        """There are no secrets."""
        return data

    def connections(self) -> Connections:
        """Requests are refused before they need one."""
        raise AssertionError("a guest without `http` made a request")

    def launchers(self) -> Launchers:
        """Commands are refused before they need one."""
        raise AssertionError("a guest without `command` ran a command")

    def models(self) -> ModelGateway | None:
        """There are no models."""
        return None

    def http_retry(self, host: Host, retry: HttpRetry) -> None:
        """There are no requests."""

    def http_failed(self, host: Host, attempts: int, reason: str) -> None:
        """There are no requests."""


class Interpreter:
    """The interpreter component, ready for any number of sessions.

    Args:
        component: the interpreter's file.
        digest: its sha256 in hex.
        cache: the user's cache folder, for native code.
        report: called before a compilation to native code that takes seconds.
    """

    def __init__(
        self, component: Path, digest: str, cache: Path, report: Report | None = None
    ) -> None:
        self._engine = Engine(cache, report)
        self._linked = link(
            self._engine.native, self._engine.component(component, digest), INTERFACES
        )
        self._actor = Actor(name="interpreter", actor_id="wasmind:interpreter", component=digest)

    def session(self) -> Session:
        """A fresh instance, for one actor: it sees no traces of another, and bytecode, which
        depends a little on what the same instance compiled before, is always the same.
        """
        host = Host(self._actor, "", _Nowhere())
        return Session(Guest(self._engine, self._linked, host, _LIMITS, weighed=False))

    def close(self) -> None:
        """Stop the engine."""
        self._engine.close()


class Session:
    """Compiles the modules of one actor, then describes it. Used by one thread at a time."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._guest.close()

    def compile(self, name: str, source: str) -> bytes:
        """The marshalled code object of a module.

        Raises:
            SourceError: the source is no valid Python.
            GuestFailure: the interpreter failed.
        """
        answer = self._guest.call_contract("compile", (name, source))
        if isinstance(answer, Err):
            error = json.loads(answer.value)
            raise SourceError(error["message"], error["line"], error["column"])
        code: bytes = answer.value
        return code

    def describe(self, modules: Sequence[tuple[str, bytes]]) -> str:
        """The contract of the actor made of `modules`, names and code objects, as JSON text.

        Raises:
            GuestFailure: its code cannot be imported or described; with the traceback.
        """
        self._guest.host.modules = tuple(modules)
        text = self._guest.call_contract("describe", [])
        if not isinstance(text, str):
            raise EngineError("the interpreter's `describe` returned no text")
        return text
