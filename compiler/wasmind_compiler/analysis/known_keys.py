"""Which keys an actor's table can have, set or not: what `why` says of one that nothing sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wasmind.records import Record
from wasmind_compiler.analysis.system import System
from wasmind_compiler.frontend.conformance import target_of
from wasmind_compiler.frontend.key_path import KeyPath
from wasmind_compiler.resolution.graph import ResolvedActor

#: References and alternatives followed one after the other.
_MOST_STEPS: Final = 20


class Known(Record):
    """What schemas say of a key that nothing sets.

    Attributes:
        exists: whether there is such a key; None if nobody can know.
        default: what holds when nothing sets it, if that is told.
        siblings: the keys there are beside it.
    """

    exists: bool | None
    default: Any = None
    siblings: tuple[str, ...] = ()


def known_key(
    system: System, actor: ResolvedActor, path: KeyPath, table: Mapping[str, Any]
) -> Known:
    """What is known of a key of an actor's table.

    Args:
        system: the linked system.
        actor: the actor.
        path: like `("config", "model_name")`.
        table: the JSON Schema of configs, with that of an actor's table in `$defs.actor`.
    """
    schema, root, rest = table["$defs"]["actor"], table, path
    if path[0] == "config" and len(path) > 1:
        linked = system.actors.get(actor.name)
        settings = None if linked is None else linked.artifact.contract.settings
        if settings is None:
            return Known(None)
        schema, root, rest = settings, settings, path[1:]
    return known_in(schema, rest, root)


def known_in(schema: Any, path: KeyPath, root: Mapping[str, Any]) -> Known:
    """What a schema, whose references point into `root`, says of a key."""
    for part in path[:-1]:
        schema = _below(schema, root, part)
    described = _resolved(schema, root)
    properties = described.get("properties", {})
    if path[-1] in properties:
        default = _resolved(properties[path[-1]], root).get("default")
        return Known(True, default, tuple(properties))
    is_closed = bool(described) and described.get("additionalProperties") is False
    return Known(False if is_closed else None, siblings=tuple(properties))


def _below(schema: Any, root: Any, part: str | int) -> Any:
    described = _resolved(schema, root)
    return described.get("properties", {}).get(part) or described.get("additionalProperties")


def _resolved(schema: Any, root: Any) -> Mapping[str, Any]:
    """A schema as a table; alternatives count as the first that is one of a table."""
    for _ in range(_MOST_STEPS):
        if not isinstance(schema, dict):
            return {}
        if "$ref" in schema:
            schema = target_of(str(schema["$ref"]), root)
            continue
        branches = [
            branch
            for keyword in ("anyOf", "oneOf")
            for branch in schema.get(keyword, ())
            if isinstance(branch, dict) and ("properties" in branch or "$ref" in branch)
        ]
        if "properties" in schema or not branches:
            return schema
        schema = branches[0]
    return {}
