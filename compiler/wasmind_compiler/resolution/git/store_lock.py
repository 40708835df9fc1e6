"""The lock of a store: one fetch at a time, and none while a git of a killed process is at work.

Git inherits the descriptor of the lock, and with it the lock. Libraries for file locks keep it to
themselves.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wasmind_compiler.errors import CompilerFailure
from wasmind_compiler.reporter import Reporter

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_QUIETLY: Final = 1.0
_TICK: Final = 0.05


@contextmanager
def held_lock(
    store: Path, shown: str, seconds: float, reporter: Reporter, check: Callable[[], None]
) -> Iterator[tuple[int, ...]]:
    """Hold the lock of a store.

    Args:
        store: the store.
        shown: the URL it is for.
        seconds: how long to wait for others; after one second that is announced.
        reporter: hears it.
        check: raises when nobody wants the lock any more; asked while waiting.

    Yields:
        Descriptors that keep the lock as long as a child has them open.

    Raises:
        CompilerFailure: the others took too long.
    """
    path = Path(f"{store}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        started, announced = time.monotonic(), False
        while not _try(descriptor):
            check()
            waited = time.monotonic() - started
            if waited > seconds:
                raise CompilerFailure(
                    f"another process has been fetching `{shown}` for too long; its lock is "
                    f"`{path}`"
                )
            if waited > _QUIETLY and not announced:
                announced = True
                reporter.status("Waiting", f"for another fetch of {shown}")
            time.sleep(_TICK)
        yield (descriptor,)
    finally:
        if sys.platform != "win32":
            # Git has ended. What it left running, such as a credential daemon, may have the
            # descriptor too, and does not keep the lock.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _try(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if isinstance(error, BlockingIOError | PermissionError):
            return False
        raise
    return True
