"""Places for what may happen only so often at once in a whole system."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Slots:
    """Counts what is going on, per kind.

    Args:
        limits: kind to how many may go on at once.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._limits = limits
        self._used = dict.fromkeys(limits, 0)
        self._lock = threading.Lock()

    @contextmanager
    def take(self, kind: str) -> Iterator[bool]:
        """Hold a place inside the `with`; False when all are taken, and then nothing is held."""
        with self._lock:
            free = self._used[kind] < self._limits[kind]
            self._used[kind] += free
        try:
            yield free
        finally:
            with self._lock:
                self._used[kind] -= free
