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
    """Remembers how long each wait had lasted when it was seen last."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str, str], float] = {}

    def due(self, waits: Sequence[Waiting]) -> list[Waiting]:
        """Those of which something is to be said now. Call it with all that go on."""
        before, self._seen, due = self._seen, {}, []
        for wait in waits:
            key = (wait.actor, wait.scope, wait.what)
            self._seen[key] = wait.seconds
            seen = before.get(key, 0.0)
            # One that is younger than before is another one.
            if _passed(wait.seconds) > (_passed(seen) if seen <= wait.seconds else 0):
                due.append(wait)
        return due


def _passed(seconds: float) -> int:
    """How many marks a wait has passed."""
    return sum(seconds >= mark for mark in _MARKS) + int(seconds // _EVERY)
