"""The shared Python interpreter at the compiler's service: source to bytecode, actor to contract.

Nothing of the host can be reached while an actor describes itself: every capability is withheld.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wasmind.plan import Actor, Limits
from wasmind.runtime.abi import Err
from wasmind.runtime.engine import Engine, Report
from wasmind.runtime.errors import EngineError, SourceError, SpawnError
from wasmind.runtime.guest import Guest
from wasmind.runtime.host import INTERFACES
from wasmind.runtime.host.door import Host
from wasmind.runtime.linking import link

if TYPE_CHECKING:
    from wasmind.runtime.host.connections import Connections
    from wasmind.runtime.host.egress import Origin

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

    def credentials(self, scheme: str, host: str) -> Iterable[tuple[str, str]]:
        """There are no requests."""
        return ()

    def connections(self) -> Connections:
        """Requests are refused before they need one."""
        raise AssertionError("a guest without `http` made a request")

    def model_origins(self) -> Iterable[Origin]:
        """There are no models."""
        return ()

    def http_failed(self, host: Host, attempts: int) -> None:
        """There are no requests."""


class Interpreter:
    """Compiles and describes Python actors in the interpreter component.

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

    def compile(self, sources: Iterable[tuple[str, str]]) -> Iterator[bytes]:
        """The marshalled code objects of an actor's modules, one after the other.

        Args:
            sources: names and source texts.

        Raises:
            SourceError: the source that is next is no valid Python.
            GuestFailure: the interpreter failed.
        """
        with self._guest(()) as guest:
            for source in sources:
                answer = guest.call_contract("compile", source)
                if isinstance(answer, Err):
                    error = json.loads(answer.value)
                    raise SourceError(error["message"], error["line"], error["column"])
                yield answer.value

    def describe(self, modules: Sequence[tuple[str, bytes]]) -> str:
        """The contract of the actor made of `modules`, as JSON text.

        Raises:
            GuestFailure: its code cannot be imported or described; with the traceback.
        """
        with self._guest(modules) as guest:
            text = guest.call_contract("describe", [])
        if not isinstance(text, str):
            raise EngineError("the interpreter's `describe` returned no text")
        return text

    def close(self) -> None:
        """Stop the engine."""
        self._engine.close()

    def _guest(self, modules: Sequence[tuple[str, bytes]]) -> Guest:
        # Fresh instances for each actor, which sees no traces of another; and always the same ones,
        # because bytecode depends a little on what was compiled before.
        host = Host(self._actor, "", _Nowhere(), modules=tuple(modules))
        return Guest(self._engine, self._linked, host, _LIMITS)
