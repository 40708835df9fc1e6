"""The door to models: requests to one origin go to a gateway in this process, not to the network.

What answers is injected from above; the runtime only recognises the origin. There is no socket, so
nobody else on the machine can ask, and each call is known to belong to somebody.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

HOST: Final = "models.internal"
#: What is announced to actors: no trailing slash, no version.
BASE_URL: Final = f"http://{HOST}"


def _unheard(what: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A request of an actor to the models.

    Attributes:
        path: without the query.
        actor: logical name.
        message_id: of the message being handled; None in a constructor or destructor.
        cancelled: set when the actor must stop; whoever answers gives up then.
        largest: bytes an answer may have.
        doing: told what the actor is waiting for, in words like `waiting for a model`.
    """

    method: str
    path: str
    body: bytes
    actor: str
    scope: str
    message_id: str | None
    cancelled: threading.Event
    largest: int
    doing: Callable[[str], None] = _unheard


@dataclass(frozen=True, slots=True)
class ModelReply:
    """A response in JSON."""

    status: int
    body: bytes

    @property
    def headers(self) -> list[tuple[str, str]]:
        """As an actor sees them."""
        return [("content-type", "application/json")]


class ModelGateway(Protocol):
    """What answers for all models. Used from any thread; may take as long as a model takes."""

    def answer(self, request: ModelRequest) -> ModelReply:
        """The response; refusals are responses too."""

    def interrupt(self, scope: str) -> None:
        """End the calls that an agent makes now; called under the bus' lock."""


def path_at_models(url: str) -> str | None:
    """The path of a URL at the announced origin; None for any other URL."""
    if HOST not in url.lower():
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme != "http" or parts.hostname != HOST or port not in (None, 80):
        return None
    return parts.path
