"""Who uses the cache: commands share it, `clean` wants it for itself.

A lock on an empty file in the cache says so. The operating system gives it back when a process
ends, however it ends. Where there are no shared file locks (Windows), files in use cannot be
deleted anyway.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wasmind.cli import terminal

if sys.platform != "win32":
    import fcntl

LOCK_FILE: Final = "in-use.lock"
#: How long a command waits for a `clean` to be done.
_PATIENCE: Final = 60.0
_QUIETLY: Final = 1.0
_DAY: Final = 86_400.0
_TICK: Final = 0.05


class CacheInUseError(Exception):
    """The others took too long."""


def upkeep_is_due(cache: Path) -> bool:
    """Whether the cache was last looked after more than a day ago.

    The lock's file has the time: it is there from the beginning, and has no other use for it.
    """
    try:
        return time.time() - os.stat(f"{cache}/{LOCK_FILE}").st_mtime > _DAY  # noqa: PTH116
    except OSError:
        return False


@contextmanager
def shared(cache: Path) -> Iterator[None]:
    """While this goes on, nobody cleans the cache.

    A cache that cannot be locked is used all the same: it may be read-only, or on a file system
    without locks.

    Raises:
        CacheInUseError: a `clean` does not come to an end.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            cache.mkdir(parents=True, exist_ok=True)
            stack.enter_context(_lock(cache, alone=False, seconds=_PATIENCE))
        yield


@contextmanager
def alone(cache: Path, seconds: float) -> Iterator[None]:
    """While this goes on, no other command uses the cache.

    Args:
        cache: the cache.
        seconds: how long to wait for others; after one second that is announced.

    Raises:
        CacheInUseError: others use it for longer.
        OSError: the cache cannot be locked.
    """
    with _lock(cache, alone=True, seconds=seconds):
        yield


@contextmanager
def _lock(cache: Path, *, alone: bool, seconds: float) -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(cache / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        mode = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
        others = "others to be done with the cache" if alone else "`wasmind clean`"
        start, announced = time.monotonic(), False
        while not _try(descriptor, mode):
            waited = time.monotonic() - start
            if waited > seconds:
                raise CacheInUseError(f"waited {seconds:g} s for {others}")
            if waited > _QUIETLY and not announced:
                announced = True
                terminal.status("Waiting", f"for {others}")
            time.sleep(_TICK)
        yield
    finally:
        os.close(descriptor)


def _try(descriptor: int, mode: int) -> bool:
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
