"""An actor that does what a test sends it, and content of any size.

It counts what it did, so that a loss of its state shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.runtime.conftest import PYTHON_ACTOR, message, until
from wasmind.plan import Actor
from wasmind.runtime.events import Event, Failure, LogRecord, Subscription
from wasmind.runtime.messages import Envelope
from wasmind.runtime.runtime import Runtime

SOURCE = """
    import hashlib
    from wasmind_actor import Actor, BroadcastError, Message, agents, command, files, host, http
    from wasmind_actor import log, on, tool

    class Do(Message, type="test.Do"):
        source: str
        given: str = ""

    class Done(Message, type="test.Done"):
        text: str
        count: int

    class Big(Message, type="test.Big"):
        text: str

    def digest(data):
        return f"{len(data)} {hashlib.sha256(data).hexdigest()}"

    class Does(Actor):
        def start(self):
            self.count = 0

        @tool
        def repeat(self, text: str, times: int) -> str:
            '''Repeats a text.'''
            return text * times

        @tool
        def leave(self) -> str:
            '''Leaves.'''
            import sys
            sys.exit(3)

        @on(Do, reach="any")
        def do(self, message: Do):
            self.count += 1
            names = dict(globals(), actor=self, given=message.given, result=None)
            try:
                exec(message.source, names)
                text = f"result: {names['result']}"
            except Exception as error:
                text = f"{type(error).__name__}: {error}"
            self.broadcast(Done(text=text, count=self.count))
"""

#: What one character, repeated, makes of a content: ASCII, longer UTF-8, no UTF-8 at all.
PATTERNS = {"ascii": b"x", "utf-8": "€".encode(), "binary": b"\xff\x00"}


def content(kind: str, size: int) -> bytes:
    """`size` bytes of a kind; `utf-8` may be cut in the middle of a character."""
    pattern = PATTERNS[kind]
    return (pattern * (size // len(pattern) + 1))[:size]


def digest(data: bytes) -> str:
    """What the actor's function of that name says."""
    return f"{len(data)} {hashlib.sha256(data).hexdigest()}"


class Doing:
    """The running actor. It has lost its state if it does not count on."""

    def __init__(self, runtime: Runtime, events: Subscription) -> None:
        self.runtime = runtime
        self.events = events
        self.seen: list[Event] = []
        self._count = 0

    def do(self, source: str, given: str = "") -> str:
        """What came of the source; AssertionError if the instance was lost."""
        self.runtime.send("test.Do", {"source": source, "given": given})
        event = self.next(lambda event: message("test.Done")(event) or isinstance(event, Failure))
        assert isinstance(event, Envelope), f"the instance was lost: {event}"
        self._count += 1
        answer = event.json()
        assert answer["count"] == self._count, "the instance has forgotten"
        return str(answer["text"])

    def next(self, matches: Callable[[Event], object]) -> Event:
        """The next event that matches."""

        def look(event: Event) -> object:
            self.seen.append(event)
            return matches(event)

        return until(self.events, look, 60)

    def logged(self, level: str) -> list[str]:
        """What was logged so far at that level."""
        return [
            event.text
            for event in self.seen
            if isinstance(event, LogRecord) and event.level == level
        ]


@pytest.fixture
def doing(python_bundle, run) -> Callable[..., Doing]:
    """Starts the actor; keywords change its place in the plan."""

    def start(**changes: Any) -> Doing:
        actor: Actor = PYTHON_ACTOR._replace(**changes)
        return Doing(*run(python_bundle(does=(SOURCE, actor))))

    return start
