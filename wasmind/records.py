"""Named tuples whose classes cost next to nothing to make.

`typing.NamedTuple` compiles a constructor for every class and every annotation that is a string, in
some 100 us a class. A clean `check` loads sixty such classes, which made up a tenth of it. Here one
constructor is compiled per number of fields, and a class gets it with the names of its own. To type
checkers a `Record` is a `typing.NamedTuple`, and it has all of that but `_make`.
"""

from __future__ import annotations

from collections import _tuplegetter  # type: ignore[attr-defined]
from functools import cache
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

__all__ = ["Record"]

_GLOBALS: Final = {"new": tuple.__new__}

if TYPE_CHECKING:
    from typing import NamedTuple as Record
else:

    class _RecordType(type):
        def __new__(
            cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]
        ) -> _RecordType:
            if tuple not in bases and Record in bases:
                _add_fields(name, namespace)
            return super().__new__(cls, name, bases, namespace)

    class Record(tuple, metaclass=_RecordType):
        """Base of classes that have nothing but annotated fields, and methods."""

        __slots__ = ()

        def __repr__(self) -> str:
            pairs = zip(self._fields, self, strict=True)
            return (
                f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"
            )

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, **changes: Any) -> Record:
            values = [changes.pop(name, value) for name, value in self._asdict().items()]
            if changes:
                raise TypeError(f"{type(self).__name__} has no field {', '.join(changes)}")
            return tuple.__new__(type(self), values)

        __replace__ = _replace  # for `copy.replace`


def _add_fields(name: str, namespace: dict[str, Any]) -> None:
    fields = tuple(namespace.get("__annotations__", ()))
    defaults = {field: namespace[field] for field in fields if field in namespace}
    if tuple(defaults) != fields[len(fields) - len(defaults) :]:
        raise TypeError(f"{name}: a field without a default follows one with a default")
    code = _constructor(len(fields)).replace(
        co_varnames=("cls", *fields), co_name="__new__", co_qualname=f"{name}.__new__"
    )
    namespace |= {field: _tuplegetter(index, None) for index, field in enumerate(fields)}
    namespace |= {
        "__slots__": (),
        "__match_args__": fields,
        "__new__": FunctionType(code, _GLOBALS, "__new__", tuple(defaults.values())),
        "_fields": fields,
        "_field_defaults": defaults,
    }


@cache
def _constructor(count: int) -> CodeType:
    names = "".join(f"_{index}, " for index in range(count))
    made: FunctionType = eval(f"lambda cls, {names}: new(cls, ({names}))")  # noqa: S307
    return made.__code__
