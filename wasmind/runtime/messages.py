"""Messages on the bus: the envelope, correlation ids, and the few types the host itself sends."""

from __future__ import annotations

import json
import os
import random
import string
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from wasmind.runtime import abi

ACTOR_READY: Final = "wasmind.common.actors.ActorReady"
ALL_ACTORS_READY: Final = "wasmind.common.actors.AllActorsReady"
AGENT_SPAWNED: Final = "wasmind.common.actors.AgentSpawned"
EXIT: Final = "wasmind.common.actors.Exit"
ADD_MESSAGE: Final = "wasmind.common.assistant.AddMessage"
QUEUE_STATUS: Final = "wasmind.common.assistant.QueueStatusChange"
REQUEST: Final = "wasmind.common.assistant.Request"
STATUS_UPDATE: Final = "wasmind.common.assistant.StatusUpdate"
QUEUE_STATUS_CHANGE: Final = "wasmind.common.assistant.QueueStatusChange"
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

#: How large the arguments made of a message may be to be kept as long as the message.
_KEPT_BYTES: Final = 1 << 16

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
    """Compact JSON in UTF-8, the wire form of a payload; `?` for half a surrogate pair."""
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "replace")


def decode(payload: bytes) -> Any:
    """A decoded payload; None if it is no JSON."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None


@dataclass(slots=True, eq=False)
class Envelope:
    """One message as everybody sees it. Identity is the object: ids may repeat.

    Nobody changes it. It is not frozen, because one is made for every message, and making a frozen
    one takes three times as long.

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
    _text: abi.MessageArguments | None = field(default=None, repr=False)
    _record: Callable[[], abi.Value | None] | None = field(default=None, repr=False)

    def json(self) -> Any:
        """The decoded payload; None if it is no JSON."""
        return decode(self.payload)

    def as_text(self) -> abi.MessageArguments:
        """The message for guests that take text."""
        found = self._text
        if found is None:  # two threads may make it at once, which does no harm
            found = abi.MessageArguments(
                self.id, self.message_type, self.from_actor_id, self.from_scope, self.payload
            )
            if found.own_bytes <= _KEPT_BYTES:
                self._text = found
        return found

    def as_record(self, shape: abi.Shape) -> abi.Value:
        """The message for all other guests, made once and shared by its receivers.

        A message stays around as long as somebody looks at events, and its `list<u8>` is 32 times
        as large: what is large lives only while a receiver holds on to it.
        """
        with _lowering:
            found = None if self._record is None else self._record()
            if found is None:
                found = abi.Value(
                    shape,
                    (self.id, self.message_type, self.from_actor_id, self.from_scope, self.payload),
                )
                small = len(self.payload) * abi.VALUE_SIZE <= _KEPT_BYTES
                kept = partial(_itself, found) if small else weakref.ref(found)
                self._record = kept
        return found


def _itself(value: abi.Value) -> abi.Value:
    return value


_lowering = threading.Lock()


def notification(title: str, message: str, source: str, level: str = "Error") -> bytes:
    """Payload of a `UserNotification`."""
    return encode({"level": level, "title": title, "message": message, "source": source})


def system_message(agent: str, text: str) -> bytes:
    """Payload of an `AddMessage`: word for an agent's assistant."""
    return encode({"agent": agent, "message": {"role": "system", "content": text}})


def pause(agent: str, *, for_user: bool) -> bytes:
    """Payload of a `QueueStatusChange`: rest until the user speaks, or until anybody does."""
    anybody = {"WaitingForSystemInput": {"required_scope": None, "interruptible_by_user": True}}
    reason = "WaitingForUserInput" if for_user else anybody
    return encode({"agent": agent, "status": {"Wait": {"reason": reason}}})


def calls_tools(response: bytes) -> bool:
    """Whether a `Response` payload wants tools to run."""
    try:
        return bool(decode(response)["message"].get("tool_calls"))
    except (TypeError, KeyError, AttributeError):
        return False


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


def interrupted_agent(envelope: Envelope) -> str | None:
    """The agent whose user wants it to stop and listen, by a `QueueStatusChange`; None if none."""
    match envelope.json():
        case {"agent": str(scope), "status": {"Wait": {"reason": "WaitingForUserInput"}}}:
            return scope
    return None
