"""What a run has used: messages, time and tokens, per actor."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from wasmind.runtime.messages import RESPONSE, Envelope

if TYPE_CHECKING:
    from wasmind.runtime.bus import Mailbox

#: In the usage of an answer that an assistant announces once more, to have its history compacted.
_ANNOUNCED_AGAIN: Final = "wasmind_announced_again"


@dataclass(slots=True)
class ActorUsage:
    """What one instance of an actor, or all of them together, has used. Times in seconds.

    Attributes:
        sent: messages it broadcast.
        handled: messages it was given.
        busy_seconds: its own computing.
        host_seconds: waiting in host calls, for a model or a command for example.
        memory_bytes: private memory of the largest instance when it ended; 0 where it is not known.
        tokens: of the model answers it received, when the model told.
    """

    sent: int = 0
    handled: int = 0
    busy_seconds: float = 0.0
    host_calls: int = 0
    host_seconds: float = 0.0
    failures: int = 0
    memory_bytes: int = 0
    tokens: int = 0


@dataclass(slots=True)
class ModelUsage:
    """What calls of models have used. Times in seconds.

    Attributes:
        calls: requests of actors, whatever it took to answer them.
        failures: requests that got no answer.
        retries: attempts beyond the first, at the same model or another one.
        cached_tokens: among those of the prompts.
        reasoning_tokens: among those of the completions.
        uncounted: answers whose provider told no tokens.
        cost: USD, of the answers whose price is known.
        unpriced: answers whose price is not known.
        first_token_seconds: until the first token, of all streamed answers together.
    """

    calls: int = 0
    failures: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    uncounted: int = 0
    cost: float = 0.0
    unpriced: int = 0
    first_token_seconds: float = 0.0
    seconds: float = 0.0


@dataclass(slots=True)
class Summary:
    """What a run has used so far.

    Attributes:
        messages: put on the bus.
        deliveries: handled by an actor.
        received, taken, discarded: messages in the mailboxes of instances that have ended; what an
            instance was sent, it took, or its end discarded.
        models: by name of the model that answered.
        model_actors: by actor that asked.
        model_agents: by scope of the agent that asked.
    """

    messages: int = 0
    deliveries: int = 0
    agents: int = 0
    received: int = 0
    taken: int = 0
    discarded: int = 0
    actors: dict[str, ActorUsage] = field(default_factory=dict)
    models: dict[str, ModelUsage] = field(default_factory=dict)
    model_actors: dict[str, ModelUsage] = field(default_factory=dict)
    model_agents: dict[str, ModelUsage] = field(default_factory=dict)


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

    def spawned(self) -> None:
        """An agent was started."""
        with self._lock:
            self._summary.agents += 1

    def ended(self, actor: str, usage: ActorUsage, mailbox: Mailbox, discarded: int) -> None:
        """An instance has ended, with these figures and this history of its mailbox."""
        with self._lock:
            _add(self._usage(actor), usage)
            self._summary.received += mailbox.received
            self._summary.taken += mailbox.taken
            self._summary.discarded += discarded

    def summary(self, living: Iterable[tuple[str, ActorUsage]]) -> Summary:
        """A copy of the figures, those of instances that live (by actor) included."""
        with self._lock:
            actors = {name: replace(usage) for name, usage in self._summary.actors.items()}
            summary = replace(self._summary, actors=actors)
        for name, usage in living:
            _add(summary.actors.setdefault(name, ActorUsage()), usage)
        summary.actors = dict(sorted(summary.actors.items()))
        summary.deliveries = sum(usage.handled for usage in summary.actors.values())
        return summary

    def _usage(self, actor: str) -> ActorUsage:
        return self._summary.actors.setdefault(actor, ActorUsage())


def _add(total: ActorUsage, usage: ActorUsage) -> None:
    total.handled += usage.handled
    total.busy_seconds += usage.busy_seconds
    total.host_calls += usage.host_calls
    total.host_seconds += usage.host_seconds
    total.failures += usage.failures
    total.memory_bytes = max(total.memory_bytes, usage.memory_bytes)


def _tokens(envelope: Envelope) -> int:
    payload: Any = envelope.json()
    usage = payload.get("usage") if isinstance(payload, Mapping) else None
    if isinstance(usage, Mapping) and usage.get(_ANNOUNCED_AGAIN):
        return 0
    total = usage.get("total_tokens") if isinstance(usage, Mapping) else None
    return total if isinstance(total, int) else 0
