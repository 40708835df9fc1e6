"""The compiler's progress on stderr: lines that stay, and on a terminal one that does not."""

from __future__ import annotations

import threading
from typing import Final

from wasmind.cli import terminal
from wasmind_compiler.reporter import Reporter

_MARGIN: Final = 13


class TerminalReporter(Reporter):
    """Shows progress to whoever sits at the terminal.

    Args:
        hosts: whether the hosts that were asked are said, too.
    """

    def __init__(self, *, hosts: bool = False) -> None:
        self.wants_hosts = hosts
        self.shows_progress = terminal.rewrites_lines()
        self._lock = threading.Lock()

    def status(self, verb: str, text: str) -> None:
        """A line that stays."""
        with self._lock:
            terminal.status(verb, text)

    def progress(self, text: str) -> None:
        """The line that is written over."""
        if self.shows_progress:
            with self._lock:
                terminal.transient(" " * _MARGIN + text if text else "")
