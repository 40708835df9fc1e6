"""Messages on the bus: the envelope, correlation ids, and the few types the host itself sends."""

from __future__ import annotations

import json
import os
import random
import string
import threading
from dataclasses import dataclass, field
from typing import Any, Final

from wasmind.runtime import abi

ACTOR_READY: Final = "wasmind.common.actors.ActorReady"
ALL_ACTORS_READY: Final = "wasmind.common.actors.AllActorsReady"
AGENT_SPAWNED: Final = "wasmind.common.actors.AgentSpawned"
EXIT: Final = "wasmind.common.actors.Exit"
ADD_MESSAGE: Final = "wasmind.common.assistant.AddMessage"
STATUS_UPDATE: Final = "wasmind.common.assistant.StatusUpdate"
REQUEST: Final = "wasmind.common.assistant.Request"
CHAT_STATE_UPDATED: Final = "wasmind.common.assistant.ChatStateUpdated"
RESPONSE: Final = "wasmind.common.assistant.Response"
BASE_URL_UPDATE: Final = "wasmind.common.litellm.BaseUrlUpdate"
EXECUTE_TOOL_CALL: Final = "wasmind.common.tools.ExecuteToolCall"
TOOL_CALL_STATUS: Final = "wasmind.common.tools.ToolCallStatusUpdate"
USER_NOTIFICATION: Final = "wasmind.common.ui.UserNotification"

#: Types only the host may send; an actor that sends one is refused.
HOST_ONLY: Final = frozenset({ACTOR_READY, ALL_ACTORS_READY, AGENT_SPAWNED, BASE_URL_UPDATE})

#: Sender ids of the host, as the reference spells them.
CONTEXT: Final = "wasmind__context"
COORDINATOR: Final = "wasmind__coordinator"
READINESS: Final = "wasmind_coordinator"

_ALPHABET: Final = string.ascii_letters + string.digits
_PAIRS: Final = tuple(one + two for one in _ALPHABET for two in _ALPHABET)

# Ids name messages and agents, they protect nothing; the secrets module is ten times slower.
_draw: Final = random.Random(os.urandom(16)).random  # noqa: S311


def short_id() -> str:
    """Six characters out of `A-Z a-z 0-9`, each drawn uniformly."""
    count = len(_PAIRS)
    number = int(_draw() * count**3)
    return _PAIRS[number % count] + _PAIRS[number // count % count] + _PAIRS[number // count**2]


def root_id() -> str:
    """The id of a message that no message caused."""
    return f"root:{short_id()}"


def child_id(cause: str) -> str:
    """The id of a message sent while the message `cause` was handled."""
    return f"{cause.rpartition(':')[2]}:{short_id()}"


def encode(payload: Any) -> bytes:
    """Compact JSON in UTF-8, the wire form of a payload."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """One message as everybody sees it. Identity is the object: ids may repeat.

    Attributes:
        sequence: place in the one total order, from 1.
        id: correlation id, `<parent>:<own>`.
        sender: logical name of the sending actor; None for the host.
    """

    sequence: int
    id: str
    message_type: str
    from_actor_id: str
    from_scope: str
    payload: bytes
    sender: str | None = None
    _lowered: list[abi.Value] = field(default_factory=list, repr=False)

    def json(self) -> Any:
        """The decoded payload; None if it is no JSON."""
        try:
            return json.loads(self.payload)
        except (ValueError, RecursionError):
            return None

    def lowered(self, shape: abi.Shape) -> abi.Value:
        """The component value, made once and shared by all receivers."""
        if self._lowered:
            return self._lowered[0]
        with _lowering:
            if not self._lowered:
                fields = (
                    self.id,
                    self.message_type,
                    self.from_actor_id,
                    self.from_scope,
                    self.payload,
                )
                self._lowered.append(abi.Value(shape, fields))
            return self._lowered[0]


_lowering = threading.Lock()


def notification(title: str, message: str, source: str, level: str = "Error") -> bytes:
    """Payload of a `UserNotification`."""
    return encode({"level": level, "title": title, "message": message, "source": source})


def failed_tool_call(call: Any, reason: str) -> bytes | None:
    """Payload that answers an `ExecuteToolCall` payload with an error; None if malformed."""
    try:
        call_id = call["tool_call"]["id"]
        request_id = call["originating_request_id"]
    except (TypeError, KeyError):
        return None
    display = {"collapsed": reason.splitlines()[0], "expanded": reason}
    error = {"content": reason, "ui_display_info": display}
    return encode(
        {
            "status": {"Done": {"result": {"Err": error}}},
            "id": call_id,
            "originating_request_id": request_id,
        }
    )


def called_tool(call: Any) -> str | None:
    """Name of the tool an `ExecuteToolCall` payload asks for; None if malformed."""
    try:
        name = call["tool_call"]["function"]["name"]
    except (TypeError, KeyError):
        return None
    return name if isinstance(name, str) else None
