"""The lock of a store: one fetch at a time, and none while a git of a killed process is at work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from wasmind_compiler.errors import CompilerFailure
from wasmind_compiler.reporter import Reporter


class _StoreLock(FileLock):
    """A file lock that can be handed to a child."""

    @property
    def descriptors(self) -> tuple[int, ...]:
        descriptor = self._context.lock_file_fd
        return () if descriptor is None else (descriptor,)


@contextmanager
def held_lock(
    store: Path, shown: str, seconds: float, reporter: Reporter
) -> Iterator[tuple[int, ...]]:
    """Hold the lock of a store.

    Args:
        store: the store.
        shown: the URL it is for.
        seconds: how long to wait for others; after one second that is announced.
        reporter: hears it.

    Yields:
        Descriptors that keep the lock as long as a child has them open.

    Raises:
        CompilerFailure: the others took too long.
    """
    lock = _StoreLock(f"{store}.lock")
    try:
        try:
            lock.acquire(timeout=1)
        except Timeout:
            reporter.status("Waiting", f"for another fetch of {shown}")
            lock.acquire(timeout=seconds)
    except Timeout:
        raise CompilerFailure(
            f"another process has been fetching `{shown}` for too long; its lock is "
            f"`{lock.lock_file}`"
        ) from None
    try:
        yield lock.descriptors
    finally:
        lock.release()
