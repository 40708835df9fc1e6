"""Whether what an actor publishes as the schema of its settings can be used as one.

The schema is the actor's, so it may be anything. What is looked at here is what our own code relies
on, and what would make any validator fetch from elsewhere or run in circles: references lead into
the schema itself, and never back to where they come from without going deeper into the value.
jsonschema, which is loaded for configs with findings only, judges the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from wasmind_compiler.frontend.conformance import target_of

#: The same as for TOML files: values deeper than this are not walked.
_DEEPEST: Final = 64
#: So many schemas may judge one value because of one reference.
_MOST_EXPANDED: Final = 10_000
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
        parts = list(_parts(schema, 0))
        for part in parts:
            _check(part, schema)
        _follow(parts)
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
    if "pattern" in schema or "patternProperties" in schema:
        _check_patterns(schema)


def _check_patterns(schema: Mapping[str, Any]) -> None:
    # Few schemas have any.
    from wasmind_compiler.analysis.patterns import fault_of_pattern, may_take_long

    for pattern in (schema.get("pattern", ""), *schema.get("patternProperties", ())):
        if not isinstance(pattern, str):
            raise _Fault("`pattern` is no string")
        if (fault := fault_of_pattern(pattern)) is not None:
            raise _Fault(fault)
    for pattern in schema.get("patternProperties", ()):
        # Unlike a `pattern`, it cannot be left out: it says what else is judged.
        if may_take_long(pattern):
            raise _Fault(f"the pattern `{pattern}` may take as good as for ever")


def without_slow_patterns(schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], Sequence[str]]:
    """A schema without a fault to judge values by, whoever wrote it and them.

    Returns:
        The schema, and the patterns that were left out because they may take as good as for ever.
    """
    parts = [part for part in _parts(schema, 0) if "pattern" in part]
    if not parts:
        return schema, ()
    from wasmind_compiler.analysis.patterns import may_take_long

    slow = {id(part): part["pattern"] for part in parts if may_take_long(part["pattern"])}

    def copied(value: Any) -> Any:
        if isinstance(value, list):
            return [copied(item) for item in value]
        if not isinstance(value, dict):
            return value
        left_out = "pattern" if id(value) in slow else None
        return {key: copied(item) for key, item in value.items() if key != left_out}

    return (copied(schema), tuple(dict.fromkeys(slow.values()))) if slow else (schema, ())


def _are_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _target(reference: Any, root: Mapping[str, Any]) -> Any:
    """What a reference leads to, which has to be a part of the schema."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise _Fault(f"`$ref` leads out of it: {reference}")
    target = target_of(reference, root)
    if not isinstance(target, dict | bool):
        raise _Fault(f"`$ref` leads nowhere: {reference}")
    return target


def _follow(parts: list[Mapping[str, Any]]) -> None:
    """Refuse references that lead back to where they come from for one and the same value, and
    those that lead to too many schemas."""
    root, known = parts[0], {id(part) for part in parts}
    sizes: dict[str, int] = {}
    for part in parts:
        if "$ref" in part:
            target = _target(part["$ref"], root)
            if isinstance(target, dict) and id(target) not in known:
                # Nobody has judged what it leads to.
                raise _Fault(f"`$ref` leads to no schema: {part['$ref']}")
    for part in parts:
        if "$ref" in part:
            _visit(part["$ref"], root, sizes, ())


def _visit(
    reference: str, root: Mapping[str, Any], sizes: dict[str, int], active: tuple[str, ...]
) -> int:
    if reference in active:
        raise _Fault(f"`$ref` leads around in a circle: {reference}")
    if len(active) > _DEEPEST:
        raise _Fault(f"`$ref` leads through more than {_DEEPEST} others: {active[0]}")
    if reference not in sizes:
        further = _references(_target(reference, root))
        size = 1 + sum(_visit(each, root, sizes, (*active, reference)) for each in further)
        if size > _MOST_EXPANDED:
            raise _Fault(f"`$ref` leads to more than {_MOST_EXPANDED} schemas: {reference}")
        sizes[reference] = size
    return sizes[reference]


def _references(schema: Any) -> Iterator[str]:
    """The references that judge the same value as a schema, or what it fills in for absent keys."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield schema["$ref"]
    for inner in _below(schema, _SAME_VALUE):
        yield from _references(inner)
    for inner in schema.get("properties", {}).values():
        if isinstance(inner, dict) and isinstance(inner.get("default"), dict):
            yield from _references(inner)
