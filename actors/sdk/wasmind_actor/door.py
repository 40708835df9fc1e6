"""The one place where this library meets the host: imports of the component, or a fake in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasmind_actor.command import Command, Output
    from wasmind_actor.files import Entry, Stat
    from wasmind_actor.host import OsInfo
    from wasmind_actor.http import Request, Response
    from wasmind_actor.log import Level


class Host(Protocol):
    """What a host does for an actor. Errors are those of the capability modules."""

    def broadcast(self, message_type: str, payload: str) -> None:
        """Send a message, JSON text, to everybody; BroadcastError if it cannot be sent."""

    def log(self, level: Level, text: str) -> None:
        """Write a line to the host's log."""

    def send(self, request: Request) -> Response:
        """See `wasmind_actor.http`."""

    def run(self, command: Command) -> Output:
        """See `wasmind_actor.command`."""

    def spawn(self, actors: Sequence[str], name: str) -> str:
        """See `wasmind_actor.agents`."""

    def parent(self) -> str | None:
        """See `wasmind_actor.agents`."""

    def parent_of(self, scope: str) -> str | None:
        """See `wasmind_actor.agents`."""

    def working_directory(self) -> str:
        """See `wasmind_actor.host`."""

    def os_info(self) -> OsInfo:
        """See `wasmind_actor.host`."""

    def read(self, path: str) -> bytes:
        """See `wasmind_actor.files`."""

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        """See `wasmind_actor.files`."""

    def write(self, path: str, content: bytes) -> None:
        """See `wasmind_actor.files`."""

    def stat(self, path: str) -> Stat:
        """See `wasmind_actor.files`."""

    def entries(self, path: str) -> tuple[Entry, ...]:
        """See `wasmind_actor.files`."""

    def make_folder(self, path: str) -> None:
        """See `wasmind_actor.files`."""

    def remove(self, path: str) -> None:
        """See `wasmind_actor.files`."""


_host: Host | None = None


def install(host: Host | None) -> None:
    """Make `host` the one all actors of this interpreter talk to, across the border."""
    global _host
    # Here, because it knows the capability modules, which import this one.
    from wasmind_actor.border import Border

    _host = None if host is None else Border(host)


def host() -> Host:
    """The installed host."""
    if _host is None:
        raise RuntimeError(
            "there is no host to ask while modules are loaded: do it in `start` or later, and in"
            " tests with `wasmind_actor.testing`"
        )
    return _host
