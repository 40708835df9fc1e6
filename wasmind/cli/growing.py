"""Answers of models while they grow, in a few lines at the bottom of a terminal.

All of it is on stderr and is wiped away when something else is shown or the answer is complete, so
what stays is what would stay without it.
"""

from __future__ import annotations

import os
import sys
import time
import unicodedata
from dataclasses import dataclass, field
from typing import Final, TextIO

from wasmind.cli import terminal
from wasmind.plan import ROOT_SCOPE
from wasmind.runtime.events import Event, ModelCall, ModelDelta, ModelRetry

#: How much of an answer is in sight while it grows.
_MOST_LINES: Final = 6
_MOST_KEPT: Final = 8_000
#: Waiting in silence for longer would look like a fault.
_SILENT_SECONDS: Final = 2.0
_LABEL_WIDTH: Final = 14
_UP_AND_ERASE: Final = "\x1b[1A\r\x1b[K"


@dataclass(slots=True)
class _Growing:
    """A call that is under way."""

    who: str
    upstream: str
    since: float = field(default_factory=time.monotonic)
    kind: str = "text"
    text: str = ""


class Growing:
    """Follows calls of models and paints the one that said something last.

    Args:
        notes: the terminal.
    """

    def __init__(self, notes: TextIO) -> None:
        self._notes = notes
        self._colour = terminal.use_colour(notes)
        self._calls: dict[str, _Growing] = {}
        self._painted: list[str] = []

    @classmethod
    def on_terminal(cls) -> Growing | None:
        """One on stderr; None where nobody could watch."""
        watched = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        return cls(sys.stderr) if watched else None

    def see(self, event: Event) -> bool:
        """Take note of an event; True if nothing else is to be shown about it."""
        match event:
            case ModelCall(phase="start"):
                self._calls[event.call] = _Growing(_label(event), event.upstream)
            case ModelCall() | ModelRetry():
                self._calls.pop(event.call, None)
            case ModelDelta():
                self._grow(event)
                self.paint()
                return True
        return False

    def paint(self) -> None:
        """Show how things stand."""
        lines = self._lines()
        if lines == self._painted:
            return
        self.wipe()
        for line in lines:
            shown = f"\x1b[2m{line}\x1b[0m" if self._colour else line
            self._notes.write(f"{shown}\n")
        self._notes.flush()
        self._painted = lines

    def wipe(self) -> None:
        """Make room for something that stays."""
        if self._painted:
            self._notes.write(_UP_AND_ERASE * len(self._painted))
            self._notes.flush()
            self._painted = []

    def _grow(self, event: ModelDelta) -> None:
        call = self._calls.pop(event.call, None) or _Growing(_label(event), "")
        if event.kind != call.kind:
            call.kind, call.text = event.kind, ""
        call.text = (call.text + event.text)[-_MOST_KEPT:]
        self._calls[event.call] = call  # the last one is in sight

    def _lines(self) -> list[str]:
        if not self._calls:
            return []
        call = list(self._calls.values())[-1]
        # Slow to import, and most runs have nobody who watches.
        import shutil

        room = max(20, shutil.get_terminal_size().columns - _LABEL_WIDTH - 3)
        if not call.text.strip():
            waited = time.monotonic() - call.since
            if waited < _SILENT_SECONDS:
                return []
            wrapped = [_cut(f"waiting for {call.upstream} ({waited:.0f} s)", room)[0]]
        else:
            prefix = {"reasoning": "thinks: ", "tool_call": "calls "}.get(call.kind, "")
            wrapped = _wrapped(prefix + call.text.rstrip(), room)[-_MOST_LINES:]
        labels = [call.who] + [""] * (len(wrapped) - 1)
        return [
            f"{label:>{_LABEL_WIDTH}}  {line}" for label, line in zip(labels, wrapped, strict=True)
        ]


def _label(event: ModelCall | ModelDelta) -> str:
    who = event.actor if event.scope == ROOT_SCOPE else f"{event.actor}@{event.scope}"
    return who[:_LABEL_WIDTH]


def _wrapped(text: str, room: int) -> list[str]:
    """Lines of at most so many columns; what steers a terminal is left out."""
    lines = []
    for line in text.expandtabs(4).split("\n"):
        rest = "".join(char for char in line if char.isprintable())
        while True:
            shown, rest = _cut(rest, room)
            lines.append(shown)
            if not rest:
                break
    return lines


def _cut(text: str, room: int) -> tuple[str, str]:
    """As much as fits into so many columns, and the rest."""
    columns = 0
    for place, char in enumerate(text):
        columns += 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if columns > room:
            return text[:place], text[place:]
    return text, ""
