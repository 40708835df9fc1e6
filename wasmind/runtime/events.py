"""What a running system tells about itself: messages, log records and failures, in order."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass

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


Event = Envelope | LogRecord | Failure | Stopped


class Subscription:
    """Events from the moment of subscription on, none lost; iterate until `Stopped`."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def put(self, event: Event) -> None:
        """Append an event; never blocks."""
        self._queue.put(event)

    def get(self, timeout: float | None = None) -> Event | None:
        """The next event, or None if there is none within `timeout` seconds."""
        try:
            return self._queue.get(timeout=timeout)
        except queue.Empty:
            return None

    def __iter__(self) -> Iterator[Event]:
        while True:
            event = self._queue.get()
            yield event
            if isinstance(event, Stopped):
                return


class Events:
    """Hands events to all subscribers in the order they happened."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription] = []
        self._stopped: Stopped | None = None

    def subscribe(self) -> Subscription:
        """A new subscription; after the end it holds just `Stopped`."""
        subscription = Subscription()
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
