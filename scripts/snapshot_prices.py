"""Write `wasmind/models/prices.json` from the data of the package `genai-prices` (MIT).

Run it with that package installed: `python scripts/snapshot_prices.py`. The package takes 200 ms to
import and knows hundreds of models we cannot reach, so what we need is kept as a file of our own.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genai_prices.data import providers
from genai_prices.types import TieredPrices

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


def main() -> None:
    """Write the file."""
    from wasmind.providers import providers as known

    wanted = {provider.sold_as for provider in known().values() if not provider.local}
    package = "genai-prices"
    lines = [f' "source": "{package} {importlib.metadata.version(package)}"']
    for provider in sorted(providers, key=lambda each: each.id):
        if provider.id in wanted:
            rows = ",\n".join(
                f"  {json.dumps(row, separators=(',', ':'))}" for row in _rows(provider)
            )
            lines.append(f' "{provider.id}": [\n{rows}\n ]')
    target = ROOT / "wasmind" / "models" / "prices.json"
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _rows(provider: Any) -> Iterator[list[Any]]:
    """A model each: how its name is recognised, its context window, and tiers of prices."""
    for model in provider.models:
        tiers = _tiers(_current(model.prices))
        if tiers:
            yield [_match(model.match), model.context_window or 0, tiers]


def _current(prices: Any) -> Any:
    """Prices of today; of those that depend on the hour, the dearest."""
    if not isinstance(prices, list):
        return prices
    now, chosen = datetime.datetime.now(datetime.UTC), prices[0].prices
    for each in prices:
        constraint = each.constraint
        if constraint is None or hasattr(constraint, "start_time"):
            chosen = max(chosen, each.prices, key=_output)
        elif constraint.active(now):
            chosen = each.prices
    return chosen


def _output(price: Any) -> float:
    return _base(price.__dict__.get("output_mtok"))


def _base(value: Any) -> float:
    return float(value.base if isinstance(value, TieredPrices) else value or 0)


def _tiers(price: Any) -> list[list[float]]:
    """`[from how many tokens of prompt, input, cached input, output]`, USD per million tokens."""
    given = price.__dict__
    if given.get("input_mtok") is None or given.get("output_mtok") is None:
        return []
    names = ("input_mtok", "cache_read_mtok", "output_mtok")
    values = [
        given.get(name) if given.get(name) is not None else given["input_mtok"] for name in names
    ]
    starts = {0}
    for value in values:
        if isinstance(value, TieredPrices):
            starts |= {tier.start for tier in value.tiers}
    return [[start, *(_at(value, start) for value in values)] for start in sorted(starts)]


def _at(value: Any, start: int) -> float:
    if not isinstance(value, TieredPrices):
        return _short(value)
    reached = [
        tier.price
        for tier in sorted(value.tiers, key=lambda tier: tier.start)
        if tier.start <= start
    ]
    return _short(reached[-1] if reached else value.base)


def _short(value: Any) -> float:
    number = float(value)
    return int(number) if number.is_integer() else number


def _match(clause: Any) -> Any:
    """Text for an equal name, else `{how: what}`."""
    fields = vars(clause)
    [(name, value)] = fields.items()
    if name == "equals":
        return value
    if name in ("or_", "and_"):
        return {name.rstrip("_"): [_match(each) for each in value]}
    return {name: value}


if __name__ == "__main__":
    main()
