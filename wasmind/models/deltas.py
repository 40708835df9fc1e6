"""Pieces of a growing answer as events, put together to at most twenty a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from wasmind.runtime.events import Event, ModelDelta

_BETWEEN_SECONDS: Final = 0.05


class Deltas:
    """Takes pieces of one answer, on one thread, and emits them now and then.

    Args:
        emit: takes the events.
        who: fields of the call they belong to.
    """

    def __init__(self, emit: Callable[[Event], None], who: Mapping[str, Any]) -> None:
        self._emit = emit
        self._who = who
        self._kind: Any = ""
        self._pieces: list[str] = []
        self._last = 0.0
        #: Whether anything was emitted.
        self.shown = False

    def __call__(self, kind: str, text: str) -> None:
        """One more piece."""
        if kind != self._kind:
            self.flush(whole=True)
            self._kind = kind
        self._pieces.append(text)
        self.flush()

    def flush(self, *, whole: bool = False) -> None:
        """Emit what there is; not too soon after the last time, unless the whole of it is there."""
        now = time.monotonic()
        if not self._pieces or (not whole and now - self._last < _BETWEEN_SECONDS):
            return
        text, self._pieces, self._last = "".join(self._pieces), [], now
        self.shown = True
        self._emit(ModelDelta(**self._who, kind=self._kind, text=text))
