"""What calls of models used: tokens as providers count them, and sums of them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from wasmind.prices import Price
from wasmind.runtime.metrics import ModelUsage, Summary


@dataclass(frozen=True, slots=True)
class Tokens:
    """Of one answer. `cached` are among those of the prompt, `reasoning` of the completion."""

    prompt: int
    completion: int
    cached: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        """All tokens that count against a budget."""
        return self.prompt + self.completion

    def cost(self, price: Price) -> float:
        """In USD."""
        return price.cost(self.prompt, self.completion, self.cached)


def tokens_of(completion: Mapping[str, Any]) -> Tokens | None:
    """What an answer says it used; None if it does not."""
    usage = completion.get("usage")
    if not isinstance(usage, Mapping):
        return None
    prompt, answer = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if prompt is None and answer is None:
        return None
    before, after = (
        _table(usage, "prompt_tokens_details"),
        _table(usage, "completion_tokens_details"),
    )
    cached = _count(before, "cached_tokens") or _count(usage, "prompt_cache_hit_tokens") or 0
    return Tokens(
        prompt=prompt or 0,
        completion=answer or 0,
        cached=min(cached, prompt or 0),
        reasoning=_count(after, "reasoning_tokens") or 0,
    )


def _table(usage: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = usage.get(key)
    return value if isinstance(value, Mapping) else {}


def _count(usage: Mapping[str, Any], key: str) -> int | None:
    value = usage.get(key)
    return value if type(value) is int and value >= 0 else None


class Tally:
    """Sums, by model, actor and agent. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: dict[str, ModelUsage] = {}
        self._actors: dict[str, ModelUsage] = {}
        self._agents: dict[str, ModelUsage] = {}

    def add(self, model: str, actor: str, scope: str, used: ModelUsage) -> None:
        """Count one request of an actor."""
        with self._lock:
            for sums, key in ((self._models, model), (self._actors, actor), (self._agents, scope)):
                _add(sums.setdefault(key, ModelUsage()), used)

    def into(self, summary: Summary) -> Summary:
        """The summary, with these figures."""
        with self._lock:
            summary.models = _copied(self._models)
            summary.model_actors = _copied(self._actors)
            summary.model_agents = _copied(self._agents)
        return summary


def _copied(sums: Mapping[str, ModelUsage]) -> dict[str, ModelUsage]:
    return {key: copy(sums[key]) for key in sorted(sums)}


def _add(total: ModelUsage, used: ModelUsage) -> None:
    for name in ModelUsage.__slots__:
        setattr(total, name, getattr(total, name) + getattr(used, name))
