"""Signals that end a run: the first lets agents end, the second ends the process at once."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Final

#: What ends a run, where the system has it.
_ENDING: Final = ("SIGINT", "SIGTERM", "SIGHUP")


class Ended(KeyboardInterrupt):
    """A signal came; raised in the main thread.

    Attributes:
        name: of the signal, like `SIGTERM`.
        code: what the process exits with, as shells have it.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.name = signal.Signals(number).name
        self.code = 128 + number


def listen() -> None:
    """From now on signals raise `Ended`; those that are ignored, as by `nohup`, stay ignored."""
    for name in _ENDING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)


def _raise(number: int, _frame: FrameType | None) -> None:
    if number == getattr(signal, "SIGHUP", None):
        _leave_terminal()
    raise Ended(number)


def _leave_terminal() -> None:
    """The terminal is gone: what is still said must not fail for it."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and os.isatty(stream.fileno()):
                os.dup2(nowhere, stream.fileno())
