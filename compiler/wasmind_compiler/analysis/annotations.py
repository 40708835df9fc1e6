"""What settings mean beyond their type: `"x-wasmind"` in a schema says it.

`model` is the name of a model, `actor` a logical name, `actors` the logical names of one new agent,
`template` Jinja text (each in a string, or in lists or tables of strings), and `permission` a
boolean that decides what agents may do. `examples` of `propertyNames` are usual keys of a table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, get_args

from wasmind.records import Record
from wasmind_compiler.frontend.conformance import is_type, target_of
from wasmind_compiler.frontend.key_path import KeyPath
from wasmind_compiler.frontend.limits import DEEPEST

Kind = Literal["model", "actor", "actors", "template", "permission"]
#: Values that were looked at with a schema: the path, and which objects they are.
_Seen = set[tuple[KeyPath, int, int]]
_KINDS: Final = frozenset(get_args(Kind))


class Annotated(Record):
    """A value under an annotated schema: what it stands for, where it is, what it is."""

    kind: Kind
    path: KeyPath
    value: Any


def annotated(value: Any, schema: Mapping[str, Any]) -> Iterator[Annotated]:
    """Every annotated part of a settings table; absent settings count with their default."""
    return _walk(value, schema, schema, (), set())


def usual_keys(
    value: Any, schema: Any, root: Mapping[str, Any], path: KeyPath = ()
) -> Iterator[tuple[KeyPath, tuple[str, ...]]]:
    """Keys of a settings table that are none of the usual ones where there are such, with these."""
    schema = _dereferenced(schema, root)
    if not isinstance(value, dict) or not isinstance(schema, dict) or len(path) > DEEPEST:
        return
    names = _dereferenced(schema.get("propertyNames"), root)
    usual = names.get("examples") if isinstance(names, dict) else None
    properties, further = schema.get("properties", {}), schema.get("additionalProperties")
    for key, inner in value.items():
        if isinstance(usual, list) and key not in usual:
            yield (*path, key), tuple(each for each in usual if isinstance(each, str))
        yield from usual_keys(inner, properties.get(key, further), root, (*path, key))


def with_defaults(value: Any, schema: Mapping[str, Any]) -> Any:
    """A settings table as the actor takes it: what nobody sets has the default of the schema."""
    return _filled(value, schema, schema, 0)


def _filled(value: Any, schema: Any, root: Mapping[str, Any], depth: int) -> Any:
    schema = _dereferenced(schema, root)
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(value, dict) or not isinstance(properties, dict) or depth > DEEPEST:
        return value
    filled = dict(value)
    for key, described in properties.items():
        inner = value.get(key, default_of(described, root))
        if inner is not None:
            filled[key] = _filled(inner, described, root, depth + 1)
    return filled


def is_annotated(schema: Any, kinds: frozenset[str]) -> bool:
    """Whether a schema annotates anything as one of `kinds`."""
    if isinstance(schema, dict):
        if schema.get("x-wasmind") in kinds:
            return True
        return any(is_annotated(part, kinds) for part in schema.values())
    return isinstance(schema, list) and any(is_annotated(part, kinds) for part in schema)


def strings(found: Annotated) -> Iterator[tuple[KeyPath, str]]:
    """The names in an annotated value: itself, or what is in its lists and tables."""
    return _strings(found.value, found.path)


def _walk(
    value: Any, schema: Any, root: Mapping[str, Any], path: KeyPath, seen: _Seen
) -> Iterator[Annotated]:
    schema = _dereferenced(schema, root)
    if not isinstance(schema, dict) or value is None or len(path) > DEEPEST:
        return
    # References may lead here by many ways.
    if (step := (path, id(value), id(schema))) in seen:
        return
    seen.add(step)
    kind: Any = schema.get("x-wasmind")
    if kind in _KINDS:
        # What is of another type has been reported as that.
        if _has_type(value, schema.get("type", [])):
            yield Annotated(kind, path, value)
        return
    for keyword in ("anyOf", "oneOf", "allOf"):
        for branch in schema.get(keyword, ()):
            yield from _walk(value, branch, root, path, seen)
    if isinstance(value, dict):
        yield from _members(value, schema, root, path, seen)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, schema.get("items"), root, (*path, index), seen)


def _has_type(value: Any, types: str | list[str]) -> bool:
    names = [types] if isinstance(types, str) else types
    return not names or any(is_type(value, name) for name in names)


def _members(
    value: Mapping[str, Any],
    schema: Mapping[str, Any],
    root: Mapping[str, Any],
    path: KeyPath,
    seen: _Seen,
) -> Iterator[Annotated]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    for key, described in properties.items():
        default = default_of(described, root)
        yield from _walk(value.get(key, default), described, root, (*path, key), seen)
    for key in value:
        if key not in properties:
            further = schema.get("additionalProperties")
            yield from _walk(value[key], further, root, (*path, key), seen)


def default_of(schema: Any, root: Mapping[str, Any]) -> Any:
    """What a setting is when nobody sets it; None if its schema does not say."""
    if isinstance(schema, dict) and "default" in schema:
        return schema["default"]
    target = _dereferenced(schema, root)
    return target.get("default") if isinstance(target, dict) else None


def _dereferenced(schema: Any, root: Mapping[str, Any]) -> Any:
    seen: set[str] = set()
    while isinstance(schema, dict) and "$ref" in schema and "x-wasmind" not in schema:
        reference = schema["$ref"]
        if reference in seen:
            return None
        seen.add(reference)
        schema = target_of(str(reference), root)
    return schema


def _strings(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*path, key))
