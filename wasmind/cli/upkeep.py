"""The cache looks after itself: what nobody has used for a month leaves when it grows too large.

Once a day at most, when a command has done its work and no other one is using the cache.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Final

from wasmind.cli import cache_entries, cache_use

#: What the cache may hold before anything is removed, in MiB; `WASMIND_CACHE_MIB` says otherwise.
DEFAULT_MIB: Final = 2048
UNUSED_SECONDS: Final = 30 * 86_400.0
_MIB: Final = 1024 * 1024


def tidy(cache: Path) -> None:
    """Remove what was not used for a month, if the cache is over its limit; without a word.

    Nothing happens while others use the cache; another day will do.
    """
    with (
        contextlib.suppress(cache_use.CacheInUseError, OSError),
        cache_use.alone(cache, 0),
    ):
        os.utime(cache / cache_use.LOCK_FILE)
        found = cache_entries.entries(cache)
        held = sum(size for _, size in cache_entries.sizes(found).values())
        if held <= _limit():
            return
        before = time.time() - UNUSED_SECONDS
        for entry in found:
            if entry.is_leftover or entry.used < before:
                with contextlib.suppress(cache_use.CacheInUseError, OSError):
                    cache_entries.remove(entry, 0)


def _limit() -> int:
    try:
        return int(os.environ["WASMIND_CACHE_MIB"]) * _MIB
    except (KeyError, ValueError):
        return DEFAULT_MIB * _MIB
