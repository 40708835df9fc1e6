"""What a running system tells about itself: messages, log records and failures, in order."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wasmind.runtime import messages
from wasmind.runtime.messages import Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One line an actor, or the runtime about an actor, has to say.

    Attributes:
        level: `debug`, `info`, `warn` or `error`.
        id: correlation id of the message being handled, if any.
    """

    level: str
    actor: str
    scope: str
    text: str
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An actor failed.

    Attributes:
        reason: one line.
        traceback: what the guest printed before it died; may be empty.
        outcome: what was done about it, for people.
        log: the last lines it logged.
        lost: it held its agent's conversation, so what was said to the agent is lost.
        restarted: it goes on, from the beginning.
    """

    actor: str
    scope: str
    reason: str
    traceback: str
    outcome: str
    log: tuple[str, ...] = ()
    lost: bool = False
    restarted: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """The system has ended; nothing follows. `reason` is None for an ordinary end."""

    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRetry:
    """An attempt at an HTTP request failed, and another one follows.

    Attributes:
        id: correlation id of the message being handled, if any.
        target: host and port.
        attempt: number of the attempt that failed, from 1.
        attempts: how many there are at most.
        reason: why it failed, in a few words.
        wait_seconds: pause before the next one.
    """

    actor: str
    scope: str
    target: str
    attempt: int
    attempts: int
    reason: str
    wait_seconds: float
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What an actor has been busy with for a while.

    Attributes:
        what: like `waiting for 127.0.0.1:8080` or `running bash`.
        seconds: since when.
    """

    actor: str
    scope: str
    what: str
    seconds: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """`count` events in this place were not kept, because nobody read those before them."""

    count: int


Event = Envelope | LogRecord | Failure | HttpRetry | Waiting | LeftOut | Stopped

#: Roughly what an event takes besides its payload or text, in bytes.
_OVERHEAD: Final = 500
#: What tells how an agent fares may take as many times what everything may.
_SPARE: Final = 2


class Subscription:
    """Events from the moment of subscription on; iterate until `Stopped`.

    Args:
        limit_mib: what may wait to be read. Beyond, events are left out and counted: at first those
            that do not say how agents fare, and beyond twice of it all but the end. None keeps
            everything.
    """

    def __init__(self, limit_mib: int | None = None) -> None:
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._limit = None if limit_mib is None else limit_mib << 20
        self._lock = threading.Lock()
        self._waiting = 0
        self._left_out = 0

    def put(self, event: Event) -> None:
        """Append an event; never blocks."""
        if self._limit is None:
            self._queue.put(event)
            return
        with self._lock:
            size = _size(event)
            most = self._limit * (_SPARE if _is_vital(event) else 1)
            if self._waiting + size > most and not isinstance(event, Stopped):
                self._left_out += 1
                return
            if self._left_out:
                self._queue.put(LeftOut(self._left_out))
                self._left_out = 0
                self._waiting += _OVERHEAD
            self._queue.put(event)
            self._waiting += size

    def get(self, timeout: float | None = None) -> Event | None:
        """The next event, or None if there is none within `timeout` seconds."""
        try:
            event = self._queue.get(timeout=timeout)
        except queue.Empty:
            return None
        if self._limit is not None:
            with self._lock:
                self._waiting -= _size(event)
        return event

    def __iter__(self) -> Iterator[Event]:
        while True:
            event = self.get()
            if event is None:
                continue
            yield event
            if isinstance(event, Stopped):
                return


def _size(event: Event) -> int:
    """Roughly what an event takes, in bytes."""
    match event:
        case Envelope():
            return _OVERHEAD + len(event.payload)
        case LogRecord():
            return _OVERHEAD + len(event.text)
        case Failure():
            return _OVERHEAD + len(event.reason) + len(event.traceback) + sum(map(len, event.log))
    return _OVERHEAD


def _is_vital(event: Event) -> bool:
    """Whether an event says how an agent fares: what waits for an answer must not miss it."""
    if isinstance(event, Envelope):
        return event.message_type in _VITAL
    return isinstance(event, Failure | LeftOut | Stopped)


_VITAL: Final = frozenset(
    {
        messages.RESPONSE,
        messages.STATUS_UPDATE,
        messages.USER_NOTIFICATION,
        messages.AGENT_SPAWNED,
        messages.EXIT,
    }
)


class Events:
    """Hands events to all subscribers in the order they happened."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription] = []
        self._stopped: Stopped | None = None

    def subscribe(self, limit_mib: int | None = None) -> Subscription:
        """A new subscription; after the end it holds just `Stopped`."""
        subscription = Subscription(limit_mib)
        with self._lock:
            self._subscriptions.append(subscription)
            if self._stopped is not None:
                subscription.put(self._stopped)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Put nothing more into a subscription."""
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    def emit(self, event: Event) -> None:
        """Hand an event to everybody."""
        with self._lock:
            if isinstance(event, Stopped):
                self._stopped = event
            for subscription in self._subscriptions:
                subscription.put(event)
