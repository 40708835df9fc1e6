"""An actor that uses most of the library, for its tests."""

from __future__ import annotations

from typing import Annotated

from texts.words import shout

from wasmind_actor import (
    U32,
    Actor,
    Call,
    Config,
    Contribution,
    Deferred,
    Envelope,
    Message,
    Param,
    ToolError,
    on,
    tool,
)
from wasmind_actor.chat import Scope, UserMessage
from wasmind_actor.messages import AddMessage, AgentSpawned, Exit
from wasmind_actor.status import IDLE


class NotesConfig(Config):
    """How to take notes."""

    title: str = "Notes"
    writable: bool = True


class NoteTaken(Message, type="notes.NoteTaken"):
    """There is a new note."""

    text: str


class Notes(Actor[NotesConfig]):
    """Takes notes.

    And does other things.
    """

    contributions = (
        Contribution.guide("read", "Read them.", priority=900),
        Contribution(key="notes:write", text="Write.", priority=1, when="writable"),
        Contribution(key="notes:last", text="Last.", priority=1, after_tools=True),
    )

    def start(self) -> None:
        """Begin with an empty book."""
        self.notes: list[str] = []
        self.waiting: list[Call] = []
        self.seen: list[str] = []

    def stop(self) -> None:
        """Tell that it is over."""
        self.broadcast(NoteTaken(text="closed"))

    @tool(when="writable")
    def write(self, text: str, times: Annotated[U32, Param(minimum=1)] = 1) -> str:
        """Writes a note."""
        self.notes += [text] * times
        self.broadcast(NoteTaken(text=text))
        return f"{self.config.title}: {len(self.notes)}"

    @tool
    def read(self, number: int | None = None) -> str:
        """Reads a note."""
        if number is None:
            return "\n".join(self.notes)
        return shout(self.notes[number])  # IndexError for a number out of range

    @tool(name="await_note")
    def wait(self, call: Call) -> Deferred:
        """Waits for the next message."""
        call.progress("waiting")
        call.request_status(IDLE)
        self.waiting.append(call)
        return call.defer()

    @tool
    def refuse(self) -> str:
        """Refuses."""
        raise ToolError("No.", "refused", "at length")

    @on(AddMessage)
    def added(self, message: AddMessage, envelope: Envelope) -> None:
        """Answer whoever waits."""
        self.seen.append(f"{envelope.from_scope}: {message.message.content}")
        for call in self.waiting:
            call.answer(str(message.message.content))

    @on(Exit, reach="any")
    def gone(self, message: Exit, envelope: Envelope) -> None:
        """Fail, for the test."""
        raise KeyError(envelope.from_scope)

    @on(NoteTaken)
    def noted(self) -> None:
        """See the own message."""
        self.seen.append("noted")

    @on(AgentSpawned)
    def spawned(self, message: AgentSpawned) -> None:
        """Greet."""
        self.greet(message.agent_id)

    def greet(self, scope: Scope) -> None:
        """Say hello."""
        self.broadcast(AddMessage(agent=scope, message=UserMessage(content="Hello")))
