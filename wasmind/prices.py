"""What models cost and how much they can read, from a snapshot of public price lists.

The snapshot is `models/prices.json`, made by `scripts/snapshot_prices.py`. A model that is not in
it has no known price; nothing is guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from wasmind.records import Record

_TABLE: Final = Path(__file__).parent / "models" / "prices.json"
_MILLION: Final = 1_000_000


class Tier(Record):
    """Prices in USD per million tokens, for prompts of at least `start` tokens."""

    start: int
    input: float
    cached_input: float
    output: float


class Price(Record):
    """Prices by length of prompt; the tier that a prompt reaches holds for all of its tokens."""

    tiers: tuple[Tier, ...]

    @classmethod
    def flat(cls, input: float, output: float, cached_input: float | None = None) -> Price:  # noqa: A002
        """One price for prompts of any length."""
        return cls((Tier(0, input, input if cached_input is None else cached_input, output),))

    def cost(self, prompt: int, completion: int, cached: int = 0) -> float:
        """USD for so many tokens; `cached` of those of the prompt were in a cache."""
        tier = [each for each in self.tiers if each.start <= prompt][-1]
        fresh = max(0, prompt - cached)
        paid = fresh * tier.input + cached * tier.cached_input + completion * tier.output
        return paid / _MILLION


FREE: Final = Price.flat(0.0, 0.0)


class Listed(Record):
    """What the snapshot knows of a model; `context_window` in tokens, 0 where it is not known."""

    price: Price
    context_window: int


@lru_cache(maxsize=256)
def look_up(provider: str, model: str) -> Listed | None:
    """A provider's model by the name the provider gives it; None if it is not listed."""
    name = model.lower()
    for match, window, tiers in _snapshot().get(provider, ()):
        if _matches(match, name):
            return Listed(Price(tuple(Tier(*tier) for tier in tiers)), window)
    return None


@cache
def _snapshot() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(_TABLE.read_bytes())
    return table


def _matches(match: Any, name: str) -> bool:
    """Whether a clause of the snapshot, see `scripts/snapshot_prices.py`, means this name."""
    if isinstance(match, str):
        return match.lower() == name
    [(how, what)] = match.items()
    match how:
        case "or":
            return any(_matches(each, name) for each in what)
        case "and":
            return all(_matches(each, name) for each in what)
        case "starts_with":
            return name.startswith(what.lower())
        case "ends_with":
            return name.endswith(what.lower())
        case "contains":
            return what.lower() in name
        case _:
            return re.search(what, name) is not None
