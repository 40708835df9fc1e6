"""Tables that change nothing or change too much, and names that are easily mistaken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wasmind_compiler.diagnostics import Collector, Label
from wasmind_compiler.diagnostics.rules import names
from wasmind_compiler.frontend.actor_entry import ENTRY_KEYS, ActorEntry
from wasmind_compiler.frontend.key_path import KeyPath, dotted
from wasmind_compiler.resolution.graph import Resolution, ResolvedActor


def check_overrides(resolution: Resolution, collector: Collector) -> None:
    """Report overrides without effect, values replaced by another kind, and alike names."""
    for entry in resolution.config.overrides:
        actor = resolution.actors.get(entry.name)
        if actor is not None and entry in actor.entries:
            _report_without_effect(entry, actor, collector)
    for actor in resolution.actors.values():
        _report_replaced_tables(actor, collector)
    _report_alike(resolution, collector)


def _report_without_effect(entry: ActorEntry, actor: ResolvedActor, collector: Collector) -> None:
    below = actor.entries[: actor.entries.index(entry)]
    table = _table(entry)
    if any(key not in ENTRY_KEYS["actor_overrides"] for key in table):
        return  # a mistake of its own, reported already
    if all(_is_said_below(key, value, below) for key, value in table.items()):
        message = f"the override of `{entry.name}` changes nothing"
        reason = "it is empty" if not table else "it says what is said already"
        collector.add(
            names.OVERRIDE_WITHOUT_EFFECT.at(
                entry.header(), message, label=reason, help="remove it"
            )
        )


def _table(entry: ActorEntry) -> Mapping[str, Any]:
    value: Any = entry.document.data
    for part in entry.path:
        value = value[part]
    return value if isinstance(value, dict) else {}


def _is_said_below(key: str, value: Any, below: tuple[ActorEntry, ...]) -> bool:
    if key == "required_spawn_with" or not below:
        return False
    lower: Any = None
    for entry in below:
        found = _table(entry).get(key)
        lower = found if found is not None else lower
    return _is_within(value, lower)


def _is_within(value: Any, lower: Any) -> bool:
    """Whether merging `value` over `lower` gives `lower`."""
    if isinstance(value, dict) and isinstance(lower, dict):
        return all(key in lower and _is_within(value[key], lower[key]) for key in value)
    return type(value) is type(lower) and bool(value == lower)


def _report_replaced_tables(actor: ResolvedActor, collector: Collector) -> None:
    layers = actor.config.layers
    for number, upper in enumerate(layers):
        for lower in layers[:number]:
            for path in _clashes(lower.values, upper.values, ()):
                what = dotted((*upper.path, *path))
                collector.add(
                    names.TABLE_REPLACED.at(
                        upper.document.value((*upper.path, *path)),
                        f"`{what}` replaces a table by something else, or the reverse",
                        labels=(
                            Label(lower.document.value((*lower.path, *path)), "what it replaces"),
                        ),
                        help="give both the same kind of value",
                    )
                )


def _clashes(
    lower: Mapping[str, Any], upper: Mapping[str, Any], path: KeyPath
) -> Iterator[KeyPath]:
    for key in upper.keys() & lower.keys():
        below, above = lower[key], upper[key]
        if isinstance(below, dict) and isinstance(above, dict):
            yield from _clashes(below, above, (*path, key))
        elif isinstance(below, dict) != isinstance(above, dict):
            yield (*path, key)


def _report_alike(resolution: Resolution, collector: Collector) -> None:
    first: dict[str, ActorEntry] = {}
    for name in resolution.named:
        actor = resolution.actors.get(name)
        if actor is None:
            continue
        entry = actor.entries[0]
        earlier = first.setdefault(name.casefold(), entry)
        if earlier is not entry:
            collector.add(
                names.ALIKE_NAMES.at(
                    entry.header(),
                    f"`{name}` and `{earlier.name}` differ only in letter case",
                    labels=(Label(earlier.header(), "the other one"),),
                    help="choose names that are not mistaken for one another",
                )
            )
