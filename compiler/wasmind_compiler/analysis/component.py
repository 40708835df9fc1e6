"""What a component imports and exports, read from its bytes.

Only the import and export sections of the outermost component are looked at; see "Binary.md" of
the WebAssembly component model. Reading takes no engine and well under a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wasmind.records import Record

_MAGIC: Final = b"\0asm"
_COMPONENT: Final = b"\x0d\x00\x01\x00"
_CORE_MODULE: Final = b"\x01\x00\x00\x00"
_SECTION_TYPE: Final = 7
_SECTION_IMPORT: Final = 10
_SECTION_EXPORT: Final = 11
_SORT_CORE: Final = 0x00
_OPEN: Final = b"[method]descriptor.open-at"


class ComponentError(ValueError):
    """Bytes that are no usable component; the message says why."""


class CoreModuleError(ComponentError):
    """A core module, the form WebAssembly had before components."""


class ComponentInterface(Record):
    """Names as written in the binary, in order.

    Attributes:
        opens_files: whether it imports the function of WASI that opens a file. Toolchains import
            the interface always, but leave out its functions that nothing calls.
    """

    imports: tuple[str, ...]
    exports: tuple[str, ...]
    opens_files: bool = False


def read_component(content: bytes) -> ComponentInterface:
    """The imports and exports of a component.

    Raises:
        CoreModuleError: a core module.
        ComponentError: not WebAssembly, or damaged.
    """
    if content[:4] != _MAGIC:
        raise ComponentError("not a WebAssembly file")
    if content[4:8] == _CORE_MODULE:
        raise CoreModuleError("a core module, not a component")
    if content[4:8] != _COMPONENT:
        raise ComponentError(f"unknown WebAssembly version {content[4:8].hex()}")
    imports: list[str] = []
    exports: list[str] = []
    opens_files = False
    reader = _Reader(content, 8)
    while not reader.at_end():
        section, size = reader.byte(), reader.unsigned()
        body = reader.part(size)
        if section == _SECTION_IMPORT:
            imports += body.vector(_import)
        elif section == _SECTION_EXPORT:
            exports += body.vector(_export)
        elif section == _SECTION_TYPE:
            # The type of an imported interface names its functions.
            opens_files = opens_files or body.contains(_OPEN)
    return ComponentInterface(tuple(imports), tuple(exports), opens_files)


class _Reader:
    def __init__(self, content: bytes, at: int, end: int | None = None) -> None:
        self._content = content
        self._at = at
        self._end = len(content) if end is None else end

    def at_end(self) -> bool:
        return self._at >= self._end

    def byte(self) -> int:
        if self.at_end():
            raise ComponentError("the file is cut short")
        self._at += 1
        return self._content[self._at - 1]

    def unsigned(self) -> int:
        """A LEB128 number of at most 32 bits."""
        value = 0
        for shift in range(0, 35, 7):
            part = self.byte()
            value |= (part & 0x7F) << shift
            if part < 0x80:
                return value
        raise ComponentError("a number is longer than 32 bits")

    def part(self, size: int) -> _Reader:
        """The next `size` bytes as a reader of their own."""
        start, self._at = self._at, self._at + size
        if self._at > self._end:
            raise ComponentError("the file is cut short")
        return _Reader(self._content, start, self._at)

    def contains(self, text: bytes) -> bool:
        """Whether `text` is somewhere in what is left."""
        return self._content.find(text, self._at, self._end) >= 0

    def name(self) -> str:
        body = self.part(self.unsigned())
        try:
            return self._content[body._at : body._end].decode()
        except UnicodeDecodeError:
            raise ComponentError("a name is not UTF-8") from None

    def vector(self, item: Callable[[_Reader], str]) -> list[str]:
        return [item(self) for _ in range(self.unsigned())]


def _import(reader: _Reader) -> str:
    name = _extern_name(reader)
    _skip_description(reader)
    return name


def _export(reader: _Reader) -> str:
    name = _extern_name(reader)
    if reader.byte() == _SORT_CORE:
        reader.byte()
    reader.unsigned()
    if reader.byte():
        _skip_description(reader)
    return name


def _extern_name(reader: _Reader) -> str:
    form = reader.byte()
    name = reader.name()
    if form == 0x02:
        # A version suffix that the name itself leaves out.
        return name + reader.name()
    if form > 0x02:
        raise ComponentError(f"unknown form of a name: {form:#04x}")
    return name


def _skip_description(reader: _Reader) -> None:
    """The type behind a name; which one does not matter here."""
    kind = reader.byte()
    if kind == 0x00:
        reader.byte()
        reader.unsigned()
    elif kind in (0x01, 0x04, 0x05):
        reader.unsigned()
    elif kind == 0x02:
        reader.byte()
        reader.unsigned()
    elif kind == 0x03:
        if reader.byte() == 0x00:
            reader.unsigned()
    else:
        raise ComponentError(f"unknown kind of import or export: {kind:#04x}")
