"""What a run has used: messages, time and tokens, per actor."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wasmind.runtime.messages import RESPONSE, Envelope


@dataclass(slots=True)
class ActorUsage:
    """What all instances of one actor have used together. Times in seconds.

    Attributes:
        sent: messages it broadcast.
        handled: messages it was given.
        busy_seconds: its own computing.
        host_seconds: waiting in host calls, for a model or a command for example.
        tokens: of the model answers it received, when the model told.
    """

    sent: int = 0
    handled: int = 0
    busy_seconds: float = 0.0
    host_calls: int = 0
    host_seconds: float = 0.0
    failures: int = 0
    tokens: int = 0


@dataclass(slots=True)
class Summary:
    """What a run has used so far.

    Attributes:
        messages: put on the bus.
        deliveries: handled by an actor.
        received, taken, discarded: messages in the mailboxes of instances that have ended; what an
            instance was sent, it took, or its end discarded.
    """

    messages: int = 0
    deliveries: int = 0
    agents: int = 0
    received: int = 0
    taken: int = 0
    discarded: int = 0
    actors: dict[str, ActorUsage] = field(default_factory=dict)


class Metrics:
    """Counts while a system runs. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._summary = Summary()

    def published(self, envelope: Envelope) -> None:
        """A message was put on the bus."""
        tokens = _tokens(envelope) if envelope.message_type == RESPONSE else 0
        with self._lock:
            self._summary.messages += 1
            if envelope.sender is not None:
                usage = self._usage(envelope.sender)
                usage.sent += 1
                usage.tokens += tokens

    def handled(self, actor: str, seconds: float, host_calls: int, host_seconds: float) -> None:
        """An actor has handled a message; `seconds` include its host calls."""
        with self._lock:
            self._summary.deliveries += 1
            usage = self._usage(actor)
            usage.handled += 1
            usage.busy_seconds += max(0.0, seconds - host_seconds)
            usage.host_calls += host_calls
            usage.host_seconds += host_seconds

    def failed(self, actor: str) -> None:
        """An actor failed."""
        with self._lock:
            self._usage(actor).failures += 1

    def spawned(self) -> None:
        """An agent was started."""
        with self._lock:
            self._summary.agents += 1

    def ended(self, received: int, taken: int, discarded: int) -> None:
        """An instance has ended, with this history of its mailbox."""
        with self._lock:
            self._summary.received += received
            self._summary.taken += taken
            self._summary.discarded += discarded

    def summary(self) -> Summary:
        """A copy of the figures."""
        with self._lock:
            actors = {name: replace(usage) for name, usage in sorted(self._summary.actors.items())}
            now = self._summary
            return replace(now, actors=actors)

    def _usage(self, actor: str) -> ActorUsage:
        return self._summary.actors.setdefault(actor, ActorUsage())


def _tokens(envelope: Envelope) -> int:
    payload: Any = envelope.json()
    usage = payload.get("usage") if isinstance(payload, Mapping) else None
    total = usage.get("total_tokens") if isinstance(usage, Mapping) else None
    return total if isinstance(total, int) else 0
