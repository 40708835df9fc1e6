"""When to say that something takes long: after two seconds, and then ever more seldom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wasmind.runtime.events import Waiting

#: What takes less needs no word.
MARK_SECONDS: Final = 2.0
_MARKS: Final = (MARK_SECONDS, 10.0, 30.0)
_EVERY: Final = 60.0


class Patience:
    """Remembers what has been said about which wait."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str, str], int] = {}

    def due(self, waits: Sequence[Waiting]) -> list[Waiting]:
        """Those of which something is to be said now. Call it with all that go on."""
        before, self._said, due = self._said, {}, []
        for wait in waits:
            passed = _passed(wait.seconds)
            key = (wait.actor, wait.scope, wait.what)
            # A wait that is younger than what was said is a new one.
            if passed > before.get(key, 0):
                due.append(wait)
            self._said[key] = passed
        return due


def _passed(seconds: float) -> int:
    """How many marks a wait has passed."""
    return sum(seconds >= mark for mark in _MARKS) + int(seconds // _EVERY)
