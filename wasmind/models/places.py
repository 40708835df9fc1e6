"""Who may ask a model when: so many at once, so many a minute, in the order they came."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from wasmind.models.errors import cancelled
from wasmind.models.upstream import Stop

_LOOK_SECONDS: Final = 0.5
#: Waiting in silence for longer would look like a fault.
_SILENT_SECONDS: Final = 2.0
_MINUTE: Final = 60.0


class Places:
    """Limits for one model. Safe to use from any thread.

    Args:
        at_once: calls that may be under way; 0 for no limit.
        per_minute: calls that may begin in any minute; 0 for no limit.
    """

    def __init__(self, at_once: int = 0, per_minute: int = 0) -> None:
        self._at_once = at_once
        self._per_minute = per_minute
        self._lock = threading.Lock()
        self._taken = 0
        self._waiting: deque[threading.Event] = deque()
        self._begun: deque[float] = deque()
        self._told = -_MINUTE

    @contextmanager
    def take(self, stop: Stop, tell: Callable[[str], None]) -> Iterator[None]:
        """A place, from when there is one to the end of the `with`.

        Args:
            stop: ends the waiting.
            tell: told why nothing happens, once that has taken a while.

        Raises:
            ModelError: stopped.
        """
        if not self._at_once and not self._per_minute:
            yield
            return
        self._enter(stop, tell)
        try:
            self._pace(stop, tell)
            yield
        finally:
            self._leave()

    def _enter(self, stop: Stop, tell: Callable[[str], None]) -> None:
        turn = threading.Event()
        with self._lock:
            if not self._at_once or (self._taken < self._at_once and not self._waiting):
                self._taken += 1
                return
            self._waiting.append(turn)
        since = time.monotonic()
        while not turn.wait(_LOOK_SECONDS):
            if stop.is_set():
                self._give_up(turn)
                raise cancelled()
            if time.monotonic() - since > _SILENT_SECONDS:
                self._tell(f"{self._at_once} calls are under way (`max_concurrent`)", tell)

    def _give_up(self, turn: threading.Event) -> None:
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return
        self._leave()  # the place came in the same moment

    def _leave(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken -= 1

    def _pace(self, stop: Stop, tell: Callable[[str], None]) -> None:
        if not self._per_minute:
            return
        with self._lock:
            now = time.monotonic()
            full = len(self._begun) >= self._per_minute
            begins = max(now, self._begun.popleft() + _MINUTE) if full else now
            self._begun.append(begins)
        if begins - now > _SILENT_SECONDS:
            text = f"{self._per_minute} calls began in a minute (`requests_per_minute`)"
            self._tell(text, tell)
        if stop.wait(max(0.0, begins - now)):
            raise cancelled()

    def _tell(self, text: str, tell: Callable[[str], None]) -> None:
        """Once in a while: a thousand may wait for the same."""
        with self._lock:
            now = time.monotonic()
            if now - self._told < _MINUTE / 6:
                return
            self._told = now
        tell(f"waiting for a place: {text}")
