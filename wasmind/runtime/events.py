"""What a running system tells about itself: messages, log records, failures and calls of models."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """An attempt to get an answer from a model begins or has ended. Times in seconds.

    Attributes:
        phase: an attempt that started also ends.
        call: the same for all attempts to answer one request.
        id: correlation id of the message the actor was handling.
        upstream: what was asked, for people.
        attempt: from 1; counted anew for each upstream.
        status: HTTP status at the end.
        code: what kind of failure it was, see `models.errors`; None for an answer.
        error: why there is no answer, for people.
        final: the actor gets this answer or error; nothing else is tried.
        prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens: None where unknown;
            cached ones are among those of the prompt, reasoning among those of the completion.
        cost: USD; None where the price is unknown.
        first_token_seconds: None where the answer came whole.
    """

    phase: Literal["start", "end"]
    call: str
    actor: str
    scope: str
    id: str | None
    model: str
    upstream: str
    attempt: int
    status: int | None = None
    code: str | None = None
    error: str | None = None
    final: bool = False
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    first_token_seconds: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRetry:
    """An attempt failed and another follows, at the same upstream or at another one.

    Attributes:
        wait_seconds: until then.
        attempt: the number of the attempt to come, of `attempts`.
        reason: why the last one failed, for people.
        fallback: name of the model that is asked instead; None if it is the same.
        discarded: a part of an answer was shown and is worth nothing now.
    """

    call: str
    actor: str
    scope: str
    id: str | None
    model: str
    upstream: str
    wait_seconds: float
    attempt: int
    attempts: int
    reason: str
    fallback: str | None = None
    discarded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDelta:
    """A piece of an answer that is growing, for people to watch; see `Events.subscribe`.

    Attributes:
        kind: what grows.
    """

    call: str
    actor: str
    scope: str
    id: str | None
    kind: Literal["text", "reasoning", "tool_call"]
    text: str


Event = (
    Envelope
    | LogRecord
    | Failure
    | HttpRetry
    | Waiting
    | ModelCall
    | ModelRetry
    | ModelDelta
    | LeftOut
    | Stopped
)

#: Of a reader that lags behind by so many events, no pieces of growing answers are kept.
_MOST_UNREAD: Final = 1_000

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
        deltas: whether pieces of growing answers are among them, which may be lost when they are
            not read in time.
    """

    def __init__(self, limit_mib: int | None = None, *, deltas: bool = False) -> None:
        self.deltas = deltas
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._limit = None if limit_mib is None else limit_mib << 20
        self._lock = threading.Lock()
        self._waiting = 0
        self._left_out = 0

    def put(self, event: Event) -> None:
        """Append an event; never blocks."""
        if isinstance(event, ModelDelta) and (
            not self.deltas or self._queue.qsize() > _MOST_UNREAD
        ):
            return
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
        self._deltas = 0
        self._stopped: Stopped | None = None

    @property
    def wants_deltas(self) -> bool:
        """Whether anybody watches answers grow."""
        return self._deltas > 0

    def subscribe(self, limit_mib: int | None = None, *, deltas: bool = False) -> Subscription:
        """A new subscription, see there; after the end it holds just `Stopped`."""
        subscription = Subscription(limit_mib, deltas=deltas)
        with self._lock:
            self._subscriptions.append(subscription)
            self._deltas += deltas
            if self._stopped is not None:
                subscription.put(self._stopped)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Put nothing more into a subscription."""
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)
                self._deltas -= subscription.deltas

    def emit(self, event: Event) -> None:
        """Hand an event to everybody."""
        with self._lock:
            if isinstance(event, Stopped):
                self._stopped = event
            for subscription in self._subscriptions:
                subscription.put(event)
