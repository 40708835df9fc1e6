"""The one door: every import of every guest passes here to be checked, timed and counted."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from wasmind.plan import Actor
from wasmind.runtime.errors import CapabilityDenied
from wasmind.runtime.grants import denial
from wasmind.runtime.host.interface import HostFunction, Interface
from wasmind.runtime.protected import UNPROTECTED, Protected

if TYPE_CHECKING:
    # Not imported at run time: httpx is slow to load and not every system needs it.
    from wasmind.runtime.credentials import Sealed
    from wasmind.runtime.events import HttpRetry
    from wasmind.runtime.host.connections import Connections
    from wasmind.runtime.host.egress import Address
    from wasmind.runtime.host.launch import Launchers
    from wasmind.runtime.host.models import ModelGateway

_RECENT_LINES = 20
_KEPT_BYTES = 65_536


class Surroundings(Protocol):
    """What host functions need of the system around an instance."""

    def broadcast(self, host: Host, message_type: str, payload: bytes) -> None:
        """Put a message of the instance on the bus, or raise NotSent."""

    def log(self, host: Host, level: str, text: str) -> None:
        """Write a log record in the instance's name."""

    def spawn(self, host: Host, actors: list[str], name: str) -> str:
        """Start an agent below the instance's and return its scope, or raise SpawnError."""

    def parent_of(self, scope: str) -> str | None:
        """The scope that spawned this one."""

    def blocked(self) -> AbstractContextManager[None]:
        """While entered, the calling thread waits for something outside."""

    def slot(self, limit: str) -> AbstractContextManager[bool]:
        """A place among those that a system limit allows at once; False when there is none."""

    def credentials(self, scheme: str, host: str, address: Address) -> Sealed:
        """Headers with secrets for a request to this host; no actor ever sees them."""

    def masked(self, text: str) -> str:
        """A text without those secrets: what saw them may quote them."""

    def masked_bytes(self, data: bytes) -> bytes:
        """The same for bytes."""

    def connections(self) -> Connections:
        """HTTP connections, shared by the whole system."""

    def launchers(self) -> Launchers:
        """What starts commands, shared by the whole system."""

    def models(self) -> ModelGateway | None:
        """What answers for models, which every actor with `http` may ask; None without models."""

    def http_retry(self, host: Host, retry: HttpRetry) -> None:
        """Tell the user that an attempt failed and another one follows."""

    def http_failed(self, host: Host, attempts: int, reason: str) -> None:
        """Tell the user that a request was given up after more than one attempt."""


class Resources:
    """Host objects a guest holds handles to. One instance's, so one thread at a time."""

    def __init__(self) -> None:
        self._items: dict[int, Any] = {}
        self._next = 16  # below are the standard streams, which are nobody's to drop

    def add(self, item: Any) -> int:
        """Keep `item` until the guest drops it; returns its representation."""
        rep = self._next
        self._next += 1
        self._items[rep] = item
        return rep

    def get(self, rep: int) -> Any:
        """The object behind a handle."""
        return self._items[rep]

    def drop(self, rep: int) -> None:
        """The guest gave the handle back."""
        self._items.pop(rep, None)


#: What a guest can hand out as a `list<u8>` in one call; the engine ends it when that is more.
LARGEST_LIST_OUT: Final = 2_796_202


def warn_of_size(host: Host, what: str, size: int) -> None:
    """Tell about a `list<u8>` that is half as large as it may be: nobody can once it is larger."""
    if size > LARGEST_LIST_OUT // 2:
        text = (
            f"{what} of {size / (1 << 20):.1f} MiB; components of this kind can send "
            f"{LARGEST_LIST_OUT * 10 // (1 << 20) / 10} MiB, and fail when they send more"
        )
        host.around.log(host, "warn", text)


@dataclass(slots=True)
class Usage:
    """What an instance has done so far. Times in seconds."""

    host_calls: int = 0
    host_seconds: float = 0.0
    spawned: int = 0


class Rate:
    """Lets bursts pass and slows floods down: a bucket of tokens that refills with time.

    Args:
        burst: how much may come at once.
        per_second: how much may come in the long run.
    """

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._tokens = float(burst)
        self._last = 0.0
        self._left_out = 0

    def take(self, now: float) -> tuple[bool, int]:
        """Whether one more may pass at `now`, and how many were left out before it."""
        self._tokens = min(self._burst, self._tokens + (now - self._last) * self._per_second)
        self._last = now
        if self._tokens < 1:
            self._left_out += 1
            return False, 0
        self._tokens -= 1
        left_out, self._left_out = self._left_out, 0
        return True, left_out


@dataclass(slots=True)
class Host:
    """One actor instance as its host functions see it.

    Attributes:
        message_id: correlation id of the message being handled; None in constructor and destructor.
        modules: (name, code object) of a Python actor, for the shared interpreter.
        protected: what it must not change, whatever it was granted.
        complaints: the end of what the guest wrote to stderr during a call.
        printed: what it wrote to stdout since the last end of a line.
        log_rate: keeps a flood of log records from filling the disk.
        recent: the last lines it logged.
        told_about_files: whether people know that it looks for files in vain.
        failure: what a host function raised; it explains the trap that follows.
        cancelled: set when the instance must stop; blocked calls end early.
        doing: what it is busy with outside of the guest, and since when (`perf_counter`).
    """

    actor: Actor
    scope: str
    around: Surroundings
    modules: tuple[tuple[str, bytes], ...] = ()
    protected: Protected = UNPROTECTED
    message_id: str | None = None
    resources: Resources = field(default_factory=Resources)
    complaints: bytearray = field(default_factory=bytearray)
    printed: bytearray = field(default_factory=bytearray)
    log_rate: Rate = field(default_factory=lambda: Rate(2_000, 200.0))
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=_RECENT_LINES))
    usage: Usage = field(default_factory=Usage)
    told_about_files: bool = False
    failure: BaseException | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    doing: tuple[str, float] | None = None

    def __str__(self) -> str:
        return f"{self.actor.name}@{self.scope}"

    def complain(self, data: bytes) -> None:
        """The guest wrote to stderr."""
        self.complaints += data
        del self.complaints[:-_KEPT_BYTES]

    def print(self, data: bytes) -> None:
        """The guest wrote to stdout: every line becomes a log record of its own."""
        self.printed += data
        *lines, rest = bytes(self.printed).split(b"\n")
        if len(rest) > _KEPT_BYTES:
            lines, rest = [*lines, rest], b""
        self.printed = bytearray(rest)
        for line in lines:
            self._log_line(line)

    def settle(self) -> None:
        """A call into the guest is over and went well: what it wrote ends in its log."""
        written = [bytes(self.printed), *bytes(self.complaints).split(b"\n")]
        self.printed, self.complaints = bytearray(), bytearray()
        for line in written:
            self._log_line(line)

    def _log_line(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").removesuffix("\r")
        if text and "logger" in self.actor.capabilities:
            self.around.log(self, "debug", text)


class Pause(Protocol):
    """The guest's stopwatch, halted while a host function works."""

    def halt(self) -> None:
        """The guest left for the host."""

    def resume(self) -> None:
        """The guest goes on."""


_inside = threading.local()


def enter(host: Host, watch: Pause) -> tuple[Host, Pause] | None:
    """Make `host` the one that calls on this thread belong to; returns what to `leave` with."""
    outer: tuple[Host, Pause] | None = getattr(_inside, "guest", None)
    _inside.guest = (host, watch)
    return outer


def leave(outer: tuple[Host, Pause] | None) -> None:
    """Give the thread back to the guest that was on it before, if any."""
    _inside.guest = outer


def passage(interface: Interface, name: str, function: HostFunction) -> Callable[..., Any]:
    """`function` as guests reach it."""

    def call(*values: Any) -> Any:
        host, watch = _inside.guest
        watch.halt()
        started = time.perf_counter()
        try:
            if function.guarded and not _granted(host, interface):
                return _refuse(host, interface, name, function)
            if function.blocking:
                with host.around.blocked():
                    return function.body(host, *values)
            return function.body(host, *values)
        except BaseException as error:
            host.failure = error
            raise
        finally:
            host.usage.host_calls += 1
            host.usage.host_seconds += time.perf_counter() - started
            watch.resume()

    return call


def dropped(rep: int) -> None:
    """The guest on this thread gave a resource back."""
    guest: tuple[Host, Pause] | None = getattr(_inside, "guest", None)
    if guest is not None:  # None while a store is freed: its table goes with it
        guest[0].resources.drop(rep)


def _granted(host: Host, interface: Interface) -> bool:
    return interface.capability is None or interface.capability in host.actor.capabilities


def _refuse(host: Host, interface: Interface, name: str, function: HostFunction) -> Any:
    reason = denial(host.actor, interface.capability or interface.name)
    host.around.log(host, "warn", f"refused `{interface.name}` `{name}`: {reason}")
    if function.refuse is None:
        raise CapabilityDenied(reason)
    return function.refuse(reason)
