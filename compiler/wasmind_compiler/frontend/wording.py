"""Types, values and what schemas require of them, in words."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any, Final

from wasmind_compiler.frontend.sections import literal

_ARTICLED: Final = {
    "object": "a table",
    "array": "an array",
    "string": "a string",
    "boolean": "a boolean",
    "integer": "an integer",
    "number": "a number",
}
_REQUIREMENTS: Final = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} elements",
    "maxItems": "must have at most {} elements",
    "uniqueItems": "must not have an element twice",
    "minProperties": "must have at least {} keys",
    "maxProperties": "must have at most {} keys",
    "pattern": "must match `{}`",
    "format": "is not a valid {}",
    "anyOf": "fits none of the alternatives of its schema",
    "oneOf": "does not fit exactly one of the alternatives of its schema",
}


def expected(types: Iterable[str]) -> str:
    """JSON types as TOML has them: `a boolean or a table`."""
    # TOML has no null.
    names = [_ARTICLED[name] for name in types if name in _ARTICLED]
    return " or ".join(names) or "left out"


def kind_of(value: Any) -> str:
    """A value's TOML type with its article."""
    if isinstance(value, datetime.date | datetime.time):
        return "a date or time"
    names: list[tuple[type, str]] = [
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a float"),
        (str, "a string"),
        (list, "an array"),
        (dict, "a table"),
    ]
    return next((name for kind, name in names if isinstance(value, kind)), "nothing")


def as_written(value: Any) -> str:
    """A value as people write it, strings without their quotes."""
    return value if isinstance(value, str) else literal(value)


def requirement(keyword: str, wanted: Any) -> str:
    """What a keyword of a schema asks of a value that does not fit it."""
    if keyword in ("minLength", "minItems", "minProperties") and wanted == 1:
        return "must not be empty"
    if keyword == "pattern":
        # Of no interest to people: what Python's `$` needs to mean the end of the text.
        wanted = str(wanted).replace(r"(?!\n)$", "$")
    if keyword in _REQUIREMENTS:
        return _REQUIREMENTS[keyword].format(wanted)
    return f"does not fit `{keyword}` of its schema"
