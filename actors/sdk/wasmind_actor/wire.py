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
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
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
)

from wasmind_actor.codec import (
    BOOLEAN,
    INTEGER,
    STRING,
    Anything,
    Codec,
    DecodeError,
    Field,
    FlexibleBoolean,
    Json,
    Many,
    Number,
    Object,
    Param,
    Refined,
    Schema,
    Table,
)
from wasmind_actor.findings import CANNOT_LOAD, Finding, StandIn, refuse, subject_of
from wasmind_actor.json_form import NoJsonFormError
from wasmind_actor.struct import Struct, declaring, members
from wasmind_actor.unions import (
    Case,
    Choice,
    Either,
    External,
    Newtype,
    Optional,
    Tagged,
)

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
        document = whole_characters(json.loads(data), data)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"invalid JSON: {error}") from None
    return from_json(cls, document)


def whole_characters(document: Json, written: bytes | str) -> Json:
    """Decoded JSON, `?` for every half of a surrogate pair.

    JSON can write such halves, and models do, but they have no UTF-8 form: an actor that encodes
    one would fail.

    Args:
        document: what was decoded.
        written: what it was decoded from; most texts show at a glance that they hold none.
    """
    if isinstance(written, str):
        may_have_halves = "\\ud" in written or "\\uD" in written
    else:
        may_have_halves = b"\\ud" in written or b"\\uD" in written
    if not may_have_halves:
        return document
    text = json.dumps(document, ensure_ascii=False)
    whole: Json = json.loads(text.encode("utf-8", "replace"))
    return whole


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
        NoJsonFormError: JSON has nothing of that kind.
        NameError: it refers to something that is not defined yet.
    """
    try:
        return _codecs[annotation]
    except (KeyError, TypeError):  # unknown, or not hashable
        codec = _build(annotation)
    with suppress(TypeError):
        _codecs[annotation] = codec
    return codec


def _build(annotation: Any) -> Codec:
    simple = _SIMPLE.get(annotation) if isinstance(annotation, type) else None
    if simple:
        return simple
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:])
    if origin is Literal:
        return _choice(arguments)
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if (container := origin or annotation) in (list, tuple, Sequence):
        return _many(annotation, container, arguments)
    if container in (dict, Mapping):
        return _table(annotation, arguments)
    if annotation is Any or annotation is object or isinstance(annotation, StandIn):
        return Anything()
    if isinstance(annotation, type):
        return _of_class(annotation)
    # `NewType`, and `type X = ...`.
    meant = getattr(annotation, "__supertype__", None) or getattr(annotation, "__value__", None)
    if meant is None:
        raise NoJsonFormError(annotation)
    return codec_of(meant)


def _of_class(annotation: type) -> Codec:
    if issubclass(annotation, Enum) and _are_scalars(each.value for each in annotation):
        return Choice(tuple(each.value for each in annotation), annotation)
    if issubclass(annotation, Record):
        if annotation._shape.newtype and not issubclass(annotation, Variant):
            (value,) = members(annotation)
            return Newtype(annotation, _member_codec(annotation, value.name, value.annotation))
        return _record(annotation)
    raise NoJsonFormError(annotation)


_SIMPLE: Final[Mapping[type, Codec]] = {
    str: STRING,
    bool: BOOLEAN,
    int: INTEGER,
    float: Number(),
}


def _choice(values: Sequence[Any]) -> Codec:
    present = tuple(value for value in values if value is not None)
    if not _are_scalars(present):
        raise NoJsonFormError(Literal[tuple(values)])
    choice = Choice(present)
    return choice if len(present) == len(values) else Optional(choice)


def _are_scalars(values: Iterable[Any]) -> bool:
    # The value of a member of a `StrEnum` is a plain string; a member itself is none.
    return all(type(value) in (str, int, bool) for value in values)


def _many(annotation: Any, container: Any, arguments: Sequence[Any]) -> Codec:
    make = list if container is list else tuple
    if not arguments:
        return Many(Anything(), make)
    if container is tuple and arguments[1:] != (Ellipsis,):
        raise NoJsonFormError(annotation)
    return Many(codec_of(arguments[0]), make)


def _table(annotation: Any, arguments: Sequence[Any]) -> Codec:
    if not arguments:
        return Table(Anything())
    key = STRING if arguments[0] is Any else codec_of(arguments[0])
    if key.schema().get("type") != "string":
        raise NoJsonFormError(annotation)
    return Table(codec_of(arguments[1]), None if key is STRING else key)


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
    choices = [member for member in present if get_origin(member) is Literal]
    if len(choices) > 1:
        values = tuple(value for choice in choices for value in get_args(choice))
        others = [member for member in members if member not in choices]
        return codec_of(Union[(Literal[values], *others)])
    if Any in present or object in present:
        return Anything()
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
    either = Either(tuple(codec_of(member) for member in present))
    if not either.is_clear:
        raise NoJsonFormError(Union[tuple(members)])  # noqa: UP007 - made at run time
    return either


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
            codec = _member_codec(cls, each.name, each.annotation)
            part = Field(each.name, codec, each.factory() if each.factory else each.default)
            parts.append(never_null(part) if cls._shape.closed else part)
    return Object(
        make=cls,
        fields=tuple(parts),
        tag=cls._shape.tag if tagged else None,
        rest=rest,
        unit=issubclass(cls, Message) and not parts and not rest,
        omit_none=cls._shape.omit_none,
        closed=cls._shape.closed,
    )


def _member_codec(cls: type[Record], name: str, annotation: Any) -> Codec:
    """The codec of a member of a class; mistakes are refused, see `findings`."""
    try:
        return codec_of(annotation)
    except NoJsonFormError as error:
        refuse(
            Finding(
                code=CANNOT_LOAD,
                message=f"`{cls.__name__}.{name}`: {error}",
                subject=subject_of(declaring(cls, name), name),
                help=error.help,
            )
        )
        return Anything()


def never_null(each: Field) -> Field:
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
