"""A hostile actor that runs whatever source a test sends it and tells what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.runtime.conftest import (  # noqa: F401 - fixtures
    PYTHON_ACTOR,
    echo,
    echo_bundle,
    interpreter,
    message,
    python_bundle,
    run,
    until,
)
from wasmind.plan import Actor
from wasmind.runtime.bundle import Bundle
from wasmind.runtime.events import Event, Failure, LogRecord, Subscription
from wasmind.runtime.messages import Envelope
from wasmind.runtime.runtime import Runtime

PROBE = """
    from wasmind_actor import Actor, Message, agents, command, files, host, http, on

    class Try(Message):
        message_type = "test.Try"
        source: str

    class Outcome(Message):
        message_type = "test.Outcome"
        text: str

    class Probe(Actor):
        @on(Try, reach="any")
        def attempt(self, message: Try):
            names = dict(globals(), actor=self, result=None)
            try:
                exec(message.source, names)
                text = "result: " + repr(names["result"])
            except BaseException as error:
                text = f"{type(error).__name__}: {error}"
            self.broadcast(Outcome(text=text))
"""


class Probe:
    """A running probe actor."""

    def __init__(self, runtime: Runtime, events: Subscription) -> None:
        self.runtime = runtime
        self.events = events
        self.seen: list[Event] = []

    def attempt(self, source: str, seconds: float = 20) -> str:
        """Run source in the sandbox; what came of it, or how the actor failed."""
        self.runtime.send("test.Try", {"source": source})

        def over(event: Event) -> bool:
            self.seen.append(event)
            return isinstance(event, Failure) or message("test.Outcome")(event)

        event = until(self.events, over, seconds)
        if isinstance(event, Failure):
            return f"failed: {event.reason}"
        assert isinstance(event, Envelope)
        return str(event.json()["text"])

    def logged(self) -> str:
        """Everything that was logged so far."""
        return "\n".join(event.text for event in self.seen if isinstance(event, LogRecord))


@pytest.fixture
def probes(run) -> Callable[[Bundle], Probe]:  # noqa: F811
    """Starts bundles whose first actor is a probe."""
    return lambda bundle: Probe(*run(bundle))


@pytest.fixture
def probe(python_bundle, run) -> Callable[..., Probe]:  # noqa: F811
    def start(**changes: Any) -> Probe:
        actor: Actor = PYTHON_ACTOR._replace(**changes)
        return Probe(*run(python_bundle(probe=(PROBE, actor))))

    return start
