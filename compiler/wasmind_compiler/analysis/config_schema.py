"""Whether what an actor publishes as the schema of its settings can be used as one.

The schema is the actor's, so it may be anything. What is looked at here is what our own code relies
on, and what would make any validator fetch from elsewhere or run in circles: references lead into
the schema itself, and never back to where they come from without going deeper into the value.
jsonschema, which is loaded for configs with findings only, judges the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

#: The same as for TOML files: values deeper than this are not walked.
_DEEPEST: Final = 64
_TYPES: Final = frozenset(
    {"object", "array", "string", "boolean", "integer", "number", "null"},
)
_TABLES: Final = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE: Final = (
    *("items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else"),
    *("unevaluatedItems", "unevaluatedProperties"),
)
#: Keywords whose schemas judge the same value.
_SAME_VALUE: Final = ("anyOf", "oneOf", "allOf", "not", "if", "then", "else")
_FOREIGN: Final = ("$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor")


class _Fault(ValueError):
    """What makes a schema unusable."""


def fault_of(schema: Any) -> str | None:
    """What is wrong with the schema of a config table; None if nothing is."""
    if not isinstance(schema, dict):
        return "it is no object"
    try:
        for part in _parts(schema, 0):
            _check(part, schema)
        _follow(schema)
    except _Fault as fault:
        return str(fault)
    return None


def _parts(schema: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """A schema and all schemas in it."""
    if isinstance(schema, bool) and depth:
        return
    if not isinstance(schema, dict):
        raise _Fault("a schema in it is neither an object nor a boolean")
    if depth > _DEEPEST:
        raise _Fault(f"it is nested more than {_DEEPEST} deep")
    if depth and "$id" in schema:
        raise _Fault("a schema in it has an `$id`")
    yield schema
    for inner in _below(schema, _TABLES, _LISTS, _SINGLE):
        yield from _parts(inner, depth + 1)


def _below(schema: Mapping[str, Any], *keywords: tuple[str, ...]) -> Iterator[Any]:
    for keyword in (each for group in keywords for each in group if each in schema):
        value = schema[keyword]
        if keyword in _TABLES:
            if not isinstance(value, dict):
                raise _Fault(f"`{keyword}` is no object")
            yield from value.values()
        elif keyword in _LISTS:
            if not isinstance(value, list) or not value:
                raise _Fault(f"`{keyword}` is no array of schemas")
            yield from value
        else:
            yield value


def _check(schema: Mapping[str, Any], root: Mapping[str, Any]) -> None:
    """Judge what our own code reads of one schema."""
    for keyword in _FOREIGN:
        if keyword in schema:
            raise _Fault(f"`{keyword}` is not supported")
    types = schema.get("type", [])
    names = types if isinstance(types, list) else [types]
    if not all(isinstance(name, str) and name in _TYPES for name in names):
        raise _Fault(f"`type` is none of JSON: {types}")
    if not _are_strings(schema.get("required", [])):
        raise _Fault("`required` is no array of strings")
    if not isinstance(schema.get("enum", []), list):
        raise _Fault("`enum` is no array")
    if not isinstance(schema.get("x-wasmind", ""), str):
        raise _Fault("`x-wasmind` is no string")
    if "$ref" in schema:
        _target(schema["$ref"], root)


def _are_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _target(reference: Any, root: Mapping[str, Any]) -> Any:
    """What a reference leads to, which has to be a part of the schema."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise _Fault(f"`$ref` leads out of it: {reference}")
    target: Any = root
    for step in reference[1:].split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        target = target.get(name) if isinstance(target, dict) else None
    if reference not in ("#", "#/") and not reference.startswith("#/"):
        target = None
    if not isinstance(target, dict | bool):
        raise _Fault(f"`$ref` leads nowhere: {reference}")
    return target


def _follow(root: Mapping[str, Any]) -> None:
    """Refuse references that lead back to where they come from for one and the same value."""
    done: set[str] = set()
    for part in _parts(root, 0):
        if "$ref" in part:
            _visit(part["$ref"], root, done, ())


def _visit(
    reference: str, root: Mapping[str, Any], done: set[str], active: tuple[str, ...]
) -> None:
    if reference in active:
        raise _Fault(f"`$ref` leads around in a circle: {reference}")
    if len(active) > _DEEPEST:
        raise _Fault(f"`$ref` leads through more than {_DEEPEST} others: {active[0]}")
    if reference in done:
        return
    for further in _references(_target(reference, root)):
        _visit(further, root, done, (*active, reference))
    done.add(reference)


def _references(schema: Any) -> Iterator[str]:
    """The references that judge the same value as a schema."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield schema["$ref"]
    for inner in _below(schema, _SAME_VALUE):
        yield from _references(inner)
