"""A quick yes: does a value certainly conform to a schema?

Importing jsonschema takes longer than checking a whole config, so clean files never get that far.
The answer errs on one side only: `False` means "ask jsonschema", which then explains.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Schema = Mapping[str, Any] | bool
_Test = Callable[[Any, Any, Mapping[str, Any], "_Root"], bool]

_ANNOTATIONS: Final = frozenset(
    {
        "$schema",
        "$id",
        "$comment",
        "$defs",
        "definitions",
        "title",
        "description",
        "default",
        "examples",
    }
    | {"deprecated", "readOnly", "writeOnly", "x-wasmind"}
)


def conforms(value: Any, schema: Schema, root: Mapping[str, Any]) -> bool:
    """Whether `value` certainly conforms to `schema`, whose references point into `root`.

    A keyword this module does not know makes the answer `False`.
    """
    return _conforms(value, schema, _Root(root))


def target_of(reference: str, root: Mapping[str, Any]) -> Any:
    """The part of a schema that a reference like `#/$defs/name` leads to; None if there is none."""
    if reference != "#" and not reference.startswith("#/"):
        return None
    target: Any = root
    for step in reference[1:].split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        target = target.get(name) if isinstance(target, dict) else None
    return target


class _Root:
    """What references point into, and what is known of values by then.

    Schemas that lead to others twice would otherwise be tried twice as often on each level.
    """

    __slots__ = ("_known", "_schema")

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._known: dict[tuple[str, int], bool] = {}

    def conforms(self, value: Any, reference: str) -> bool:
        # Values live as long as the whole they are part of.
        key = (reference, id(value))
        if key not in self._known:
            target = target_of(reference, self._schema)
            self._known[key] = target is not None and _conforms(value, target, self)
        return self._known[key]


def _conforms(value: Any, schema: Schema, root: _Root) -> bool:
    if isinstance(schema, bool):
        return schema
    for keyword, wanted in schema.items():
        if keyword in _ANNOTATIONS:
            continue
        test = _TESTS.get(keyword)
        if test is None or not test(value, wanted, schema, root):
            return False
    return True


def is_type(value: Any, name: str) -> bool:
    """Whether a TOML or JSON value is of that JSON Schema type.

    Strict on purpose: `1.0` is no integer, as TOML tells them apart.
    """
    return _TYPES[name](value) if name in _TYPES else False


def is_finite(value: Any) -> bool:
    """Whether a value is anything but `nan` and `inf`, which TOML has and JSON has not."""
    return not isinstance(value, float) or math.isfinite(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": _is_number,
    "null": lambda value: value is None,
}


def _type(value: Any, wanted: Any, _schema: Any, _root: Any) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    return is_finite(value) and any(is_type(value, name) for name in names)


def _reference(value: Any, wanted: str, _schema: Any, root: _Root) -> bool:
    return root.conforms(value, wanted)


def _properties(value: Any, wanted: Any, _schema: Any, root: _Root) -> bool:
    if not isinstance(value, dict):
        return True
    return all(_conforms(value[key], wanted[key], root) for key in value.keys() & wanted.keys())


def _additional(value: Any, wanted: Any, schema: Mapping[str, Any], root: _Root) -> bool:
    if not isinstance(value, dict):
        return True
    extra = value.keys() - schema.get("properties", {}).keys()
    return all(_conforms(value[key], wanted, root) for key in extra)


def _property_names(value: Any, wanted: Any, _schema: Any, root: _Root) -> bool:
    return not isinstance(value, dict) or all(_conforms(key, wanted, root) for key in value)


def _items(value: Any, wanted: Any, _schema: Any, root: _Root) -> bool:
    return not isinstance(value, list) or all(_conforms(item, wanted, root) for item in value)


def _one_of(value: Any, wanted: Any, _schema: Any, root: _Root) -> bool:
    # With an uncertain branch the count may be wrong, but only branches that are told apart by
    # closed tables or by type occur, and those are certain.
    return sum(_conforms(value, branch, root) for branch in wanted) == 1


def _any_of(value: Any, wanted: Any, _schema: Any, root: _Root) -> bool:
    return any(_conforms(value, branch, root) for branch in wanted)


def _all_of(value: Any, wanted: Any, _schema: Any, root: _Root) -> bool:
    return all(_conforms(value, branch, root) for branch in wanted)


def _format(value: Any, wanted: Any, _schema: Any, _root: Any) -> bool:
    if wanted != "regex":
        return False
    if not isinstance(value, str):
        return True
    try:
        re.compile(value)
    except re.error:
        return False
    return True


def _simple(applies: Callable[[Any], bool], holds: Callable[[Any, Any], bool]) -> _Test:
    """A keyword that looks only at the value, and only at values of some kind."""
    return lambda value, wanted, _schema, _root: not applies(value) or holds(value, wanted)


def _same(value: Any, wanted: Any) -> bool:
    # True equals 1 in Python but not in JSON.
    return type(value) is type(wanted) and bool(value == wanted)


_TEXT: Final = _TYPES["string"]
_ARRAY: Final = _TYPES["array"]
_TABLE: Final = _TYPES["object"]
_TESTS: Final[Mapping[str, _Test]] = {
    "$ref": _reference,
    "type": _type,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _property_names,
    "items": _items,
    "oneOf": _one_of,
    "anyOf": _any_of,
    "allOf": _all_of,
    "format": _format,
    "const": _simple(lambda _: True, _same),
    "enum": _simple(lambda _: True, lambda value, allowed: any(_same(value, x) for x in allowed)),
    "required": _simple(_TABLE, lambda table, keys: all(key in table for key in keys)),
    "pattern": _simple(_TEXT, lambda text, pattern: re.search(pattern, text) is not None),
    "minLength": _simple(_TEXT, lambda text, least: len(text) >= least),
    "maxLength": _simple(_TEXT, lambda text, most: len(text) <= most),
    "minItems": _simple(_ARRAY, lambda items, least: len(items) >= least),
    "maxItems": _simple(_ARRAY, lambda items, most: len(items) <= most),
    "minProperties": _simple(_TABLE, lambda table, least: len(table) >= least),
    "minimum": _simple(_is_number, lambda number, least: bool(number >= least)),
    "maximum": _simple(_is_number, lambda number, most: bool(number <= most)),
    "exclusiveMinimum": _simple(_is_number, lambda number, bound: bool(number > bound)),
    "exclusiveMaximum": _simple(_is_number, lambda number, bound: bool(number < bound)),
}
