"""Threads for guests: as many as there is work, none for what is idle.

At most `active` tasks compute at once. A task that waits for something outside hands its place on
for that time, so blocked calls hold up nobody however many there are.

More than one computes only where that helps. Between two short pieces of work a thread needs the
interpreter's lock, and two threads that do nothing else take twice the time of one. So another
thread joins in when the pieces become rare, which is when guests compute, and leaves again when
they become many.
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
#: How long a thread watches the others before it joins in, and how many pieces of work they must
#: have done in that time for it not to.
_WATCH_SECONDS: Final = 0.001
_BRISK: Final = 4
#: So many pieces that the threads mostly wait for each other: one of several leaves again.
_RUSH: Final = 20


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
        self._watching = False
        self._surplus = False
        self._closed = False
        #: Tasks count here the pieces of work they do; not exactly, since nothing guards it.
        self.pieces = 0

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
        """Make sure that somebody takes or watches the next task. Needs the lock."""
        if not self._runnable() or (self._active and self._watching):
            return
        if self._idle:
            self._changed.notify()
            return
        thread = threading.Thread(target=self._work, name="actors", daemon=True)
        self._threads.add(thread)
        self._idle += 1  # counted before it runs, so that a burst starts one thread per place
        thread.start()

    def _work(self) -> None:
        task = self._first()
        while task:
            try:
                task()
            finally:
                with self._changed:
                    self._active -= 1
            task = self._next()
        with self._changed:
            self._idle -= 1
            self._threads.discard(threading.current_thread())

    def _runnable(self) -> bool:
        return bool(self._tasks) and self._active < self._limit

    def _first(self) -> Callable[[], None] | None:
        """Wait for a task; None when there was none for so long that the thread may end."""
        with self._changed:
            while not self._needed():
                # A task may have come in the moment the wait gave up: look once more.
                if self._closed or not (self._changed.wait(_IDLE_SECONDS) or self._runnable()):
                    return None
            self._idle -= 1
            return self._take()

    def _next(self) -> Callable[[], None] | None:
        """The task after one that has ended; a thread goes on without waiting, if it is of use."""
        with self._changed:
            if self._runnable() and not (self._surplus and self._active):
                return self._take()
            self._surplus = False
            self._idle += 1
        return self._first()

    def _take(self) -> Callable[[], None]:
        self._active += 1
        task = self._tasks.popleft()
        self._staff()
        return task

    def _needed(self) -> bool:
        """Whether this thread should take a task; it may watch the others for a moment first."""
        while self._runnable() and self._active:
            if self._watching:
                return False
            self._watching, before = True, self.pieces
            notified = self._changed.wait(_WATCH_SECONDS)
            self._watching = False
            done = self.pieces - before
            if not notified and self._runnable() and done < _BRISK:
                return True
            self._surplus = self._active > 1 and done > _RUSH
        return self._runnable()
