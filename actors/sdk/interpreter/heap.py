"""Leaves the heap of the snapshot without holes.

Importing leaves thousands of holes between what stays, a few words here and there. A guest's first
allocations would land in them, and as instances share the snapshot's pages until they write to one,
each would copy a page of its own. Once the holes are filled, new objects lie together on new pages:
compiling a module touches a third as many, and an idle actor keeps little more than half as many.
"""

from __future__ import annotations

from typing import Final

#: Larger than any hole, so that it lies at the end of the heap.
_BEYOND: Final = 1 << 20
_LARGEST: Final = 1 << 17
#: The allocator's sizes differ by this much; small ones are looked for by each.
_STEP: Final = 16
_SMALL: Final = 512
#: Room at the end of the heap that was freed a moment ago is offered before small holes elsewhere.
_MISSES: Final = 40


def fill_holes() -> list[object]:
    """Whatever fits in between; the holes stay filled as long as the result is kept."""
    # CPython on WASI has no allocator of its own above malloc, and an object's id is its address.
    end = id(bytes(_BEYOND))
    kept: list[object] = []
    size = _LARGEST
    while size >= 0:
        missed: list[object] = []
        while len(missed) < (_MISSES if size < _SMALL else 2):
            block = bytes(size) if size > 1 else object()  # the shortest bytes are made already
            (kept if id(block) < end else missed).append(block)
        size -= _STEP if size <= _SMALL else size // 256 * _STEP or _STEP
    return kept
