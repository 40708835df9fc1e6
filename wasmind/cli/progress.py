"""The compiler's progress on stderr: lines that stay, and on a terminal one that does not."""

from __future__ import annotations

import os
import sys
import threading
from typing import Final

from wasmind.cli import terminal
from wasmind_compiler.reporter import Reporter

_MARGIN: Final = 13
_ERASE: Final = "\r\x1b[K"


class TerminalReporter(Reporter):
    """Shows progress to whoever sits at the terminal.

    Args:
        hosts: whether the hosts that were asked are said, too.
    """

    def __init__(self, *, hosts: bool = False) -> None:
        self.wants_hosts = hosts
        self.shows_progress = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._lock = threading.Lock()
        self._shown = False

    def status(self, verb: str, text: str) -> None:
        """A line that stays."""
        with self._lock:
            self._erase()
            terminal.status(verb, text)

    def progress(self, text: str) -> None:
        """The line that is written over."""
        if not self.shows_progress:
            return
        with self._lock:
            self._erase()
            if text:
                # Slow to import, and most commands never get here.
                import shutil

                room = max(shutil.get_terminal_size().columns - _MARGIN - 1, 0)
                sys.stderr.write(" " * _MARGIN + text[:room])
                self._shown = True
            sys.stderr.flush()

    def _erase(self) -> None:
        if self._shown:
            sys.stderr.write(_ERASE)
            self._shown = False
