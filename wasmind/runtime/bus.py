"""The bus: one total order of messages, and a mailbox for each actor instance.

Nothing is dropped. A message is stored once and put into the mailboxes of those who handle it: an
index by type and scope finds them, so the cost of a message does not grow with actors that ignore
it. A mailbox that is half full is reported; an instance whose mailbox outgrows its limit fails,
visibly; and when all mailboxes together outgrow the budget, the run ends with a clear error.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from wasmind.plan import Handled
from wasmind.runtime.messages import EXIT, Envelope


class Budget:
    """Payload bytes that wait in all mailboxes together; a message counts once per receiver.

    Args:
        limit: how many may wait.
        exhausted: called once, when the limit is passed.
    """

    def __init__(self, limit: int, exhausted: Callable[[], None]) -> None:
        self._limit = limit
        self._exhausted = exhausted
        self._used = 0
        self._lock = threading.Lock()

    def change(self, size: int) -> None:
        """Note that `size` more bytes wait, or fewer when it is negative."""
        with self._lock:
            before = self._used
            self._used += size
            passed = before <= self._limit < self._used
        if passed:
            self._exhausted()


class Listener(Protocol):
    """The owner of a mailbox. Called under the bus' lock: it must be quick and not publish."""

    def came(self) -> None:
        """A message waits."""

    def lags(self, waiting: int) -> None:
        """The mailbox has become half full; `waiting` messages are in it."""

    def overflowed(self) -> None:
        """The mailbox has passed its limit; nothing was lost."""


class Mailbox:
    """Messages waiting for one instance, in the order of the bus.

    Args:
        scope: where the instance lives.
        handles: what it is given; None means everything.
        limit: payload bytes that may wait.
        budget: shared with all other mailboxes.
        listener: the instance.
    """

    def __init__(
        self,
        scope: str,
        handles: tuple[Handled, ...] | None,
        limit: int,
        budget: Budget,
        listener: Listener,
    ) -> None:
        self.scope = scope
        self.handles = handles
        self._limit = limit
        self._budget = budget
        self._listener = listener
        self._waiting: deque[Envelope] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        #: How many messages were ever put in.
        self.received = 0

    def put(self, envelope: Envelope) -> None:
        """Append a message. Only the bus and replay call this."""
        size = len(envelope.payload)
        with self._lock:
            before = self._bytes
            self._waiting.append(envelope)
            self.received += 1
            self._bytes += size
            after, waiting = self._bytes, len(self._waiting)
        self._budget.change(size)
        if before <= self._limit // 2 < after:
            self._listener.lags(waiting)
        if before <= self._limit < after:
            self._listener.overflowed()
        self._listener.came()

    def put_first(self, envelopes: Sequence[Envelope]) -> None:
        """Put messages before all that wait, in the given order, as far as they are handled."""
        wanted = [envelope for envelope in envelopes if self.accepts(envelope)]
        size = sum(len(envelope.payload) for envelope in wanted)
        with self._lock:
            self._waiting.extendleft(reversed(wanted))
            self.received += len(wanted)
            self._bytes += size
        self._budget.change(size)
        self._listener.came()

    def accepts(self, envelope: Envelope) -> bool:
        """Whether the instance handles this message."""
        if self.handles is None:
            return True
        own = envelope.from_scope == self.scope
        return any(
            handled.type == envelope.message_type and (own or handled.scope == "any")
            for handled in self.handles
        )

    def take(self) -> Envelope | None:
        """The oldest waiting message, or None."""
        with self._lock:
            if not self._waiting:
                return None
            envelope = self._waiting.popleft()
            self._bytes -= len(envelope.payload)
        self._budget.change(-len(envelope.payload))
        return envelope

    def clear(self) -> int:
        """Forget what waits, for an instance that has ended; returns how many there were."""
        with self._lock:
            count, size = len(self._waiting), self._bytes
            self._waiting.clear()
            self._bytes = 0
        self._budget.change(-size)
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
