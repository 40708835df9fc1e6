"""Threads for guests: as many as there is work, none for what is idle.

At most `active` tasks compute at once. A task that waits for something outside hands its place on
for that time, so blocked calls hold up nobody however many there are.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

#: An unused thread ends after this time.
_IDLE_SECONDS: Final = 5.0


class Workers:
    """Runs tasks in the order they were submitted.

    Args:
        active: how many tasks may compute at the same time.
    """

    def __init__(self, active: int) -> None:
        self._limit = active
        self._tasks: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._active = 0
        self._idle = 0
        self._threads: set[threading.Thread] = set()
        self._closed = False

    def submit(self, task: Callable[[], None]) -> None:
        """Run `task` soon. It must not raise."""
        with self._changed:
            self._tasks.append(task)
            self._staff()

    def submit_all(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Run several tasks soon, in this order."""
        with self._changed:
            self._tasks.extend(tasks)
            self._staff()

    @contextmanager
    def blocked(self) -> Iterator[None]:
        """The calling task waits for something outside; another may use its place."""
        if threading.current_thread() not in self._threads:
            yield
            return
        with self._changed:
            self._active -= 1
            self._staff()
        try:
            yield
        finally:
            # Not waiting for a free place: a guest that is entered cannot be put aside.
            with self._changed:
                self._active += 1

    def close(self, timeout: float) -> bool:
        """Let running tasks end; True if all did within `timeout` seconds."""
        with self._changed:
            self._closed = True
            self._tasks.clear()
            self._changed.notify_all()
            threads = list(self._threads)
        deadline = time.monotonic() + timeout
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _staff(self) -> None:
        """Make sure that somebody takes the next task, if it may run now. Needs the lock."""
        if not self._runnable():
            return
        if self._idle:
            self._changed.notify()
            return
        thread = threading.Thread(target=self._work, name="actors", daemon=True)
        self._threads.add(thread)
        self._idle += 1  # counted before it runs, so that a burst starts one thread per place
        thread.start()

    def _work(self) -> None:
        while task := self._next():
            try:
                task()
            finally:
                with self._changed:
                    self._active -= 1
                    self._idle += 1
        with self._changed:
            self._idle -= 1
            self._threads.discard(threading.current_thread())

    def _runnable(self) -> bool:
        return bool(self._tasks) and self._active < self._limit

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._runnable():
                # A task may have come in the moment the wait gave up: look once more.
                if self._closed or not (self._changed.wait(_IDLE_SECONDS) or self._runnable()):
                    return None
            self._idle -= 1
            self._active += 1
            task = self._tasks.popleft()
            self._staff()
            return task
