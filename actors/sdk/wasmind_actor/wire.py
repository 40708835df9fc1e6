"""Declaring what goes over the wire: records, enums and messages as plain annotated classes.

    class Ticket(Record):
        title: str
        points: Annotated[int, Param("story points", minimum=1)] = 1

    class TicketOpened(Message, type="tracker.TicketOpened"):
        ticket: Ticket
        watchers: tuple[Scope, ...] = ()

Subclasses are frozen, keyword-only data classes (see `struct`). Their JSON follows Rust's serde:
objects with unknown keys ignored, `None` as null, `A | B` of variants as externally tagged enum.
"""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from wasmind_actor.codec import (
    BOOLEAN,
    INTEGER,
    STRING,
    Anything,
    Case,
    Choice,
    Codec,
    DecodeError,
    External,
    Field,
    FlexibleBoolean,
    Json,
    Many,
    Newtype,
    Number,
    Object,
    Optional,
    Param,
    Refined,
    Schema,
    Table,
    Tagged,
)
from wasmind_actor.struct import REQUIRED, Struct, members

T = TypeVar("T")
E = TypeVar("E")
R = TypeVar("R", bound="Record")

Reach: TypeAlias = Literal["own", "addressed", "any"]


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a class looks in JSON, beyond its fields."""

    tag: tuple[str, str] | None = None
    omit_none: bool = False
    closed: bool = False
    newtype: bool = False


@dataclass(frozen=True, slots=True)
class _Marker:
    name: str


#: On a field: take all keys that no other field claims.
REST: Final = _Marker("rest")
#: On a field: leave out the tag that the record has elsewhere.
UNTAGGED: Final = _Marker("untagged")


class Record(Struct):
    """A JSON object. Subclasses are frozen, keyword-only data classes."""

    _shape: ClassVar[_Shape] = _Shape()

    def __init_subclass__(
        cls,
        *,
        tag: tuple[str, str] | None = None,
        omit_none: bool | None = None,
        kw_only: bool = True,
        **shape: Any,
    ) -> None:
        """Declare how it looks in JSON.

        Args:
            tag: key and value added to the object, to tell records of a union apart.
            omit_none: leave keys out whose value is None, instead of writing null.
            kw_only: False lets the fields be given by position.
            shape: for the library itself.
        """
        super().__init_subclass__()
        inherited = cls._shape
        cls._shape = _Shape(
            tag=tag or inherited.tag,
            omit_none=inherited.omit_none if omit_none is None else omit_none,
            closed=shape.get("closed", inherited.closed),
            newtype=shape.get("newtype", False),
        )
        with suppress(NameError):  # refers to a class that is yet to come: built on first use
            codec_of(cls)


class Variant(Record):
    """A case: `A | B` of variants is `{"A": {...}}` or `{"B": {...}}`; `"A"` if empty."""

    variant_name: ClassVar[str] = ""

    def __init_subclass__(cls, *, name: str = "", newtype: bool = False, **shape: Any) -> None:
        """Name the case.

        Args:
            name: its name in JSON, the class's own by default.
            newtype: the case holds the value of its field `value` instead of an object.
            shape: as for `Record`.
        """
        cls.variant_name = name or cls.__name__
        super().__init_subclass__(newtype=newtype, **shape)


class Ok(Variant, Generic[T], newtype=True, kw_only=False):
    """The good case of `Ok[T] | Err[E]`."""

    value: T


class Err(Variant, Generic[E], newtype=True, kw_only=False):
    """The bad case of `Ok[T] | Err[E]`."""

    value: E


class Config(Record, closed=True):
    """An actor's configuration; unknown keys are errors."""


class BroadcastError(Exception):
    """A message that the host did not take; the text says why."""


class Message(Record):
    """What actors broadcast to each other. A message without fields is null in JSON."""

    message_type: ClassVar[str] = ""
    #: Whose messages a handler sees unless it says otherwise.
    reach: ClassVar[Reach] = "own"

    def __init_subclass__(
        cls,
        *,
        type: str = "",  # noqa: A002 - reads as it should
        reach: Reach | None = None,
        newtype: bool = False,
        **shape: Any,
    ) -> None:
        """Name the message.

        Args:
            type: its name on the bus, the same in all languages.
            reach: whose messages a handler sees by default: those sent from its `own` scope,
                those `addressed` to its scope by a field `agent`, or `any`. A message with such a
                field is addressed, any other own.
            newtype: it is the value of its field `value` instead of an object.
            shape: as for `Record`.
        """
        cls.message_type = type or cls.message_type
        super().__init_subclass__(newtype=newtype, **shape)
        addressed = "agent" in cls.__annotations__
        cls.reach = reach or ("addressed" if addressed else cls.reach)


def text_of(record: Record) -> str:
    """The record as compact JSON; it may hold lone surrogates, which models do produce."""
    return json.dumps(to_json(record), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def dumps(record: Record) -> bytes:
    """The record as compact JSON in UTF-8."""
    return text_of(record).encode("utf-8", "replace")


def loads(cls: type[R], data: bytes | str) -> R:
    """Read a record.

    Raises:
        DecodeError: not JSON, or JSON that does not fit.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"invalid JSON: {error}") from None
    return from_json(cls, document)


def to_json(record: Record) -> Json:
    """The record as decoded JSON."""
    return codec_of(type(record)).encode(record)


def from_json(cls: type[R], document: Json) -> R:
    """Read a record from decoded JSON.

    Raises:
        DecodeError: it does not fit.
    """
    decoded: R = codec_of(cls).decode(document, "")
    return decoded


def schema_of(cls: type[Record]) -> Schema:
    """JSON Schema of a record."""
    return codec_of(cls).schema()


_codecs: dict[Any, Codec] = {}


def codec_of(annotation: Any) -> Codec:
    """The codec of a type annotation.

    Raises:
        TypeError: no JSON form is defined for it.
        NameError: it refers to something that is not defined yet.
    """
    try:
        return _codecs[annotation]
    except (KeyError, TypeError):  # unknown, or not hashable
        codec = _build(annotation)
    with suppress(TypeError):
        _codecs[annotation] = codec
    return codec


def parameters_codec(function: Callable[..., Any], skip: Sequence[str] = ()) -> Object:
    """The codec of a function's parameters, decoded to a dict of keyword arguments."""
    code, defaults = function.__code__, function.__defaults__ or ()
    count = code.co_argcount + code.co_kwonlyargcount
    names = code.co_varnames[:count]
    positional = names[: code.co_argcount]
    given = dict(zip(positional[len(positional) - len(defaults) :], defaults, strict=True))
    given.update(function.__kwdefaults__ or {})
    hints = get_type_hints(function, include_extras=True)
    return Object(
        make=dict,
        fields=tuple(
            _never_null(Field(name, codec_of(hints[name]), given.get(name, REQUIRED)))
            for name in names
            if name not in skip
        ),
    )


def _build(annotation: Any) -> Codec:
    simple = _SIMPLE.get(annotation) if isinstance(annotation, type) else None
    if simple:
        return simple
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:])
    if origin is Literal:
        return Choice(arguments)
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if origin in (list, tuple, Sequence):
        return Many(codec_of(arguments[0]), list if origin is list else tuple)
    if origin in (dict, Mapping):
        named = get_origin(arguments[0]) is Annotated
        return Table(codec_of(arguments[1]), codec_of(arguments[0]) if named else None)
    if annotation is Any or annotation is object:
        return Anything()
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return Choice(tuple(each.value for each in annotation), annotation)
    if isinstance(annotation, type) and issubclass(annotation, Record):
        if annotation._shape.newtype and not issubclass(annotation, Variant):
            (value,) = members(annotation)
            return Newtype(annotation, codec_of(value.annotation))
        return _record(annotation)
    raise TypeError(f"`{annotation}` has no JSON form")


_SIMPLE: Final[Mapping[type, Codec]] = {
    str: STRING,
    bool: BOOLEAN,
    int: INTEGER,
    float: Number(),
}


def _annotated(annotation: Any, metadata: Sequence[Any]) -> Codec:
    codec = codec_of(annotation)
    for each in metadata:
        if isinstance(each, Codec):
            codec = each
        elif isinstance(each, Param):
            codec = Refined(codec, each)
        elif each is UNTAGGED:
            codec = _record(annotation, tagged=False)
    return codec


def _union(members: Sequence[Any]) -> Codec:
    present = [member for member in members if member is not type(None)]
    if len(present) < len(members):
        return Optional(codec_of(Union[tuple(present)]))  # noqa: UP007 - made at run time
    classes = [get_origin(member) or member for member in present]
    if all(isinstance(cls, type) and issubclass(cls, Variant) for cls in classes):
        cases = [_case(cls, get_args(member)) for cls, member in zip(classes, present, strict=True)]
        return External({case.name: case for case in cases}, dict(zip(classes, cases, strict=True)))
    if all(isinstance(cls, type) and issubclass(cls, Record) and cls._shape.tag for cls in classes):
        objects = {cls: _record(cls) for cls in classes}
        by_tag = {each.tag: each for each in objects.values() if each.tag}
        key = next(key for key, _ in by_tag)
        return Tagged(key, {value: each for (_, value), each in by_tag.items()}, objects)
    raise TypeError(f"a union of `{present}` has no JSON form: use variants or tagged records")


def _case(cls: type[Variant], arguments: Sequence[Any]) -> Case:
    if cls._shape.newtype:
        (value,) = members(cls)
        # Ok[str]: the type of the value is a variable, its value the argument.
        variable = isinstance(value.annotation, TypeVar)
        content = codec_of(arguments[0] if variable else value.annotation)
        return Case(cls.variant_name, cls, content, newtype=True)
    record = _record(cls)
    return Case(cls.variant_name, cls, record if record.fields else None)


def _record(cls: type[Record], *, tagged: bool = True) -> Object:
    rest, parts = None, []
    for each in members(cls):
        if REST in getattr(each.annotation, "__metadata__", ()):
            rest = each.name
        else:
            default = None if each.factory else each.default
            part = Field(each.name, codec_of(each.annotation), default)
            parts.append(_never_null(part) if cls._shape.closed else part)
    return Object(
        make=cls,
        fields=tuple(parts),
        tag=cls._shape.tag if tagged else None,
        rest=rest,
        unit=issubclass(cls, Message) and not parts and not rest,
        omit_none=cls._shape.omit_none,
        closed=cls._shape.closed,
    )


def _never_null(each: Field) -> Field:
    """The field as models and authors of TOML see it: left out instead of null."""
    codec = each.codec
    if each.default is not None:
        return each
    if isinstance(codec, Optional):
        return dataclasses.replace(each, codec=codec.inner)
    if isinstance(codec, Refined) and isinstance(codec.inner, Optional):
        return dataclasses.replace(each, codec=Refined(codec.inner.inner, codec.param))
    return each


I32: TypeAlias = Annotated[int, Param(minimum=-(2**31), maximum=2**31 - 1)]
I64: TypeAlias = Annotated[int, Param(minimum=-(2**63), maximum=2**63 - 1)]
U32: TypeAlias = Annotated[int, Param(minimum=0, maximum=2**32 - 1)]
FlexibleBool: TypeAlias = Annotated[bool, FlexibleBoolean()]
"""A boolean that is also read from strings such as `"yes"`: models write them so."""
