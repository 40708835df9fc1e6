"""What answers chat completions, as the gateway sees it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from wasmind.models.errors import cancelled
from wasmind.models.stream import Delta

Request = Mapping[str, Any]
Completion = dict[str, Any]


_LOOK_SECONDS: Final = 0.25


def _nobody(text: str) -> None:
    """Warnings that nobody wants."""


class Stop:
    """Ends one call: when it is set itself, or when the actor that made the call is ending.

    Args:
        actor: set when the actor is ending.
    """

    def __init__(self, actor: threading.Event) -> None:
        self._actor = actor
        self._own = threading.Event()

    def set(self) -> None:
        """End the call."""
        self._own.set()

    def is_set(self) -> bool:
        """Whether the call has to end."""
        return self._own.is_set() or self._actor.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait; True as soon as the call has to end."""
        end = time.monotonic() + seconds
        while not self.is_set():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._own.wait(min(left, _LOOK_SECONDS))
        return True


@dataclass(slots=True)
class Watch:
    """One attempt, as what it is made for looks at it.

    Attributes:
        cancelled: set when nobody waits for the answer any more.
        largest: bytes an answer may have.
        delta: told about pieces of a growing answer; None if nobody watches.
        idle: called now and then while nothing comes.
        warn: told about what was done differently from how it was asked for.
        most_tokens: how long the answer may become at most, if that is limited.
        first_token: when the first piece of a streamed answer came, as `time.monotonic` counts.
    """

    cancelled: Stop = field(default_factory=lambda: Stop(threading.Event()))
    largest: int = 64 << 20
    delta: Delta | None = None
    idle: Callable[[], None] | None = None
    warn: Callable[[str], None] = _nobody
    most_tokens: int | None = None
    first_token: float | None = None

    def sleep(self, seconds: float) -> None:
        """Wait; ModelError when the actor ends meanwhile."""
        if self.cancelled.wait(seconds):
            raise cancelled()

    def came(self) -> None:
        """A piece of a streamed answer has come."""
        if self.first_token is None:
            self.first_token = time.monotonic()


class Upstream(Protocol):
    """One way to an answer. Used from any thread."""

    @property
    def label(self) -> str:
        """What is asked, for people."""

    def ask(self, request: Request, watch: Watch) -> Completion:
        """Make one attempt at a chat completion in OpenAI's form.

        Raises:
            ModelError: there is no answer.
        """

    def close(self) -> None:
        """Close connections, end children."""
