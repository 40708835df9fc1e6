"""Notices when a model makes the same call again and again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from wasmind_actor import require_shallow
from wasmind_actor.chat import ToolCall

#: From this many equal calls in a row on the model is told.
NOTICED: Final = 3


class Repeats:
    """Counts how often each call of an answer was made in a row: in this answer and those before.

    Two calls are the same when tool and arguments are, however the arguments are written.
    """

    def __init__(self) -> None:
        self._runs: Mapping[tuple[str, str], int] = {}

    def forget(self) -> None:
        """Begin anew: somebody may want the same once more."""
        self._runs = {}

    def made(self, calls: Sequence[ToolCall]) -> Mapping[str, int]:
        """Note the calls of one answer; returns the length of each run worth noticing, by id."""
        runs: dict[tuple[str, str], int] = {}
        noticed: dict[str, int] = {}
        for call in calls:
            what = (call.function.name, _canonical(call.function.arguments))
            runs[what] = runs.get(what, self._runs.get(what, 0)) + 1
            if runs[what] >= NOTICED:
                noticed[call.id] = runs[what]
        self._runs = runs
        return noticed


def remark(times: int) -> str:
    """What the model is told behind the result of such a call."""
    return (
        f"\n\n[You have now made this call {times} times in a row, with the same arguments. If it "
        "does not bring you further, try something else or say what you need.]"
    )


def _canonical(arguments: str) -> str:
    try:
        require_shallow(arguments)
        return json.dumps(json.loads(arguments, strict=False), sort_keys=True)
    except ValueError:
        return arguments
