"""Handlers: methods of an actor that react to messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from wasmind_actor.chat import Scope
from wasmind_actor.codec import DecodeError
from wasmind_actor.signatures import judge_handler
from wasmind_actor.wire import Message, Reach, loads

F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A message as the bus carries it.

    Attributes:
        id: `<cause>:<own>`, `root:<own>` if no message caused it.
        from_actor_id: the sender's kind.
        from_scope: the sender's agent.
        content: the payload as it came, JSON in most cases.
    """

    id: str
    message_type: str
    from_actor_id: str
    from_scope: Scope
    content: str | bytes

    @property
    def payload(self) -> bytes:
        """The payload, JSON in UTF-8."""
        return self.content.encode() if isinstance(self.content, str) else self.content


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A method declared with `@on`."""

    message: type[Message]
    reach: Reach
    method: str
    #: How much of message and envelope the method takes: 0, 1 or 2.
    takes: int = 1

    @property
    def scope(self) -> Literal["own", "any"]:
        """From whom messages must be delivered for it."""
        return "own" if self.reach == "own" else "any"

    def deliver(self, actor: Any, envelope: Envelope) -> None:
        """Call the method if the message concerns the actor and can be read."""
        if self.reach == "own" and envelope.from_scope != actor.scope:
            return
        try:
            message = loads(self.message, envelope.content)
        except DecodeError:
            return  # as all actors do: a newer or foreign sender may mean something else
        if self.reach == "addressed" and getattr(message, "agent", None) != actor.scope:
            return
        getattr(actor, self.method)(*(message, envelope)[: self.takes])


def on(message: type[Message], *, reach: Reach | None = None) -> Callable[[F], F]:
    """Make a method a handler, called with the decoded message and the envelope.

    It may leave out the envelope, or both.

    Args:
        message: what it handles.
        reach: whose messages: those sent from the `own` scope, those `addressed` to it by a field
            `agent`, or `any`. By default what the message class says.
    """

    def mark(method: F) -> F:
        method.__on__ = [*getattr(method, "__on__", ()), (message, reach or message.reach)]  # type: ignore[attr-defined]
        return method

    return mark


def handlers_of(cls: type) -> Iterator[Handler]:
    """The handlers of an actor class, in the order they are written in, base classes first."""
    found = {
        attribute: getattr(cls, attribute)
        for base in reversed(cls.__mro__)
        for attribute, value in vars(base).items()
        if hasattr(value, "__on__")
    }
    for attribute, function in found.items():
        for message, reach in reversed(function.__on__):
            yield Handler(
                message=message,
                reach=reach,
                method=attribute,
                takes=judge_handler(function),
            )
