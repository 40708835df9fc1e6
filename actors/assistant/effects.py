"""What a conversation wants done, and what it is told at the start."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from wasmind_actor import Message, Scope, Struct
from wasmind_actor.chat import SystemMessage, UserMessage


class Finish(Enum):
    """How an answer came to its end."""

    COMPLETE = "said all it had to say"
    CUT = "was cut off at the largest length"
    STOPPED = "was refused, or stopped by a filter: nothing more will come"


class HistoryChanged(Struct):
    """The history is no longer what others know."""


class AskModel(Struct):
    """Make a request; then call `replied`, `too_long` or `failed`."""

    request_id: str


class Warn(Struct):
    """Something worth a line in the log."""

    text: str


Effect: TypeAlias = Message | HistoryChanged | AskModel | Warn


class Rules(Struct):
    """The part of the configuration that matters to a conversation."""

    require_tool_call: bool = False
    allow_empty_responses: bool = False
    tool_timeout_seconds: float = 3600.0


class Pending(Struct):
    """Input that no request has contained yet, and the agent it came from."""

    message: SystemMessage | UserMessage
    source: Scope
