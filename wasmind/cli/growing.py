"""Answers of models while they grow, as a few lines that are written over."""

from __future__ import annotations

import unicodedata
from typing import Final

from wasmind.plan import ROOT_SCOPE
from wasmind.runtime.events import Event, ModelCall, ModelDelta, ModelRetry
from wasmind.visible import visible

#: How much of an answer is in sight while it grows.
_MOST_LINES: Final = 6
_MOST_KEPT: Final = 8_000
_LABEL_WIDTH: Final = 14
_PREFIXES: Final = {"reasoning": "thinks: ", "tool_call": "calls "}


class _Answer:
    """An answer that is growing: whose it is, what grows, and the end of it."""

    def __init__(self, who: str) -> None:
        self.who = who
        self.kind = "text"
        self.text = ""

    def add(self, kind: str, text: str) -> None:
        if kind != self.kind:
            self.kind, self.text = kind, ""
        self.text = (self.text + text)[-_MOST_KEPT:]


class Growing:
    """Follows calls of models; the one that said something last is in sight."""

    def __init__(self) -> None:
        self._answers: dict[str, _Answer] = {}

    def see(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case ModelDelta():
                answer = self._answers.pop(event.call, None) or _Answer(_label(event))
                answer.add(event.kind, event.text)
                self._answers[event.call] = answer
            case ModelCall(phase="end") | ModelRetry():
                self._answers.pop(event.call, None)

    def lines(self, columns: int) -> list[str]:
        """What there is to show now; nothing if nothing grows."""
        if not self._answers:
            return []
        answer = list(self._answers.values())[-1]
        room = max(20, columns - _LABEL_WIDTH - 3)
        text = _PREFIXES.get(answer.kind, "") + answer.text.rstrip()
        wrapped = _wrapped(text, room)[-_MOST_LINES:]
        labels = [answer.who] + [""] * (len(wrapped) - 1)
        return [
            f"{label:>{_LABEL_WIDTH}}  {line}" for label, line in zip(labels, wrapped, strict=True)
        ]


def _label(event: ModelDelta) -> str:
    who = event.actor if event.scope == ROOT_SCOPE else f"{event.actor}@{event.scope}"
    return who[:_LABEL_WIDTH]


def _wrapped(text: str, room: int) -> list[str]:
    """Lines of at most so many columns."""
    lines = []
    for line in visible(text.expandtabs(4)).split("\n"):
        rest = line
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
