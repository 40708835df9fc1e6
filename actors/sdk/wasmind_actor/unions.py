"""Codecs of values that are one of several: choices, unions, variants."""

# ruff: noqa: D102 - overriding methods keep the signature and the contract of the base class

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from wasmind_actor.codec import Codec, DecodeError, Json, Object, Schema, describe, join


def _itself(value: Json) -> Json:
    return value


@dataclass(frozen=True, slots=True)
class Choice(Codec):
    """One of a few strings, integers or booleans; decoded by `make`, for example an enum class."""

    values: tuple[str | int, ...]
    make: Callable[[Any], Any] = _itself

    def decode(self, value: Json, path: str) -> Any:
        for each in self.values:
            if type(value) is type(each) and value == each:
                return self.make(value)
        listed = ", ".join(f"`{self._shown(each)}`" for each in self.values)
        scalar = type(value) in (str, int, float, bool)
        found = f"`{self._shown(value)}`" if scalar else describe(value)
        raise DecodeError(f"expected one of {listed}, found {found}", path)

    def encode(self, value: Any) -> Json:
        return value.value if isinstance(value, Enum) else value

    def schema(self) -> Schema:
        kinds = list(dict.fromkeys(json_type(each) for each in self.values))
        # Some providers refuse choices without a type.
        return {"type": kinds[0] if len(kinds) == 1 else kinds, "enum": list(self.values)}

    def _shown(self, value: Json) -> str:
        """A value; quoted where it could be taken for another one."""
        if type(value) is str and all(type(each) is str for each in self.values):
            return value
        return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Either(Codec):
    """One of several, told apart by what they are in JSON."""

    members: tuple[Codec, ...]

    @property
    def is_clear(self) -> bool:
        """Whether a value's type in JSON says which member it is."""
        kinds = [kind for member in self.members for kind in _types(member.schema())]
        return len(kinds) == len(set(kinds)) and "" not in kinds

    def decode(self, value: Json, path: str) -> Any:
        member = self._member(json_type(value))
        if member is None:
            kinds = [kind for each in self.members for kind in _types(each.schema())]
            expected = " or ".join(f"{'an' if x[0] in 'aeiou' else 'a'} {x}" for x in kinds)
            raise DecodeError(f"expected {expected}, found {describe(value)}", path)
        return member.decode(value, path)

    def faults(self, value: Json, path: str) -> list[str]:
        member = self._member(json_type(value))
        return Codec.faults(self, value, path) if member is None else member.faults(value, path)

    def encode(self, value: Any) -> Json:
        member = self._member(json_type(value.value if isinstance(value, Enum) else value))
        return value if member is None else member.encode(value)

    def schema(self) -> Schema:
        return {"anyOf": [member.schema() for member in self.members]}

    def _member(self, kind: str) -> Codec | None:
        """The member for a type of JSON; every integer is a number as well."""
        for wanted in (kind, "number") if kind == "integer" else (kind,):
            for member in self.members:
                if wanted in _types(member.schema()):
                    return member
        return None


def json_type(value: Any) -> str:
    """What a Python value is in JSON; objects are all that is nothing else."""
    names = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
    if type(value) in (list, tuple):
        return "array"
    return names.get(type(value), "object")


def _types(schema: Schema) -> tuple[str, ...]:
    """The types of JSON that a schema allows; an empty one if it does not say."""
    if "anyOf" in schema:
        return tuple(kind for each in schema["anyOf"] for kind in _types(each))
    kinds = schema.get("type", "")
    return (kinds,) if isinstance(kinds, str) else tuple(kinds)


@dataclass(frozen=True, slots=True)
class Optional(Codec):
    """A value or null."""

    inner: Codec
    optional = True

    def decode(self, value: Json, path: str) -> Any:
        return None if value is None else self.inner.decode(value, path)

    def faults(self, value: Json, path: str) -> list[str]:
        return [] if value is None else self.inner.faults(value, path)

    def encode(self, value: Any) -> Json:
        return None if value is None else self.inner.encode(value)

    def schema(self) -> Schema:
        inner = self.inner.schema()
        if not inner:
            return inner
        if "type" not in inner:
            return {"anyOf": [inner, {"type": "null"}]}
        choices = {"enum": [*inner["enum"], None]} if "enum" in inner else {}
        return {**inner, "type": [*_types(inner), "null"], **choices}


@dataclass(frozen=True, slots=True)
class Tagged(Codec):
    """Objects told apart by the value of one of their keys (serde's internally tagged enum)."""

    key: str
    cases: Mapping[str, Object]
    by_class: Mapping[type, Object]

    def decode(self, value: Json, path: str) -> Any:
        if type(value) is not dict:
            raise DecodeError(f"expected an object, found {describe(value)}", path)
        tag = Choice(tuple(self.cases)).decode(value.get(self.key), join(path, self.key))
        return self.cases[tag].decode(value, path)

    def faults(self, value: Json, path: str) -> list[str]:
        tag = value.get(self.key) if type(value) is dict else None
        case = self.cases.get(tag) if type(tag) is str else None
        return Codec.faults(self, value, path) if case is None else case.faults(value, path)

    def encode(self, value: Any) -> Json:
        return self.by_class[type(value)].encode(value)

    def schema(self) -> Schema:
        return {"anyOf": [case.schema() for case in self.cases.values()]}


@dataclass(frozen=True, slots=True)
class Case:
    """A case of an `External` enum: its name and what follows it; None if nothing does."""

    name: str
    make: Callable[..., Any]
    content: Codec | None
    #: The content is the value of the case's only field, not an object of its fields.
    newtype: bool = False

    def decode(self, value: Json, path: str) -> Any:
        """The case, from the value behind its name."""
        if self.content is None:
            if value is not None:
                raise DecodeError(f"expected null, found {describe(value)}", path)
            return self.make()
        content = self.content.decode(value, path)
        return self.make(value=content) if self.newtype else content

    def encode(self, value: Any) -> Json:
        """`"Name"` or `{"Name": ...}`."""
        if self.content is None:
            return self.name
        return {self.name: self.content.encode(value.value if self.newtype else value)}

    def schema(self) -> Schema:
        """The schema of what `encode` makes."""
        if self.content is None:
            return {"type": "string", "const": self.name}
        return {
            "type": "object",
            "properties": {self.name: self.content.schema()},
            "required": [self.name],
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True)
class External(Codec):
    """Cases told apart by a name around them (serde's externally tagged enum)."""

    cases: Mapping[str, Case]
    by_class: Mapping[type, Case]

    def decode(self, value: Json, path: str) -> Any:
        if type(value) is str:
            name, content = value, None
        elif type(value) is dict and len(value) == 1:
            name, content = next(iter(value.items()))
        else:
            raise DecodeError(f"expected a single case, found {describe(value)}", path)
        case = self.cases[Choice(tuple(self.cases)).decode(name, path)]
        return case.decode(content, join(path, name))

    def encode(self, value: Any) -> Json:
        return self.by_class[type(value)].encode(value)

    def schema(self) -> Schema:
        return {"anyOf": [case.schema() for case in self.cases.values()]}


@dataclass(frozen=True, slots=True)
class Newtype(Codec):
    """A class around a single value that JSON does not show (serde's newtype struct)."""

    make: Callable[..., Any]
    inner: Codec

    def decode(self, value: Json, path: str) -> Any:
        return self.make(value=self.inner.decode(value, path))

    def faults(self, value: Json, path: str) -> list[str]:
        return self.inner.faults(value, path)

    def encode(self, value: Any) -> Json:
        return self.inner.encode(value.value)

    def schema(self) -> Schema:
        return self.inner.schema()
