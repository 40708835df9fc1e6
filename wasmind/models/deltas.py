"""Pieces of a growing answer as events, put together to at most twenty times a second."""

from __future__ import annotations

import itertools
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
        self._pieces: list[tuple[Any, str]] = []
        self._last = 0.0
        #: Whether anything was emitted.
        self.shown = False

    def __call__(self, kind: str, text: str) -> None:
        """One more piece."""
        self._pieces.append((kind, text))
        self.flush()

    def flush(self, *, whole: bool = False) -> None:
        """Emit what there is; not too soon after the last time, unless the answer is complete."""
        now = time.monotonic()
        if not self._pieces or (not whole and now - self._last < _BETWEEN_SECONDS):
            return
        pieces, self._pieces, self._last = self._pieces, [], now
        self.shown = True
        for kind, group in itertools.groupby(pieces, key=lambda piece: piece[0]):
            text = "".join(text for _, text in group)
            self._emit(ModelDelta(**self._who, kind=kind, text=text))
