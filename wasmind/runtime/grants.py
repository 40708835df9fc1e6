"""What to write into a config so that a refused call is granted.

A table of grants is exclusive: what it does not mention is not granted. A hint to add one line
would therefore take everything else from an actor that has no table yet, so hints show all of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from wasmind.plan import Actor

#: Granted unless refused, so hints need not mention them.
_HARMLESS: Final = frozenset({"logger", "messaging"})
_WORKING_DIRECTORY: Final = {"read_write": ["."]}


def to_grant(actor: Actor, capability: str, **added: Any) -> str:
    """The end of a message about a refusal.

    Args:
        actor: who was refused.
        capability: what it lacks, or has too narrowly.
        added: limits of the capability that must be wider; lists are added to what there is.
    """
    names = {*actor.capabilities, capability} - _HARMLESS
    if capability in _HARMLESS:
        names.add(capability)
    table = {name: actor.grants.get(name) or True for name in sorted(names)}
    if added:
        table[capability] = _wider(actor, capability, added)
    return f"to grant it, write `grants = {_inline(table)}` in `[actors.{actor.name}]`"


def denial(actor: Actor, capability: str) -> str:
    """What to tell about a capability that was not granted at all."""
    return f"actor `{actor.name}` was not granted `{capability}`; {to_grant(actor, capability)}"


def _wider(actor: Actor, capability: str, added: Mapping[str, Any]) -> dict[str, Any]:
    held = capability in actor.capabilities
    limits = dict(actor.grants.get(capability, {}))
    if capability == "filesystem" and held and not limits:
        limits = dict(_WORKING_DIRECTORY)
    for name, value in added.items():
        limits[name] = [*limits.get(name, ()), *value] if isinstance(value, list) else value
    return limits


def _inline(value: Any) -> str:
    """A value as TOML on one line."""
    if isinstance(value, Mapping):
        pairs = (f"{name} = {_inline(item)}" for name, item in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_inline, value))}]"
    return json.dumps(value, ensure_ascii=False)
