"""Frozen classes with named members: dataclasses for guests.

A dataclass compiles its methods when the class is made. Inside WebAssembly that takes some five
milliseconds for each class, every time an actor starts; these need a few microseconds. They
understand `dataclasses.field` and type checkers take them for dataclasses.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NoReturn, TypeVar, dataclass_transform, get_origin

S = TypeVar("S", bound="Struct")

#: The default of a member that has none.
REQUIRED: Final = object()


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a struct: `default` or the result of `factory` unless given."""

    name: str
    annotation: Any
    default: Any = REQUIRED
    factory: Callable[[], Any] | None = None

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is REQUIRED and self.factory is None


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field,)
)
class Struct:
    """Base of frozen, keyword-only data classes."""

    _own_members: ClassVar[Mapping[str, Member] | None] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._own_members = None
        try:
            cls._own_members = dict(_declared(cls))
        except NameError:
            return  # an annotation refers to a class that is yet to come: see `members`

    def __init__(self, *values: Any, **named: Any) -> None:
        members_ = members(type(self))
        named.update(zip((each.name for each in members_), values, strict=False))
        for each in members_:
            if each.name in named:
                self.__dict__[each.name] = named.pop(each.name)
            elif each.factory is not None:
                self.__dict__[each.name] = each.factory()
            elif each.default is not REQUIRED:
                self.__dict__[each.name] = each.default
            else:
                raise TypeError(f"{type(self).__name__} needs `{each.name}`")
        if named:
            raise TypeError(f"{type(self).__name__} has no `{next(iter(named))}`")

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: use `replace`")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({inner})"


def members(cls: type[Struct]) -> tuple[Member, ...]:
    """The members of a struct class, those of its bases first."""
    found: dict[str, Member] = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, Struct):
            if base._own_members is None:
                base._own_members = dict(_declared(base))
            found.update(base._own_members)
    return tuple(found.values())


def declaring(cls: type[Struct], name: str) -> type[Struct]:
    """The class, of a struct class and its bases, that declares a member."""
    declared = (each for each in cls.__mro__ if name in (getattr(each, "_own_members", None) or ()))
    return next(declared, cls)


def replace(struct: S, **changes: Any) -> S:
    """A copy with some members changed."""
    return type(struct)(**{**struct.__dict__, **changes})


def _declared(cls: type[Struct]) -> Iterator[tuple[str, Member]]:
    for name, annotation in inspect.get_annotations(cls, eval_str=True).items():
        origin: Any = get_origin(annotation)
        if origin is ClassVar:
            continue
        default = cls.__dict__.get(name, REQUIRED)
        if isinstance(default, dataclasses.Field):
            factory = (
                None if default.default_factory is dataclasses.MISSING else default.default_factory
            )
            value = REQUIRED if default.default is dataclasses.MISSING else default.default
            yield name, Member(name, annotation, value, factory)
        else:
            yield name, Member(name, annotation, default)
