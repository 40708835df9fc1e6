"""Values between Python and components, over wasmtime's C API.

`shape_of` turns a component value type into a `Shape`, once per function type; a shape lowers
Python values into C values and lifts them back. It replaces wasmtime-py's own conversion, which
reflects the types again on every call and keeps state in module globals that threads would share.

======================  =====================================================
component type          Python value
======================  =====================================================
bool, integers, floats  bool, int, float
char, string, enum      str
list<u8>                bytes
list<t>                 list
record, tuple           tuple, in the order of the fields
variant                 (case name, payload or None)
option                  None or the value
result                  `Ok(value)` or `Err(value)`
own, borrow (host)      int, the representation; lowered from `Owned`
own, borrow (guest)     `GuestHandle`
======================  =====================================================

Lifting only reads; whoever owns the C value deletes it. Lowering into a value that turns out to be
impossible leaves that value deletable.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wasmtime import _ffi as ffi
from wasmtime.component import _types as reflected

CVal = Any
Context = Any

VALUE: Final = ffi.wasmtime_component_val_t
VALUE_SIZE: Final = ctypes.sizeof(VALUE)
_PAYLOAD_AT: Final = VALUE.of.offset


@dataclass(frozen=True, slots=True)
class Ok:
    """The good arm of a `result`."""

    value: Any = None


@dataclass(frozen=True, slots=True)
class Err:
    """The bad arm of a `result`."""

    value: Any = None


@dataclass(frozen=True, slots=True)
class Owned:
    """A new host resource for the guest: `rep` finds it in the host's table, `tag` is its type."""

    rep: int
    tag: int


class GuestHandle:
    """A resource that lives in the guest. Borrowed by calls, never copied; freed with its store."""

    __slots__ = ("pointer",)

    def __init__(self, pointer: Any) -> None:
        self.pointer = pointer

    def release(self) -> None:
        """Free the host's side of the handle; the guest's side goes with the store."""
        if self.pointer is not None:
            ffi.wasmtime_component_resource_any_delete(self.pointer)
            self.pointer = None


class Shape:
    """How values of one type cross the border."""

    def lower(self, value: Any, target: CVal, context: Context) -> None:
        """Write `value` into `target`, which owns nothing yet and then owns what was allocated."""
        raise NotImplementedError

    def lift(self, source: CVal, context: Context) -> Any:
        """Read a C value without taking anything out of it."""
        raise NotImplementedError


def _kind(name: str) -> int:
    constant = getattr(ffi, f"WASMTIME_COMPONENT_{name}")
    return int(getattr(constant, "value", constant))


_LIST, _RECORD, _TUPLE = _kind("LIST"), _kind("RECORD"), _kind("TUPLE")
_VARIANT, _ENUM, _OPTION, _RESULT = (
    _kind("VARIANT"),
    _kind("ENUM"),
    _kind("OPTION"),
    _kind("RESULT"),
)
_STRING, _RESOURCE, _U8, _CHAR = _kind("STRING"), _kind("RESOURCE"), _kind("U8"), _kind("CHAR")

_INTEGERS: Final = {
    reflected.S8: ("S8", "s8", -(1 << 7), (1 << 7) - 1),
    reflected.S16: ("S16", "s16", -(1 << 15), (1 << 15) - 1),
    reflected.S32: ("S32", "s32", -(1 << 31), (1 << 31) - 1),
    reflected.S64: ("S64", "s64", -(1 << 63), (1 << 63) - 1),
    reflected.U8: ("U8", "u8", 0, (1 << 8) - 1),
    reflected.U16: ("U16", "u16", 0, (1 << 16) - 1),
    reflected.U32: ("U32", "u32", 0, (1 << 32) - 1),
    reflected.U64: ("U64", "u64", 0, (1 << 64) - 1),
}


def _read_name(name: Any) -> str:
    return bytes(ctypes.string_at(name.data, name.size)).decode() if name.size else ""


class _Bool(Shape):
    def lower(self, value: Any, target: CVal, context: Context) -> None:
        target.kind = _kind("BOOL")
        target.of.boolean = bool(value)

    def lift(self, source: CVal, context: Context) -> Any:
        return bool(source.of.boolean)


class _Integer(Shape):
    __slots__ = ("_field", "_kind", "_range")

    def __init__(self, kind: str, field: str, low: int, high: int) -> None:
        self._kind, self._field, self._range = _kind(kind), field, range(low, high + 1)

    def lower(self, value: Any, target: CVal, context: Context) -> None:
        # ctypes would wrap a number that does not fit; the component must never see that.
        if value not in self._range:
            raise ValueError(f"{value!r} does not fit {self._field}")
        target.kind = self._kind
        setattr(target.of, self._field, value)

    def lift(self, source: CVal, context: Context) -> Any:
        return int(getattr(source.of, self._field))


class _Float(Shape):
    __slots__ = ("_field", "_kind")

    def __init__(self, kind: str, field: str) -> None:
        self._kind, self._field = _kind(kind), field

    def lower(self, value: Any, target: CVal, context: Context) -> None:
        target.kind = self._kind
        setattr(target.of, self._field, float(value))

    def lift(self, source: CVal, context: Context) -> Any:
        return float(getattr(source.of, self._field))


class _Char(Shape):
    def lower(self, value: Any, target: CVal, context: Context) -> None:
        target.kind = _CHAR
        target.of.character = ord(value)

    def lift(self, source: CVal, context: Context) -> Any:
        return chr(source.of.character)


class _String(Shape):
    def lower(self, value: Any, target: CVal, context: Context) -> None:
        # Lone surrogates cannot be UTF-8; a replacement keeps hostile text from ending a call.
        encoded = value.encode("utf-8", "replace")
        target.of.string = ffi.bytes_to_capi(encoded) if encoded else ffi.wasm_byte_vec_t()
        target.kind = _STRING

    def lift(self, source: CVal, context: Context) -> Any:
        return _read_name(source.of.string)


class _Enum(Shape):
    __slots__ = ("_names",)

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def lower(self, value: Any, target: CVal, context: Context) -> None:
        if value not in self._names:
            raise ValueError(f"`{value}` is not a case of the enum")
        target.of.enumeration = ffi.str_to_capi(value)
        target.kind = _ENUM

    def lift(self, source: CVal, context: Context) -> Any:
        return _read_name(source.of.enumeration)


class _Bytes(Shape):
    """`list<u8>`: one 32-byte C value per byte, written and read with a stride."""

    def lower(self, value: Any, target: CVal, context: Context) -> None:
        values = ffi.wasmtime_component_vallist_t()
        size = len(value)
        if size:
            image = bytearray(size * VALUE_SIZE)
            image[0::VALUE_SIZE] = bytes((_U8,)) * size
            image[_PAYLOAD_AT::VALUE_SIZE] = value
            ffi.wasmtime_component_vallist_new_uninit(ctypes.byref(values), size)
            ctypes.memmove(values.data, (ctypes.c_char * len(image)).from_buffer(image), len(image))
        else:
            ffi.wasmtime_component_vallist_new_empty(ctypes.byref(values))
        target.of.list = values
        target.kind = _LIST

    def lift(self, source: CVal, context: Context) -> Any:
        values = source.of.list
        if not values.size:
            return b""
        return ctypes.string_at(values.data, values.size * VALUE_SIZE)[_PAYLOAD_AT::VALUE_SIZE]


class _List(Shape):
    __slots__ = ("_element",)

    def __init__(self, element: Shape) -> None:
        self._element = element

    def lower(self, value: Any, target: CVal, context: Context) -> None:
        values = ffi.wasmtime_component_vallist_t()
        ffi.wasmtime_component_vallist_new_uninit(ctypes.byref(values), len(value))
        _zero(values.data, len(value) * VALUE_SIZE)
        target.of.list = values
        target.kind = _LIST
        for index, item in enumerate(value):
            self._element.lower(item, values.data[index], context)

    def lift(self, source: CVal, context: Context) -> Any:
        values = source.of.list
        return [self._element.lift(values.data[index], context) for index in range(values.size)]


class _Record(Shape):
    __slots__ = ("_fields", "_names")

    def __init__(self, fields: Sequence[tuple[str, Shape]]) -> None:
        self._names = [name for name, _ in fields]
        self._fields = [shape for _, shape in fields]

    def lower(self, value: Any, target: CVal, context: Context) -> None:
        if len(value) != len(self._fields):
            raise ValueError(f"a record of {len(self._fields)} fields got {len(value)} values")
        entries = ffi.wasmtime_component_valrecord_t()
        ffi.wasmtime_component_valrecord_new_uninit(ctypes.byref(entries), len(self._fields))
        _zero(
            entries.data, len(self._fields) * ctypes.sizeof(ffi.wasmtime_component_valrecord_entry)
        )
        target.of.record = entries
        target.kind = _RECORD
        for index, (name, shape) in enumerate(zip(self._names, self._fields, strict=True)):
            entries.data[index].name = ffi.str_to_capi(name)
            shape.lower(value[index], entries.data[index].val, context)

    def lift(self, source: CVal, context: Context) -> Any:
        data = source.of.record.data
        return tuple(shape.lift(data[i].val, context) for i, shape in enumerate(self._fields))


class _Tuple(Shape):
    __slots__ = ("_items",)

    def __init__(self, items: Sequence[Shape]) -> None:
        self._items = items

    def lower(self, value: Any, target: CVal, context: Context) -> None:
        if len(value) != len(self._items):
            raise ValueError(f"a tuple of {len(self._items)} got {len(value)} values")
        values = ffi.wasmtime_component_valtuple_t()
        ffi.wasmtime_component_valtuple_new_uninit(ctypes.byref(values), len(self._items))
        _zero(values.data, len(self._items) * VALUE_SIZE)
        target.of.tuple = values
        target.kind = _TUPLE
        for index, shape in enumerate(self._items):
            shape.lower(value[index], values.data[index], context)

    def lift(self, source: CVal, context: Context) -> Any:
        data = source.of.tuple.data
        return tuple(shape.lift(data[index], context) for index, shape in enumerate(self._items))


def _boxed(shape: Shape | None, value: Any, context: Context) -> Any:
    """A heap value for the arm of an option, result or variant; None where it has no payload."""
    if shape is None:
        return None
    local = VALUE()
    try:
        shape.lower(value, local, context)
    except BaseException:
        ffi.wasmtime_component_val_delete(ctypes.byref(local))
        raise
    return ffi.wasmtime_component_val_new(ctypes.byref(local))


class _Variant(Shape):
    __slots__ = ("_cases",)

    def __init__(self, cases: Sequence[tuple[str, Shape | None]]) -> None:
        self._cases = dict(cases)

    def lower(self, value: Any, target: CVal, context: Context) -> None:
        case, payload = value
        if case not in self._cases:
            raise ValueError(f"`{case}` is not a case of the variant")
        box = _boxed(self._cases[case], payload, context)
        target.of.variant.discriminant = ffi.str_to_capi(case)
        target.of.variant.val = box
        target.kind = _VARIANT

    def lift(self, source: CVal, context: Context) -> Any:
        case = _read_name(source.of.variant.discriminant)
        shape = self._cases[case]
        return case, shape and shape.lift(source.of.variant.val.contents, context)


class _Option(Shape):
    __slots__ = ("_some",)

    def __init__(self, some: Shape) -> None:
        self._some = some

    def lower(self, value: Any, target: CVal, context: Context) -> None:
        target.of.option = None if value is None else _boxed(self._some, value, context)
        target.kind = _OPTION

    def lift(self, source: CVal, context: Context) -> Any:
        pointer = source.of.option
        return self._some.lift(pointer.contents, context) if pointer else None


class _Result(Shape):
    __slots__ = ("_err", "_ok")

    def __init__(self, ok: Shape | None, err: Shape | None) -> None:
        self._ok, self._err = ok, err

    def lower(self, value: Any, target: CVal, context: Context) -> None:
        good = isinstance(value, Ok)
        if not good and not isinstance(value, Err):
            raise TypeError("a result needs `Ok` or `Err`")
        box = _boxed(self._ok if good else self._err, value.value, context)
        target.of.result.is_ok = good
        target.of.result.val = box
        target.kind = _RESULT

    def lift(self, source: CVal, context: Context) -> Any:
        result = source.of.result
        shape = self._ok if result.is_ok else self._err
        value = shape.lift(result.val.contents, context) if shape else None
        return Ok(value) if result.is_ok else Err(value)


class _HostResource(Shape):
    """A resource of ours. Lifting consumes the handle: a call cannot end with a borrow open."""

    def lower(self, value: Any, target: CVal, context: Context) -> None:
        host = ffi.wasmtime_component_resource_host_new(True, value.rep, value.tag)
        pointer = ctypes.POINTER(ffi.wasmtime_component_resource_any_t)()
        error = ffi.wasmtime_component_resource_host_to_any(context, host, ctypes.byref(pointer))
        ffi.wasmtime_component_resource_host_delete(host)
        raise_if(error)
        target.of.resource = pointer
        target.kind = _RESOURCE

    def lift(self, source: CVal, context: Context) -> Any:
        host = ctypes.POINTER(ffi.wasmtime_component_resource_host_t)()
        error = ffi.wasmtime_component_resource_any_to_host(
            context, source.of.resource, ctypes.byref(host)
        )
        raise_if(error)
        rep = int(ffi.wasmtime_component_resource_host_rep(host))
        ffi.wasmtime_component_resource_host_delete(host)
        return rep


class _GuestResource(Shape):
    def lower(self, value: Any, target: CVal, context: Context) -> None:
        target.of.resource = ffi.wasmtime_component_resource_any_clone(value.pointer)
        target.kind = _RESOURCE

    def lift(self, source: CVal, context: Context) -> Any:
        return GuestHandle(ffi.wasmtime_component_resource_any_clone(source.of.resource))


def _zero(pointer: Any, size: int) -> None:
    # Kind 0 is a bool, which owns nothing: a half-filled list can be deleted like a full one.
    if size:
        ctypes.memset(pointer, 0, size)


class NativeError(Exception):
    """An error of wasmtime's, with its message."""


def raise_if(error: Any) -> None:
    """Turn a `wasmtime_error_t*` into `NativeError`, freeing it; NULL is fine."""
    if not error:
        return
    message = ffi.wasm_byte_vec_t()
    ffi.wasmtime_error_message(error, ctypes.byref(message))
    text = bytes(ctypes.string_at(message.data, message.size)).decode("utf-8", "replace")
    ffi.wasm_byte_vec_delete(ctypes.byref(message))
    ffi.wasmtime_error_delete(error)
    raise NativeError(text)


def shape_of(kind: Any, *, guest_resources: bool) -> Shape:
    """The shape of a reflected value type.

    Args:
        kind: a `ValType` of wasmtime-py.
        guest_resources: whether resources in it are the guest's (exports) or ours (imports).

    Raises:
        TypeError: for types no interface of ours uses (streams, futures, flags, maps).
    """

    def inner(item: Any) -> Shape:
        return shape_of(item, guest_resources=guest_resources)

    def arm(item: Any) -> Shape | None:
        return None if item is None else inner(item)

    if type(kind) in _INTEGERS:
        return _Integer(*_INTEGERS[type(kind)])
    match kind:
        case reflected.Bool():
            return _Bool()
        case reflected.F32():
            return _Float("F32", "f32")
        case reflected.F64():
            return _Float("F64", "f64")
        case reflected.Char():
            return _Char()
        case reflected.String():
            return _String()
        case reflected.ListType():
            element = kind.element
            return _Bytes() if isinstance(element, reflected.U8) else _List(inner(element))
        case reflected.RecordType():
            return _Record([(name, inner(item)) for name, item in kind.fields])
        case reflected.TupleType():
            return _Tuple([inner(item) for item in kind.elements])
        case reflected.VariantType():
            return _Variant([(name, arm(item)) for name, item in kind.cases])
        case reflected.EnumType():
            return _Enum([str(kind.name(index)) for index in range(kind.names_count)])
        case reflected.OptionType():
            return _Option(inner(kind.payload))
        case reflected.ResultType():
            return _Result(arm(kind.ok), arm(kind.err))
        case reflected.OwnType() | reflected.BorrowType():
            return _GuestResource() if guest_resources else _HostResource()
    raise TypeError(f"values of type {type(kind).__name__} cannot cross the border")


@dataclass(frozen=True, slots=True)
class Signature:
    """The shapes of a function."""

    parameters: tuple[Shape, ...]
    result: Shape | None

    @classmethod
    def of(cls, function: Any, *, guest_resources: bool) -> Signature:
        """From a reflected `FuncType`."""
        parameters = [
            shape_of(item, guest_resources=guest_resources) for _, item in function.params
        ]
        result = function.result
        return cls(
            tuple(parameters),
            None if result is None else shape_of(result, guest_resources=guest_resources),
        )


class Value:
    """A lowered value that owns its memory; may be passed to any number of calls, by any thread."""

    __slots__ = ("c",)

    def __init__(self, shape: Shape, value: Any, context: Context = None) -> None:
        self.c = VALUE()
        try:
            shape.lower(value, self.c, context)
        except BaseException:
            ffi.wasmtime_component_val_delete(ctypes.byref(self.c))
            raise

    def __del__(self) -> None:
        ffi.wasmtime_component_val_delete(ctypes.byref(self.c))


def call(function: Any, context: Context, signature: Signature, arguments: Any) -> Any:
    """Call an exported function with a C array of values; returns the lifted result.

    Raises:
        NativeError: the call trapped, or a host function it made failed.
    """
    if signature.result is None:
        raise_if(
            ffi.wasmtime_component_func_call(
                ctypes.byref(function), context, arguments, len(signature.parameters), None, 0
            )
        )
        return None
    result = VALUE()
    raise_if(
        ffi.wasmtime_component_func_call(
            ctypes.byref(function),
            context,
            arguments,
            len(signature.parameters),
            ctypes.byref(result),
            1,
        )
    )
    try:
        return signature.result.lift(result, context)
    finally:
        ffi.wasmtime_component_val_delete(ctypes.byref(result))


def arguments_of(values: Sequence[Value]) -> Any:
    """A C array for `call`, sharing the memory of `values`, which must outlive it."""
    array = (VALUE * len(values))()
    for index, value in enumerate(values):
        ctypes.memmove(ctypes.byref(array, index * VALUE_SIZE), ctypes.byref(value.c), VALUE_SIZE)
    return array


def host_function(signature: Signature, body: Callable[..., Any]) -> Any:
    """Wrap `body(*values) -> value` as a C callback.

    `body` must not raise anything but `Refusal`-like exceptions it wants to end the guest's call
    with: whatever it raises becomes the text of a trap.
    """

    @ffi.wasmtime_component_func_callback_t  # type: ignore[untyped-decorator]
    def callback(
        _data: Any, context: Any, _type: Any, args: Any, _nargs: int, results: Any, _nresults: int
    ) -> int:
        try:
            values = [
                shape.lift(args[index], context) for index, shape in enumerate(signature.parameters)
            ]
            answer = body(*values)
            if signature.result is not None:
                signature.result.lower(answer, results[0], context)
        except BaseException as error:  # noqa: BLE001 - nothing may unwind through native frames
            return new_error(str(error) or type(error).__name__)
        return 0

    return callback


def new_error(text: str) -> int:
    """A `wasmtime_error_t*` as an integer, for a callback to return."""
    pointer = ffi.wasmtime_error_new(text.encode("utf-8", "replace").replace(b"\0", b"?"))
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0
