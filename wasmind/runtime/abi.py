"""Values between Python and components, over wasmtime's C API.

`shape_of` turns a component value type into a `Shape`, once per function type; a shape makes C
values of Python values and reads them back. It replaces wasmtime-py's own conversion, which
reflects the types again on every call and keeps state in module globals that threads would share.

======================  =====================================================
component type          Python value
======================  =====================================================
bool, integers, floats  bool, int, float
char, string, enum      str
list<u8>, `content`     bytes; `content` is the variant of `wasmind:ext/types`
list<t>                 list
record, tuple           tuple, in the order of the fields
variant                 (case name, payload or None)
option                  None or the value
result                  `Ok(value)` or `Err(value)`
own, borrow (host)      int, the representation; made from `Owned`
own, borrow (guest)     `GuestHandle`
======================  =====================================================

A C value is 32 bytes: its kind, and a payload that may point elsewhere. `image` builds those bytes
in Python's own memory. Arguments of a call are only read by wasmtime, so their images are passed as
they are, to any number of calls; what a host function returns must be wasmtime's own, so its image
is cloned by wasmtime. Reading never takes anything out of a C value; whoever owns it deletes it.
"""

from __future__ import annotations

import binascii
import ctypes
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wasmtime import _ffi as ffi
from wasmtime.component import _types as reflected

from wasmind.records import Record

CVal = Any
Context = Any
#: Objects whose memory an image points into.
Keep = list[Any]

VALUE: Final = ffi.wasmtime_component_val_t
VALUE_SIZE: Final = 32
_PAYLOAD_AT: Final = 8
assert ctypes.sizeof(VALUE) == VALUE_SIZE
assert VALUE.of.offset == _PAYLOAD_AT

#: Kind and payload, by the form of the payload.
_VEC: Final = struct.Struct("=B7xQQ8x")  # size and address of strings, lists, records, ...
_POINTER: Final = struct.Struct("=B7xQ16x")
_CASE: Final = struct.Struct("=B7xQQQ")  # name of the case, address of the payload
_ARM: Final = struct.Struct("=B7xB7xQ8x")  # whether it is the good arm, address of the payload
_NAME: Final = struct.Struct("=QQ")


@dataclass(frozen=True, slots=True)
class Ok:
    """The good arm of a `result`."""

    value: Any = None


@dataclass(frozen=True, slots=True)
class Err:
    """The bad arm of a `result`."""

    value: Any = None


class Owned(Record):
    """A new host resource for the guest: `rep` finds it in the host's table, `tag` is its type."""

    rep: int
    tag: int


class GuestHandle:
    """A handle to a resource, owned by the host side."""

    __slots__ = ("pointer",)

    def __init__(self, pointer: Any) -> None:
        self.pointer = pointer

    def __del__(self) -> None:
        # The host's side of the handle; the guest's side goes with the store.
        ffi.wasmtime_component_resource_any_delete(self.pointer)


class Shape:
    """How values of one type cross the border."""

    __slots__ = ()

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        """The C value as bytes, valid as long as what is added to `keep` lives.

        Raises:
            ValueError, TypeError: the value does not fit the type.
        """
        raise NotImplementedError

    def lift(self, source: CVal, context: Context) -> Any:
        """Read a C value without taking anything out of it."""
        raise NotImplementedError


def _kind(name: str) -> int:
    constant = getattr(ffi, f"WASMTIME_COMPONENT_{name}")
    return int(getattr(constant, "value", constant))


_LIST, _RECORD, _TUPLE = _kind("LIST"), _kind("RECORD"), _kind("TUPLE")
_VARIANT, _ENUM, _OPTION = _kind("VARIANT"), _kind("ENUM"), _kind("OPTION")
_RESULT, _STRING, _RESOURCE, _U8 = _kind("RESULT"), _kind("STRING"), _kind("RESOURCE"), _kind("U8")

#: The C value of the byte 0, and up to how many bytes a list of them is short.
_A_BYTE: Final = bytes((_U8,)).ljust(VALUE_SIZE, b"\0")
_SHORT: Final = 256

#: Reflected type to kind, field of the C union, and struct format of the image.
_NUMBERS: Final = {
    reflected.S8: ("S8", "s8", "=B7xb23x"),
    reflected.S16: ("S16", "s16", "=B7xh22x"),
    reflected.S32: ("S32", "s32", "=B7xi20x"),
    reflected.S64: ("S64", "s64", "=B7xq16x"),
    reflected.U8: ("U8", "u8", "=B7xB23x"),
    reflected.U16: ("U16", "u16", "=B7xH22x"),
    reflected.U32: ("U32", "u32", "=B7xI20x"),
    reflected.U64: ("U64", "u64", "=B7xQ16x"),
    reflected.F32: ("F32", "f32", "=B7xf20x"),
    reflected.F64: ("F64", "f64", "=B7xd16x"),
}


_bytes_address: Final = ctypes.pythonapi.PyBytes_AsString
_bytes_address.argtypes = [ctypes.py_object]
_bytes_address.restype = ctypes.c_size_t
#: Where CPython has the content of a bytes object; to ask for every one would take five times as
#: long.
_SAMPLE: Final = b"wasmind"
_CONTENT_AT: Final = int(_bytes_address(_SAMPLE)) - id(_SAMPLE)


def _address(data: bytes, keep: Keep) -> int:
    """Where the bytes lie; they stay there as long as they live."""
    keep.append(data)
    return id(data) + _CONTENT_AT


def _read_name(name: Any) -> str:
    return bytes(ctypes.string_at(name.data, name.size)).decode() if name.size else ""


class _Bool(Shape):
    __slots__ = ()
    _form = struct.Struct("=B7x?23x")

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        return self._form.pack(_kind("BOOL"), bool(value))

    def lift(self, source: CVal, context: Context) -> Any:
        return bool(source.of.boolean)


class _Number(Shape):
    __slots__ = ("_field", "_form", "_kind")

    def __init__(self, kind: str, field: str, form: str) -> None:
        self._kind, self._field, self._form = _kind(kind), field, struct.Struct(form)

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        try:
            return self._form.pack(self._kind, value)
        except (struct.error, OverflowError) as error:
            raise ValueError(f"{value!r} does not fit {self._field}: {error}") from None

    def lift(self, source: CVal, context: Context) -> Any:
        return getattr(source.of, self._field)


class _Char(Shape):
    __slots__ = ()
    _form = struct.Struct("=B7xI20x")

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        return self._form.pack(_kind("CHAR"), ord(value))

    def lift(self, source: CVal, context: Context) -> Any:
        return chr(source.of.character)


class _String(Shape):
    __slots__ = ()

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        # Lone surrogates cannot be UTF-8; a replacement keeps hostile text from ending a call.
        data = value.encode("utf-8", "replace")
        return _VEC.pack(_STRING, len(data), _address(data, keep))

    def lift(self, source: CVal, context: Context) -> Any:
        return _read_name(source.of.string)


class _Enum(Shape):
    __slots__ = ("_names",)

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        if value not in self._names:
            raise ValueError(f"`{value}` is not a case of the enum")
        data = value.encode()
        return _VEC.pack(_ENUM, len(data), _address(data, keep))

    def lift(self, source: CVal, context: Context) -> Any:
        return _read_name(source.of.enumeration)


class _Bytes(Shape):
    """`list<u8>`: one C value per byte, written and read with a stride."""

    __slots__ = ()

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        size = len(value)
        if size <= _SHORT:
            # A copy is quicker than what it takes to hand out a writable buffer.
            few = bytearray(_A_BYTE * size)
            few[_PAYLOAD_AT::VALUE_SIZE] = value
            return _VEC.pack(_LIST, size, _address(bytes(few), keep))
        items = bytearray(size * VALUE_SIZE)
        items[0::VALUE_SIZE] = bytes((_U8,)) * size
        items[_PAYLOAD_AT::VALUE_SIZE] = value
        return _VEC.pack(_LIST, size, _address_of_buffer(items, keep))

    def lift(self, source: CVal, context: Context) -> Any:
        values = source.of.list
        if not values.size:
            return b""
        return ctypes.string_at(values.data, values.size * VALUE_SIZE)[_PAYLOAD_AT::VALUE_SIZE]


class _Content(Shape):
    """`content` of `wasmind:ext/types`: bytes that cross as a string, in one piece.

    Text is passed as it is: its image points into the bytes themselves.
    """

    __slots__ = ()
    TEXT, BASE64 = "text", "base64"

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        case, data = (_TEXT, value) if _is_utf8(value) else (_BASE64, _base64(value))
        inner = _VEC.pack(_STRING, len(data), _address(data, keep))
        return _CASE.pack(_VARIANT, len(case), _address(case, keep), _address(inner, keep))

    def lift(self, source: CVal, context: Context) -> Any:
        variant = source.of.variant
        data = variant.val.contents.of.string
        content = ctypes.string_at(data.data, data.size) if data.size else b""
        if variant.discriminant.size == len(_TEXT):
            return content
        try:
            return binascii.a2b_base64(content, strict_mode=True)
        except binascii.Error as error:
            raise ValueError(f"a `content` that is not base64: {error}") from None


_TEXT: Final = _Content.TEXT.encode()
_BASE64: Final = _Content.BASE64.encode()


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _base64(data: bytes) -> bytes:
    return binascii.b2a_base64(data, newline=False)


def _address_of_buffer(data: bytearray, keep: Keep) -> int:
    buffer = (ctypes.c_char * len(data)).from_buffer(data)
    keep.append(buffer)
    return ctypes.addressof(buffer)


class _List(Shape):
    __slots__ = ("_element",)

    def __init__(self, element: Shape) -> None:
        self._element = element

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        items = b"".join([self._element.image(item, context, keep) for item in value])
        return _VEC.pack(_LIST, len(value), _address(items, keep))

    def lift(self, source: CVal, context: Context) -> Any:
        values = source.of.list
        return [self._element.lift(values.data[index], context) for index in range(values.size)]


class _Record(Shape):
    __slots__ = ("_fields", "_keep", "_names")

    def __init__(self, fields: Sequence[tuple[str, Shape]]) -> None:
        self._keep: Keep = []
        encoded = [name.encode() for name, _ in fields]
        self._names = [_NAME.pack(len(name), _address(name, self._keep)) for name in encoded]
        self._fields = [shape for _, shape in fields]

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        if len(value) != len(self._fields):
            raise ValueError(f"a record of {len(self._fields)} fields got {len(value)} values")
        entries = b"".join(
            [
                name + shape.image(item, context, keep)
                for name, shape, item in zip(self._names, self._fields, value, strict=True)
            ]
        )
        keep.append(self)  # the names are in its memory
        return _VEC.pack(_RECORD, len(value), _address(entries, keep))

    def lift(self, source: CVal, context: Context) -> Any:
        data = source.of.record.data
        return tuple([shape.lift(data[i].val, context) for i, shape in enumerate(self._fields)])


class _Tuple(Shape):
    __slots__ = ("_items",)

    def __init__(self, items: Sequence[Shape]) -> None:
        self._items = items

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        if len(value) != len(self._items):
            raise ValueError(f"a tuple of {len(self._items)} got {len(value)} values")
        items = b"".join(
            [
                shape.image(item, context, keep)
                for shape, item in zip(self._items, value, strict=True)
            ]
        )
        return _VEC.pack(_TUPLE, len(value), _address(items, keep))

    def lift(self, source: CVal, context: Context) -> Any:
        data = source.of.tuple.data
        return tuple([shape.lift(data[index], context) for index, shape in enumerate(self._items)])


def _boxed(shape: Shape | None, value: Any, context: Context, keep: Keep) -> int:
    """Address of the payload of an option, result or variant; 0 where it has none."""
    return 0 if shape is None else _address(shape.image(value, context, keep), keep)


class _Variant(Shape):
    __slots__ = ("_cases",)

    def __init__(self, cases: Sequence[tuple[str, Shape | None]]) -> None:
        self._cases = dict(cases)

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        case, payload = value
        if case not in self._cases:
            raise ValueError(f"`{case}` is not a case of the variant")
        box = _boxed(self._cases[case], payload, context, keep)
        name = case.encode()
        return _CASE.pack(_VARIANT, len(name), _address(name, keep), box)

    def lift(self, source: CVal, context: Context) -> Any:
        case = _read_name(source.of.variant.discriminant)
        shape = self._cases[case]
        return case, shape and shape.lift(source.of.variant.val.contents, context)


class _Option(Shape):
    __slots__ = ("_some",)

    def __init__(self, some: Shape) -> None:
        self._some = some

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        box = 0 if value is None else _boxed(self._some, value, context, keep)
        return _POINTER.pack(_OPTION, box)

    def lift(self, source: CVal, context: Context) -> Any:
        pointer = source.of.option
        return self._some.lift(pointer.contents, context) if pointer else None


class _Result(Shape):
    __slots__ = ("_err", "_ok")

    def __init__(self, ok: Shape | None, err: Shape | None) -> None:
        self._ok, self._err = ok, err

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        good = isinstance(value, Ok)
        if not good and not isinstance(value, Err):
            raise TypeError("a result needs `Ok` or `Err`")
        box = _boxed(self._ok if good else self._err, value.value, context, keep)
        return _ARM.pack(_RESULT, good, box)

    def lift(self, source: CVal, context: Context) -> Any:
        result = source.of.result
        shape = self._ok if result.is_ok else self._err
        value = shape.lift(result.val.contents, context) if shape else None
        return Ok(value) if result.is_ok else Err(value)


class _HostResource(Shape):
    """A resource of ours. Lifting consumes the handle: a call cannot end with a borrow open."""

    __slots__ = ()

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        host = ffi.wasmtime_component_resource_host_new(True, value.rep, value.tag)
        pointer = ctypes.POINTER(ffi.wasmtime_component_resource_any_t)()
        error = ffi.wasmtime_component_resource_host_to_any(context, host, ctypes.byref(pointer))
        ffi.wasmtime_component_resource_host_delete(host)
        raise_if(error)
        keep.append(GuestHandle(pointer))
        return _POINTER.pack(_RESOURCE, ctypes.cast(pointer, ctypes.c_void_p).value)

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
    __slots__ = ()

    def image(self, value: Any, context: Context, keep: Keep) -> bytes:
        keep.append(value)
        return _POINTER.pack(_RESOURCE, ctypes.cast(value.pointer, ctypes.c_void_p).value)

    def lift(self, source: CVal, context: Context) -> Any:
        return GuestHandle(ffi.wasmtime_component_resource_any_clone(source.of.resource))


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

    if type(kind) in _NUMBERS:
        return _Number(*_NUMBERS[type(kind)])
    match kind:
        case reflected.Bool():
            return _Bool()
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
            cases = list(kind.cases)
            return (
                _Content()
                if _is_content(cases)
                else _Variant([(name, arm(item)) for name, item in cases])
            )
        case reflected.EnumType():
            return _Enum([str(kind.name(index)) for index in range(kind.names_count)])
        case reflected.OptionType():
            return _Option(inner(kind.payload))
        case reflected.ResultType():
            return _Result(arm(kind.ok), arm(kind.err))
        case reflected.OwnType() | reflected.BorrowType():
            return _GuestResource() if guest_resources else _HostResource()
    raise TypeError(f"values of type {type(kind).__name__} cannot cross the border")


def _is_content(cases: Sequence[tuple[str, Any]]) -> bool:
    """By its form: reflected types have no names."""
    return [name for name, _ in cases] == [_Content.TEXT, _Content.BASE64] and all(
        isinstance(item, reflected.String) for _, item in cases
    )


class Signature(Record):
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


#: Four strings and a `content` in a row: what `mailbox.deliver` takes.
_MESSAGE: Final = struct.Struct("=B7xQQ8xB7xQQ8xB7xQQ8xB7xQQ8xB7xQQQ")
_MESSAGE_ARRAY: Final = VALUE * 5


class MessageArguments:
    """The arguments of `mailbox.deliver`, for any number of calls, by any thread.

    They are made in one step, for every message: shape by shape it takes four times as long.

    Attributes:
        array: for `call`, valid as long as this object.
        own_bytes: what it takes apart from `payload`; text is not copied.
    """

    __slots__ = ("_keep", "array", "own_bytes")

    def __init__(
        self, id_: str, message_type: str, from_actor_id: str, from_scope: str, payload: bytes
    ) -> None:
        one = id_.encode("utf-8", "replace")
        two = message_type.encode("utf-8", "replace")
        three = from_actor_id.encode("utf-8", "replace")
        four = from_scope.encode("utf-8", "replace")
        case, data, self.own_bytes = _TEXT, payload, 0
        if not (payload.isascii() or _is_utf8(payload)):
            case, data = _BASE64, _base64(payload)
            self.own_bytes = len(data)
        inner = _VEC.pack(_STRING, len(data), id(data) + _CONTENT_AT)
        self._keep = one, two, three, four, case, data, inner
        packed = _MESSAGE.pack(
            _STRING,
            len(one),
            id(one) + _CONTENT_AT,
            _STRING,
            len(two),
            id(two) + _CONTENT_AT,
            _STRING,
            len(three),
            id(three) + _CONTENT_AT,
            _STRING,
            len(four),
            id(four) + _CONTENT_AT,
            _VARIANT,
            len(case),
            id(case) + _CONTENT_AT,
            id(inner) + _CONTENT_AT,
        )
        self.array = _MESSAGE_ARRAY.from_buffer_copy(packed)

    @staticmethod
    def fit(signature: Signature) -> bool:
        """Whether a function takes them."""
        shapes = [type(shape) for shape in signature.parameters]
        return shapes == [_String] * 4 + [_Content] and signature.result is None


class Value:
    """A C value in Python's memory; may be passed to any number of calls, by any thread.

    Raises:
        ValueError, TypeError: the value does not fit the shape.
    """

    __slots__ = ("__weakref__", "_keep", "image")

    def __init__(self, shape: Shape, value: Any, context: Context = None) -> None:
        self._keep: Keep = []
        self.image = shape.image(value, context, self._keep)

    def c(self) -> CVal:
        """The C value, valid as long as this object."""
        return VALUE.from_buffer_copy(self.image)


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
    """A C array for `call`, pointing into the memory of `values`, which must outlive it."""
    array = VALUE * len(values)
    return array.from_buffer_copy(b"".join([value.image for value in values]))


def host_function(function: Any, body: Callable[..., Any]) -> Any:
    """Wrap `body(*values) -> value` as a C callback.

    `body` must not raise anything but `Refusal`-like exceptions it wants to end the guest's call
    with: whatever it raises becomes the text of a trap.

    Args:
        function: the reflected `FuncType`. Its shapes are made for the first call: of some sixty
            functions that are offered, a guest calls a few.
        body: what it does.
    """
    known: Signature | None = None

    @ffi.wasmtime_component_func_callback_t  # type: ignore[untyped-decorator]
    def callback(
        _data: Any, context: Any, _type: Any, args: Any, _nargs: int, results: Any, _nresults: int
    ) -> int:
        nonlocal known
        try:
            # Two threads may make it at once, which does no harm.
            known = signature = known or Signature.of(function, guest_resources=False)
            values = [
                shape.lift(args[index], context) for index, shape in enumerate(signature.parameters)
            ]
            answer = body(*values)
            if signature.result is not None:
                value = Value(signature.result, answer, context)
                ffi.wasmtime_component_val_clone(ctypes.byref(value.c()), results)
        except BaseException as error:  # noqa: BLE001 - nothing may unwind through native frames
            return new_error(str(error) or type(error).__name__)
        return 0

    return callback


def new_error(text: str) -> int:
    """A `wasmtime_error_t*` as an integer, for a callback to return."""
    pointer = ffi.wasmtime_error_new(text.encode("utf-8", "replace").replace(b"\0", b"?"))
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0
