"""One actor in one agent: its mailbox, its guest, and the turns in which it handles messages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final, Protocol

from wasmind.plan import Actor
from wasmind.runtime.bus import Mailbox, Task
from wasmind.runtime.errors import EngineError, GuestFailure, LimitExceeded, SpawnError
from wasmind.runtime.events import Waiting
from wasmind.runtime.guest import Guest
from wasmind.runtime.host.door import Host
from wasmind.runtime.messages import EXIT, Envelope
from wasmind.runtime.metrics import ActorUsage
from wasmind.runtime.supervision import Decision, Record
from wasmind.runtime.workers import Workers

_MIB: Final = 1 << 20
_TURN_SECONDS: Final = 0.005


class Keeper(Protocol):
    """Whoever is responsible for an instance."""

    def failed(
        self,
        instance: Instance,
        failure: GuestFailure,
        handling: Envelope | None,
        decision: Decision,
    ) -> None:
        """An instance failed; `decision` is being carried out."""

    def refused(self, instance: Instance, envelope: Envelope, reason: str) -> None:
        """A message could not be given to an instance, which goes on without it."""

    def restarted(self, instance: Instance) -> None:
        """A failed instance was constructed anew and is about to go on."""

    def lags(self, instance: Instance, waiting: int) -> None:
        """An instance does not keep up with its messages; must not publish."""

    def ended(self, instance: Instance) -> None:
        """An instance is gone, whatever the reason; deliver nothing more to it."""


class Instance:
    """Runs an actor.

    It is constructed on the spawning thread, then takes turns of a few milliseconds on whatever
    worker is free, so that a busy actor cannot keep others waiting. It handles one message at a
    time, in order, and holds no thread between turns.

    Args:
        actor: what to run.
        scope: the agent it belongs to.
        make_guest: a new guest for this instance, not yet constructed.
        workers: where its turns run.
        keeper: is told about failures and the end.
        computing: entered while a turn goes on.
    """

    def __init__(
        self,
        actor: Actor,
        scope: str,
        make_guest: Callable[[], Guest],
        workers: Workers,
        keeper: Keeper,
        computing: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.actor = actor
        self.scope = scope
        limit = actor.limits.mailbox_mib * _MIB
        self.mailbox = Mailbox(scope, actor.handles, limit, self)
        self.recent: tuple[str, ...] = ()
        self.usage = ActorUsage()
        self._computing = computing
        self.ended = threading.Event()
        self._make_guest = make_guest
        self._workers = workers
        self._keeper = keeper
        self._record = Record(actor.restart)
        self._guest: Guest | None = None
        self._host: Host | None = None
        #: When the call into the guest began that goes on; 0 when none does.
        self._since = 0.0
        self._largest = 0
        self._lock = threading.Lock()
        self._active = False
        self._scheduled = False
        self._cancelled = threading.Event()

    def __str__(self) -> str:
        return f"{self.actor.name}@{self.scope}"

    @property
    def host(self) -> Host | None:
        """The host side of the living guest."""
        return None if self._guest is None else self._guest.host

    def waits(self) -> Waiting | None:
        """What it is busy with now. Read without a lock: it may be over when it is told."""
        since, host = self._since, self._host
        if host is None or not since:
            return None
        what, since = host.doing or ("computing", since)
        seconds = time.perf_counter() - since
        return Waiting(actor=self.actor.name, scope=self.scope, what=what, seconds=seconds)

    def construct(self) -> None:
        """Make the guest and run its constructor.

        Raises:
            GuestFailure: the constructor failed.
            EngineError: the component cannot be instantiated or is no actor.
        """
        guest = self._make_guest()
        guest.host.cancelled = self._cancelled
        self._host, self._since = guest.host, time.perf_counter()
        try:
            guest.construct(self.scope, self.actor.config)
        except BaseException:
            self.recent = tuple(guest.host.recent)
            guest.close()
            raise
        finally:
            self._since = 0.0
        self._guest = guest
        self._largest, _ = guest.largest_message

    def activate(self) -> None:
        """Begin to handle messages."""
        with self._lock:
            self._active = True
        self._continue()

    def cancel(self) -> None:
        """Make blocked host calls return early; the instance is going to end."""
        self._cancelled.set()

    def abandon(self) -> None:
        """Undo `construct` for an agent that could not be started."""
        self._close()

    def came(self) -> Task | None:
        """A message waits; a turn, unless one is on its way."""
        # Read without the lock: a turn that is about to end looks at the mailbox once more after
        # it has taken this back, and the message is in there already.
        if self._scheduled:
            return None
        with self._lock:
            if not self._active or self._scheduled or not len(self.mailbox):
                return None
            self._scheduled = True
        return self._turn

    def lags(self, waiting: int) -> None:
        """The mailbox is half full."""
        self._keeper.lags(self, waiting)

    def overflowed(self) -> None:
        """The mailbox is too full. Called under the bus' lock, so the consequences come later."""
        self._workers.submit(self._overflow)

    def _continue(self) -> None:
        task = self.came()
        if task is not None:
            self._workers.submit(task)

    def _turn(self) -> None:
        """Handle messages for a moment, then queue up again behind others."""
        with self._computing():
            end = time.perf_counter() + _TURN_SECONDS
            while (envelope := self.mailbox.take()) is not None:
                if self._handle(envelope) > end:
                    break
        self._scheduled = False
        self._continue()

    def _handle(self, envelope: Envelope) -> float:
        """Handle one message; returns what `perf_counter` shows at the end."""
        if envelope.message_type == EXIT and envelope.from_scope == self.scope:
            self._end()
            return time.perf_counter()
        guest = self._guest
        if guest is None:
            return time.perf_counter()
        if len(envelope.payload) > self._largest:
            self._refuse(envelope, guest.largest_message[1])
            return time.perf_counter()
        outside, usage = guest.host.usage, self.usage
        calls, waited, started = outside.host_calls, outside.host_seconds, time.perf_counter()
        self._since = started
        try:
            guest.handle(envelope)
        except GuestFailure as failure:
            self._since = 0.0
            usage.failures += 1
            self._fail(failure, envelope)
            return time.perf_counter()
        self._since = 0.0
        ended, waited = time.perf_counter(), outside.host_seconds - waited
        usage.handled += 1
        self._workers.pieces += 1
        usage.busy_seconds += max(0.0, ended - started - waited)
        usage.host_calls += outside.host_calls - calls
        usage.host_seconds += waited
        return ended

    def _refuse(self, envelope: Envelope, reason: str) -> None:
        """Better without one message than without the instance, which would die of it."""
        size = len(envelope.payload) / _MIB
        text = f"a message of {size:.1f} MiB was not delivered: {reason}"
        self._keeper.refused(self, envelope, text)

    def _fail(self, failure: GuestFailure, handling: Envelope | None) -> None:
        """Report, then restart, drop or end, until the instance runs again or is gone."""
        self._drop_guest()
        while True:
            decision = self._record.failed(time.monotonic())
            if self._cancelled.is_set():
                decision = Decision.DROP
            self._keeper.failed(self, failure, handling, decision)
            if decision is not Decision.RESTART:
                self._close()
                return
            with self._workers.blocked():
                if self._cancelled.wait(self._record.backoff()):
                    self._close()
                    return
            try:
                self.construct()
                self._keeper.restarted(self)
                return
            except GuestFailure as again:
                failure, handling = again, None
            except (EngineError, SpawnError) as error:
                failure, handling = GuestFailure(str(error)), None

    def _overflow(self) -> None:
        limit = self.actor.limits.mailbox_mib
        reason = f"more than {limit} MiB of messages wait for it (limit `mailbox_mib`)"
        self._keeper.failed(self, LimitExceeded(reason), None, Decision.END_AGENT)

    def _end(self) -> None:
        guest = self._guest
        if guest is not None:
            self._since = time.perf_counter()
            try:
                guest.destruct()
            except GuestFailure as failure:
                self._keeper.failed(self, failure, None, Decision.DROP)
            self._since = 0.0
        self._close()

    def _drop_guest(self) -> None:
        if self._guest is not None:
            self.recent = tuple(self._guest.host.recent)
            self.usage.memory_bytes = max(self.usage.memory_bytes, self._guest.private_bytes())
            self._guest.close()
            self._guest = None

    def _close(self) -> None:
        with self._lock:
            self._active = False
        self._drop_guest()
        self._keeper.ended(self)
        self.ended.set()
