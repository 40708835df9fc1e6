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
from contextlib import AbstractContextManager
from typing import Protocol

from wasmind.plan import Handled
from wasmind.runtime.messages import EXIT, Envelope

Task = Callable[[], None]


class Listener(Protocol):
    """The owner of a mailbox. Called under the bus' lock: it must be quick and not publish."""

    def came(self) -> Task | None:
        """A message waits; what has to be run for it, if that is not under way already."""

    def lags(self, waiting: int) -> None:
        """The mailbox has become half full; `waiting` messages are in it."""

    def overflowed(self) -> None:
        """The mailbox has passed its limit; nothing was lost."""


class Mailbox:
    """Messages waiting for one instance, in the order of the bus.

    Filled only by the bus, under its lock, and emptied only by the one thread that runs the
    instance: neither side needs a lock of its own, since each counts for itself.

    Args:
        scope: where the instance lives.
        handles: what it is given; None means everything.
        limit: payload bytes that may wait.
        listener: the instance.
    """

    def __init__(
        self, scope: str, handles: tuple[Handled, ...] | None, limit: int, listener: Listener
    ) -> None:
        self.scope = scope
        self.handles = handles
        #: How many messages were ever put in, and taken out by the instance.
        self.received = 0
        self.taken = 0
        self._limit = limit
        self._listener = listener
        self._waiting: deque[Envelope] = deque()
        self._bytes_in = 0
        self._bytes_out = 0

    @property
    def waiting_bytes(self) -> int:
        """Payload bytes that wait."""
        return self._bytes_in - self._bytes_out

    def put(self, envelope: Envelope) -> Task | None:
        """Append a message; the bus calls this and runs what is returned."""
        before = self.waiting_bytes
        self._waiting.append(envelope)
        self.received += 1
        self._bytes_in += len(envelope.payload)
        self._watch(before)
        return self._listener.came()

    def put_first(self, envelopes: Sequence[Envelope]) -> Task | None:
        """Put messages before all that wait, in the given order; the bus calls this."""
        before = self.waiting_bytes
        self._waiting.extendleft(reversed(envelopes))
        self.received += len(envelopes)
        self._bytes_in += sum(len(envelope.payload) for envelope in envelopes)
        self._watch(before)
        return self._listener.came()

    def _watch(self, before: int) -> None:
        after = self.waiting_bytes
        if before <= self._limit // 2 < after:
            self._listener.lags(len(self._waiting))
        if before <= self._limit < after:
            self._listener.overflowed()

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
        """The oldest waiting message, or None. Only the instance calls this."""
        try:
            envelope = self._waiting.popleft()
        except IndexError:
            return None
        self.taken += 1
        self._bytes_out += len(envelope.payload)
        return envelope

    def waiting(self) -> list[Envelope]:
        """What waits, oldest first."""
        return list(self._waiting)

    def clear(self) -> int:
        """Forget what waits, for an instance that has ended; returns how many there were."""
        count = len(self._waiting)
        self._waiting.clear()
        self._bytes_out = self._bytes_in
        return count

    def __len__(self) -> int:
        return len(self._waiting)


class Tap(Protocol):
    """Sees every message in order, under the bus' lock: it must be quick and not publish."""

    def __call__(self, envelope: Envelope) -> None:
        """Take note of a message."""


class Bus:
    """Distributes messages. Safe to use from any thread.

    Args:
        run: runs what receivers have to do, later and elsewhere.
        budget: payload bytes that may wait in all mailboxes together; a message counts once for
            each receiver.
        exhausted: called when that is passed; nothing was lost.
    """

    def __init__(self, run: Callable[[Sequence[Task]], None], budget: int, exhausted: Task) -> None:
        self._run = run
        self._budget = budget
        self._exhausted = exhausted
        self._lock = threading.RLock()
        self._sequence = 0
        self._mailboxes: dict[Mailbox, None] = {}
        # Mailboxes empty themselves without telling: the sum is taken only when what was added
        # since the last time could have passed the budget.
        self._added = 0
        self._audit_at = budget
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
                self._mailboxes[mailbox] = None
                for key in _keys(mailbox):
                    self._index.setdefault(key, {})[mailbox] = None

    def unsubscribe(self, mailbox: Mailbox) -> None:
        """Deliver nothing more to a mailbox."""
        with self._lock:
            self._mailboxes.pop(mailbox, None)
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
            tasks = []
            receivers = self._receivers(envelope)
            for mailbox in receivers:
                task = mailbox.put(envelope)
                if task is not None:
                    tasks.append(task)
            if tasks:
                self._run(tasks)
            self._spend(len(payload) * len(receivers))
        return envelope

    def still(self) -> AbstractContextManager[bool]:
        """While entered, nothing is delivered by others."""
        return self._lock

    def replay(
        self, mailbox: Mailbox, envelopes: Sequence[Envelope], *, first: bool = False
    ) -> None:
        """Give one receiver old messages it handles, behind what waits for it or before that."""
        with self._lock:
            wanted = [envelope for envelope in envelopes if mailbox.accepts(envelope)]
            if first:
                tasks = [mailbox.put_first(wanted)]
            else:
                tasks = [mailbox.put(envelope) for envelope in wanted]
            self._run([task for task in tasks if task is not None])

    def _spend(self, size: int) -> None:
        self._added += size
        if self._added > self._audit_at:
            used = sum(mailbox.waiting_bytes for mailbox in self._mailboxes)
            self._audit_at = self._added + max(0, self._budget - used)
            if used > self._budget:
                self._exhausted()

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
