"""The bus: one total order of messages, and a mailbox for each actor instance.

Nothing is dropped. A message is stored once and put into the mailboxes of those who handle it: an
index by type and scope finds them, so the cost of a message does not grow with actors that ignore
it. An instance whose mailbox outgrows its limit is told to fail, visibly.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from wasmind.plan import Handled
from wasmind.runtime.messages import EXIT, Envelope


class Mailbox:
    """Messages waiting for one instance, in the order of the bus.

    Args:
        scope: where the instance lives.
        handles: what it is given; None means everything.
        limit: payload bytes that may wait.
        wake: called when a message came.
        overflow: called once, instead of losing anything, when the limit is passed.
    """

    def __init__(
        self,
        scope: str,
        handles: tuple[Handled, ...] | None,
        limit: int,
        wake: Callable[[], None],
        overflow: Callable[[], None],
    ) -> None:
        self.scope = scope
        self.handles = handles
        self._limit = limit
        self._wake = wake
        self._overflow = overflow
        self._waiting: deque[Envelope] = deque()
        self._bytes = 0
        self._lock = threading.Lock()

    def put(self, envelope: Envelope) -> None:
        """Append a message. Only the bus and replay call this."""
        with self._lock:
            before = self._bytes
            self._waiting.append(envelope)
            self._bytes += len(envelope.payload)
            overflowed = before <= self._limit < self._bytes
        if overflowed:
            self._overflow()
        self._wake()

    def take(self) -> Envelope | None:
        """The oldest waiting message, or None."""
        with self._lock:
            if not self._waiting:
                return None
            envelope = self._waiting.popleft()
            self._bytes -= len(envelope.payload)
            return envelope

    def clear(self) -> int:
        """Forget what waits, for an instance that has ended; returns how many there were."""
        with self._lock:
            count = len(self._waiting)
            self._waiting.clear()
            self._bytes = 0
            return count

    def __len__(self) -> int:
        return len(self._waiting)


class Tap(Protocol):
    """Sees every message in order, under the bus' lock: it must be quick and not publish."""

    def __call__(self, envelope: Envelope) -> None:
        """Take note of a message."""


class Bus:
    """Distributes messages. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._sequence = 0
        self._taps: tuple[Tap, ...] = ()
        # (type, scope) to mailboxes; None stands for "any". Dicts serve as ordered sets, so that
        # delivery follows the order of subscription.
        self._index: dict[tuple[str | None, str | None], dict[Mailbox, None]] = {}

    def tap(self, tap: Tap) -> None:
        """Show `tap` every message from now on."""
        with self._lock:
            self._taps = (*self._taps, tap)

    def subscribe(self, mailboxes: Iterable[Mailbox]) -> None:
        """Deliver to these mailboxes from now on; all at once."""
        with self._lock:
            for mailbox in mailboxes:
                for key in _keys(mailbox):
                    self._index.setdefault(key, {})[mailbox] = None

    def unsubscribe(self, mailbox: Mailbox) -> None:
        """Deliver nothing more to a mailbox."""
        with self._lock:
            for key in _keys(mailbox):
                members = self._index.get(key, {})
                members.pop(mailbox, None)
                if not members:
                    self._index.pop(key, None)

    def publish(
        self,
        *,
        id: str,  # noqa: A002 - the field's name on the wire
        message_type: str,
        from_actor_id: str,
        from_scope: str,
        payload: bytes,
        sender: str | None = None,
    ) -> Envelope:
        """Give the message its place in the order and deliver it."""
        with self._lock:
            self._sequence += 1
            envelope = Envelope(
                self._sequence, id, message_type, from_actor_id, from_scope, payload, sender
            )
            for tap in self._taps:
                tap(envelope)
            for mailbox in self._receivers(envelope):
                mailbox.put(envelope)
        return envelope

    def _receivers(self, envelope: Envelope) -> dict[Mailbox, None]:
        kind, scope = envelope.message_type, envelope.from_scope
        receivers = dict(self._index.get((None, None), {}))
        receivers.update(self._index.get((kind, None), {}))
        receivers.update(self._index.get((kind, scope), {}))
        if kind == EXIT:  # ends every instance of its scope, whatever their contracts say
            receivers.update(self._index.get((None, scope), {}))
        return receivers


def _keys(mailbox: Mailbox) -> list[tuple[str | None, str | None]]:
    """Where a mailbox stands in the index; always under its scope, to be found by `Exit`."""
    own: tuple[str | None, str | None] = (None, mailbox.scope)
    if mailbox.handles is None:
        return [own, (None, None)]
    return [
        own,
        *(
            (handled.type, None if handled.scope == "any" else mailbox.scope)
            for handled in mailbox.handles
        ),
    ]
