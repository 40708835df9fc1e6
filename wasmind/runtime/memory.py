"""How much memory a guest really has: the pages of its linear memories that are its own.

Guests share the pages of their component until they write to them, so neither the size of a linear
memory nor the resident set says what one more guest costs. wasmtime tells neither. Linux shows
which mappings came into being while a guest was instantiated, and which of their pages are private.
Elsewhere, and where two guests were instantiated at the same time, nothing is known.
"""

from __future__ import annotations

import mmap
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_MAPS: Final = Path("/proc/self/maps")
_PAGEMAP: Final = Path("/proc/self/pagemap")

#: wasmtime puts inaccessible pages before a linear memory and reserves gigabytes after it.
_AFTER_GUARD: Final = re.compile(rb"-([0-9a-f]+) ---p [^\n]*\n(?=\1-[0-9a-f]+ rw)")
_MAPPING: Final = re.compile(rb"([0-9a-f]+)-([0-9a-f]+) (....)[^\n]*\n")
_RESERVED: Final = 2 << 30
#: The end of what addresses of wasm32 reach.
_LARGEST: Final = 4 << 30

#: The last of a page's eight bytes in the page map says what kind of page it is.
_ENTRY: Final = 8
_PRESENT, _SWAPPED, _SHARED = 0x80, 0x40, 0x20
_NOT_PRIVATE: Final = bytes(
    byte for byte in range(256) if not byte & (_PRESENT | _SWAPPED) or byte & _SHARED
)


class Footprint:
    """The linear memories of one guest.

    Args:
        starts: addresses in this process; none if they are not known.
        limit: bytes that each may grow to.
    """

    def __init__(self, limit: int) -> None:
        self.starts: set[int] = set()
        self._pages = -(-min(limit, _LARGEST) // mmap.PAGESIZE)

    def private_bytes(self) -> int:
        """What the guest has for itself now; 0 if that is not known. Only while it lives."""
        try:
            with _PAGEMAP.open("rb") as entries:
                count = 0
                for start in self.starts:
                    entries.seek(start // mmap.PAGESIZE * _ENTRY)
                    kinds = entries.read(self._pages * _ENTRY)[_ENTRY - 1 :: _ENTRY]
                    count += len(kinds.translate(None, _NOT_PRIVATE))
                return count * mmap.PAGESIZE
        except OSError:
            return 0


class AddressSpace:
    """Which linear memories there are in this process, and whose they are."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[int] | None = None
        #: Known, but not which guest's: they came while several were instantiated.
        self._doubtful: set[int] = set()
        self._under_way = 0
        self._crowded = False

    @contextmanager
    def instantiating(self, footprint: Footprint) -> Iterator[None]:
        """While a guest comes into being; notes where its memories begin."""
        with self._lock:
            if self._known is None:
                self._known = _memories(set())
            self._crowded = self._under_way > 0
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1
                new = _memories(self._known) - self._known
                self._known |= new
                (self._doubtful if self._crowded else footprint.starts).update(new)
                self._crowded = self._under_way > 0

    def forget(self, footprint: Footprint) -> None:
        """A guest is gone, and others may come to lie where it was. Safe to repeat."""
        with self._lock:
            if self._known is None:
                return
            gone, footprint.starts = footprint.starts, set()
            if not gone and self._doubtful:
                gone = self._doubtful - _memories(self._known - self._doubtful)
                self._doubtful -= gone
            self._known -= gone


def _memories(known: set[int]) -> set[int]:
    """Where linear memories begin that are not known yet."""
    try:
        maps = _MAPS.read_bytes()
    except OSError:
        return set()
    found = set()
    for guard in _AFTER_GUARD.finditer(maps):
        start = int(guard[1], 16)
        if start not in known and _is_memory(maps, guard.end()):
            found.add(start)
    return found


def _is_memory(maps: bytes, position: int) -> bool:
    """Whether the mappings from here on are accessible ones, followed by a large reservation."""
    end: bytes | None = None
    while mapping := _MAPPING.match(maps, position):
        if end is not None and mapping[1] != end:
            return False
        if mapping[3] == b"---p":
            return int(mapping[2], 16) - int(mapping[1], 16) >= _RESERVED
        end, position = mapping[2], mapping.end()
    return False


#: There is one address space in a process, however many systems run in it.
ADDRESS_SPACE: Final = AddressSpace()
