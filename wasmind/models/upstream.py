"""What answers chat completions, as the gateway sees it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from wasmind.models.errors import cancelled
from wasmind.models.stream import Delta

Request = Mapping[str, Any]
Completion = dict[str, Any]


def _nobody(text: str) -> None:
    """Warnings that nobody wants."""


@dataclass(slots=True)
class Watch:
    """One attempt, as what it is made for looks at it.

    Attributes:
        cancelled: set when the actor that asked is ending.
        largest: bytes an answer may have.
        delta: told about pieces of a growing answer; None if nobody watches.
        idle: called now and then while nothing comes.
        warn: told about what was done differently from how it was asked for.
        most_tokens: how long the answer may become at most, if that is limited.
        first_token: when the first piece of a streamed answer came, as `time.monotonic` counts.
    """

    cancelled: threading.Event = field(default_factory=threading.Event)
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
