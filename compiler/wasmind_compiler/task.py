"""Work on a thread of its own.

An executor would do, but importing one takes longer than a remote takes to answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, TypeVar

_Result = TypeVar("_Result")


class Task(Generic[_Result]):
    """Work that has begun, or begins as soon as there is room for it.

    Args:
        work: what is to be done.
        room: entered while it is done; a semaphore lets so many tasks work at once. What another
            task waits for must not need the same room.
    """

    def __init__(
        self, work: Callable[[], _Result], room: AbstractContextManager[Any] | None = None
    ) -> None:
        self._result: _Result
        self._work = work
        self._room = nullcontext() if room is None else room
        self._error: BaseException | None = None
        # A thread counts as ended once a Ctrl-C came while somebody joined it.
        self._ended = threading.Event()
        threading.Thread(target=self._run).start()

    def wait(self) -> _Result:
        """Wait for its end, and return or raise what it did."""
        self.end()
        if self._error is not None:
            raise self._error
        return self._result

    def end(self) -> None:
        """Wait for its end, whatever that is."""
        self._ended.wait()

    def _run(self) -> None:
        try:
            with self._room:
                self._result = self._work()
        except BaseException as error:  # noqa: BLE001 - raised where somebody waits
            self._error = error
        finally:
            self._ended.set()
