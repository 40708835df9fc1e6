"""The C allocator of a long-running process."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_M_ARENA_MAX: Final = -8  # of glibc's mallopt(3)


def limit_arenas(count: int) -> None:
    """Let threads share `count` arenas, before they are started; only glibc has them.

    Otherwise each of many threads keeps an arena with memory that was freed long ago: a run that
    blocks in hundreds of calls at once would look as if it leaked.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, count)
