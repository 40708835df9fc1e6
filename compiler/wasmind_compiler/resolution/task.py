"""Work on a thread of its own.

An executor would do, but importing one takes longer than a remote takes to answer.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Final

_AT_ONCE: Final = 8


class Task:
    """Work that has begun, or begins as soon as few enough others are at it.

    Args:
        work: what is to be done.
        at_once: it begins whatever others are at, as what others wait for must.
    """

    _room = threading.Semaphore(_AT_ONCE)

    def __init__(self, work: Callable[[], None], *, at_once: bool = False) -> None:
        self._work = work
        self._turn = contextlib.nullcontext() if at_once else self._room
        self._error: BaseException | None = None
        # A thread counts as ended once a Ctrl-C came while somebody joined it.
        self._ended = threading.Event()
        threading.Thread(target=self._run).start()

    def wait(self) -> None:
        """Wait for its end, and raise what it raised."""
        self.end()
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """Wait for its end, whatever that is."""
        self._ended.wait()

    def _run(self) -> None:
        try:
            with self._turn:
                self._work()
        except BaseException as error:  # noqa: BLE001 - raised where somebody waits
            self._error = error
        finally:
            self._ended.set()
