"""How Python types look in JSON: decoding, encoding and JSON Schema from one set of annotations.

A codec is built once per type and then only used. The JSON is that of Rust's serde, since messages
are shared with actors written in Rust: see `wasmind_actor.wire` for the declarations.
"""

# ruff: noqa: D102 - overriding methods keep the signature and the contract of the base class

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from wasmind_actor.similar import closest
from wasmind_actor.struct import REQUIRED

Json: TypeAlias = Any
Schema: TypeAlias = dict[str, Json]


#: Below this every integer has a float of its own.
_EXACT: Final = 2.0**53


class DecodeError(ValueError):
    """JSON that does not fit a type; `path` says where, for example `edits[1].old_string`."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.message = message
        self.path = path


@dataclass(frozen=True, slots=True)
class Param:
    """What an annotation adds to a type, as in `Annotated[int, Param("seconds", minimum=1)]`.

    Attributes:
        text: description, for the model or for the author of a configuration.
        minimum, maximum: bounds of a number.
        clamp: move a number to the nearest bound instead of refusing it.
        min_items: least length of a list.
        pattern: regular expression that is found in a string; may be that of a table's keys, as in
            `Mapping[Annotated[str, Param(pattern="^x-")], str]`.
        nullable: whether an explicit null means the default; only where there is a default.
        refers: what a string (or list or table of strings) of a configuration names, so that the
            compiler can check it: `model`, `actor` or `actors` (those of one new agent).
        examples: usual values of a string; of a table's keys, what a key that is almost one of
            them was probably meant to be.
    """

    text: str = ""
    minimum: float | None = None
    maximum: float | None = None
    clamp: bool = False
    min_items: int | None = None
    pattern: str | None = None
    nullable: bool = True
    refers: str | None = None
    examples: tuple[str, ...] = ()

    def schema(self) -> Schema:
        """The JSON Schema keywords it stands for."""
        keywords = {
            "description": self.text or None,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "minItems": self.min_items,
            "pattern": self.pattern,
            "x-wasmind": self.refers,
            "examples": list(self.examples) or None,
        }
        return {key: value for key, value in keywords.items() if value is not None}


class Codec:
    """A type's three faces."""

    #: Whether a field of this type may be missing although it has no default.
    optional = False

    def decode(self, value: Json, path: str) -> Any:
        """The Python value; `path` is where it stands, for messages.

        Raises:
            DecodeError: it does not fit.
        """
        raise NotImplementedError

    def faults(self, value: Json, path: str) -> list[str]:
        """All that is wrong with a value, a line each; `decode` raises the first only."""
        try:
            self.decode(value, path)
        except DecodeError as error:
            return [str(error)]
        return []

    def encode(self, value: Any) -> Json:
        """The JSON value."""
        return value

    def schema(self) -> Schema:
        """JSON Schema of what `encode` makes and `decode` takes."""
        raise NotImplementedError


def describe(value: Json) -> str:
    """What a JSON or TOML value is, for messages."""
    names = {
        bool: "a boolean",
        int: "an integer",
        float: "a number",
        str: "a string",
        list: "an array",
        dict: "an object",
        type(None): "null",
    }
    return names.get(type(value), f"a {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class Plain(Codec):
    """A value that JSON has too, of exactly one Python type."""

    kind: type
    name: str

    def decode(self, value: Json, path: str) -> Any:
        if type(value) is not self.kind:
            article = "an" if self.name[0] in "aeiou" else "a"
            raise DecodeError(f"expected {article} {self.name}, found {describe(value)}", path)
        return value

    def schema(self) -> Schema:
        return {"type": self.name}


STRING: Final = Plain(str, "string")
BOOLEAN: Final = Plain(bool, "boolean")
INTEGER: Final = Plain(int, "integer")


class Number(Codec):
    """A float; integers are taken too."""

    def decode(self, value: Json, path: str) -> float:
        if type(value) not in (int, float):
            raise DecodeError(f"expected a number, found {describe(value)}", path)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise DecodeError(f"expected a finite number, found {number}", path)
        return number

    def schema(self) -> Schema:
        return {"type": "number"}


class FlexibleBoolean(Codec):
    """A boolean as language models write it: also `"true"`, `"No"`, `"1"` and the like."""

    _words: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

    def decode(self, value: Json, path: str) -> bool:
        if type(value) is bool:
            return value
        if type(value) is str and value.lower() in self._words:
            return self._words[value.lower()]
        raise DecodeError(f"expected a boolean, found {describe(value)}", path)

    def schema(self) -> Schema:
        return {"type": "boolean"}


class Anything(Codec):
    """Any JSON value, as it is."""

    def decode(self, value: Json, path: str) -> Json:
        return value

    def schema(self) -> Schema:
        return {}


@dataclass(frozen=True, slots=True)
class Many(Codec):
    """An array; decoded by `make`, either `tuple` or `list`."""

    item: Codec
    make: Callable[[Any], Sequence[Any]] = tuple

    def decode(self, value: Json, path: str) -> Sequence[Any]:
        if type(value) is not list:
            raise DecodeError(f"expected an array, found {describe(value)}", path)
        return self.make(
            self.item.decode(item, f"{path}[{index}]") for index, item in enumerate(value)
        )

    def faults(self, value: Json, path: str) -> list[str]:
        if type(value) is not list:
            return Codec.faults(self, value, path)
        items = enumerate(value)
        return [x for index, item in items for x in self.item.faults(item, f"{path}[{index}]")]

    def encode(self, value: Any) -> Json:
        return [self.item.encode(item) for item in value]

    def schema(self) -> Schema:
        return {"type": "array", "items": self.item.schema()}


@dataclass(frozen=True, slots=True)
class Table(Codec):
    """An object whose keys are data; `key` judges them, if they cannot be just any."""

    item: Codec
    key: Codec | None = None

    def decode(self, value: Json, path: str) -> dict[str, Any]:
        if type(value) is not dict:
            raise DecodeError(f"expected an object, found {describe(value)}", path)
        if self.key is not None:
            for key in value:
                self.key.decode(key, path)
        return {key: self.item.decode(item, join(path, key)) for key, item in value.items()}

    def faults(self, value: Json, path: str) -> list[str]:
        if type(value) is not dict:
            return Codec.faults(self, value, path)
        keys = [] if self.key is None else [x for key in value for x in self.key.faults(key, path)]
        items = value.items()
        return keys + [x for key, item in items for x in self.item.faults(item, join(path, key))]

    def encode(self, value: Any) -> Json:
        return {key: self.item.encode(item) for key, item in value.items()}

    def schema(self) -> Schema:
        names = {} if self.key is None else {"propertyNames": self.key.schema()}
        return {"type": "object", "additionalProperties": self.item.schema(), **names}


@dataclass(frozen=True, slots=True)
class Refined(Codec):
    """A type with what a `Param` adds to it."""

    inner: Codec
    param: Param

    @property
    def optional(self) -> bool:  # type: ignore[override]
        return self.inner.optional

    def decode(self, value: Json, path: str) -> Any:
        decoded = self.inner.decode(value, path)
        if isinstance(decoded, int | float):
            return self._bounded(decoded, path)
        pattern, least = self.param.pattern, self.param.min_items
        if pattern is not None and isinstance(decoded, str) and not re.search(pattern, decoded):
            raise DecodeError(f"expected a match of `{pattern}`, found `{decoded}`", path)
        if least is not None and isinstance(decoded, Sequence) and len(decoded) < least:
            raise DecodeError(f"expected at least {least} item{'s' * (least != 1)}", path)
        return decoded

    def faults(self, value: Json, path: str) -> list[str]:
        return self.inner.faults(value, path) or Codec.faults(self, value, path)

    def _bounded(self, value: float, path: str) -> float:
        low, high = self.param.minimum, self.param.maximum
        if self.param.clamp:
            value = value if low is None else max(value, type(value)(low))
            return value if high is None else min(value, type(value)(high))
        if low is not None and value < low:
            raise DecodeError(f"expected at least {low}, found {value}", path)
        if high is not None and value > high:
            raise DecodeError(f"expected at most {high}, found {value}", path)
        return value

    def encode(self, value: Any) -> Json:
        return self.inner.encode(value)

    def schema(self) -> Schema:
        return {**self.inner.schema(), **self.param.schema()}


@dataclass(frozen=True, slots=True)
class Field:
    """A named part of an object."""

    name: str
    codec: Codec
    default: Any = REQUIRED

    @property
    def required(self) -> bool:
        """Whether an object without it does not decode."""
        return self.default is REQUIRED and not self.codec.optional

    def read(self, table: Mapping[str, Json], path: str) -> Any:
        """Its value in an object; `REQUIRED` stands for "leave it to the default"."""
        where = join(path, self.name)
        if self.name not in table:
            if self.required:
                raise DecodeError("missing", where)
            return None if self.default is REQUIRED else REQUIRED
        value = table[self.name]
        if self._is_default(value):
            return REQUIRED
        return self.codec.decode(value, where)

    def faults(self, table: Mapping[str, Json], path: str) -> list[str]:
        """All that is wrong with it in an object."""
        where = join(path, self.name)
        if self.name not in table:
            return [f"{where}: missing"] if self.required else []
        value = table[self.name]
        return [] if self._is_default(value) else self.codec.faults(value, where)

    def _is_default(self, value: Json) -> bool:
        return value is None and self.default is not REQUIRED and self._null_is_default()

    def _null_is_default(self) -> bool:
        return not (isinstance(self.codec, Refined) and not self.codec.param.nullable)

    def schema(self) -> Schema:
        """Its schema, with the default where JSON can express it."""
        schema = self.codec.schema()
        if self.default is not REQUIRED and self.default is not None:
            with suppress(AttributeError, KeyError, TypeError, ValueError):
                default = self.codec.encode(self.default)
                if type(default) not in (bool, int, str):
                    json.dumps(default, allow_nan=False)  # else it has no form in JSON
                schema["default"] = default
        return schema


@dataclass(frozen=True, slots=True)
class Object(Codec):
    """An object with known keys.

    Attributes:
        make: called with the fields as keywords.
        tag: key and value that tell it from others of a union (serde's internal tag).
        rest: name of the field that takes all unknown keys (serde's flatten).
        unit: it has no fields and is null (serde's unit struct).
        omit_none: leave keys out whose value is None.
        closed: refuse unknown keys instead of ignoring them.
    """

    make: Callable[..., Any]
    fields: tuple[Field, ...]
    tag: tuple[str, str] | None = None
    rest: str | None = None
    unit: bool = False
    omit_none: bool = False
    closed: bool = False

    def decode(self, value: Json, path: str) -> Any:
        if self.unit:
            if value is not None:
                raise DecodeError(f"expected null, found {describe(value)}", path)
            return self.make()
        if type(value) is not dict:
            raise DecodeError(f"expected an object, found {describe(value)}", path)
        unknown = self._unknown(value)
        if unknown and self.closed:
            raise DecodeError("unknown key", join(path, unknown[0]))
        found = {field.name: field.read(value, path) for field in self.fields}
        if self.rest:
            found[self.rest] = {key: value[key] for key in unknown}
        return self.make(**{name: each for name, each in found.items() if each is not REQUIRED})

    def faults(self, value: Json, path: str) -> list[str]:
        """As for every codec.

        An unknown key is wrong if it looks like one that is missing; others are only named beside
        what is wrong.
        """
        if self.unit or type(value) is not dict:
            return Codec.faults(self, value, path)
        wrong = [each for field in self.fields for each in field.faults(value, path)]
        missing = [field.name for field in self.fields if field.name not in value]
        unknown = [] if self.rest else self._unknown(value)
        strangers = {key: closest(key, missing) for key in unknown}
        if not wrong and not any(strangers.values()) and not (unknown and self.closed):
            return []
        known = ", ".join(f"`{field.name}`" for field in self.fields) or "none"
        for key, meant in strangers.items():
            advice = f"did you mean `{meant}`?" if meant else f"known: {known}"
            wrong.append(f"{join(path, key)}: unknown; {advice}")
        return wrong

    def _unknown(self, table: Mapping[str, Json]) -> list[str]:
        names = {field.name for field in self.fields}
        return [key for key in table if key not in names and (not self.tag or key != self.tag[0])]

    def encode(self, value: Any) -> Json:
        if self.unit:
            return None
        encoded: dict[str, Json] = dict([self.tag]) if self.tag else {}
        for field in self.fields:
            part = getattr(value, field.name)
            if part is not None or not self.omit_none:
                encoded[field.name] = field.codec.encode(part)
        return {**encoded, **getattr(value, self.rest)} if self.rest else encoded

    def schema(self) -> Schema:
        if self.unit:
            return {"type": "null"}
        properties = {field.name: field.schema() for field in self.fields}
        required = [field.name for field in self.fields if field.required]
        if self.tag:
            properties = {self.tag[0]: {"type": "string", "const": self.tag[1]}, **properties}
            required = [self.tag[0], *required]
        schema: Schema = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        if self.closed:
            schema["additionalProperties"] = False
        return schema


def written_number(text: str) -> int | float:
    """A number with a point or exponent as models and people mean it: `30.0` is an integer."""
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def join(path: str, key: str) -> str:
    """The path of a key below a path."""
    return f"{path}.{key}" if path else key
