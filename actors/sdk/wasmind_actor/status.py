"""The statuses of an assistant: working, waiting for something, or done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from wasmind_actor.chat import Scope, ToolCall, ToolOutcome
from wasmind_actor.wire import Err, Ok, Record, Variant


class WaitingForAllActorsReady(Variant):
    """The agent is still being put together."""


class WaitingForLiteLLM(Variant):
    """No model endpoint is known yet."""


class WaitingForUserInput(Variant):
    """Only the user can wake it."""


class CompactingConversation(Variant):
    """Its history is being summarised."""


class WaitingForSystemInput(Variant):
    """Idle until a message comes: from `required_scope` if given, from the user if allowed."""

    required_scope: Scope | None = None
    interruptible_by_user: bool


class WaitingForAgentCoordination(Variant):
    """A tool asked to pause until another agent answers."""

    originating_request_id: str
    coordinating_tool_name: str
    target_agent_scope: Scope | None = None
    user_can_interrupt: bool


class PendingToolCall(Record):
    """A tool call and its result, if it has come."""

    tool_call: ToolCall
    result: ToolOutcome | None = None


class WaitingForTools(Variant):
    """Tools are at work; `tool_calls` is keyed by call id."""

    originating_request_id: str
    tool_calls: Mapping[str, PendingToolCall]


WaitReason: TypeAlias = (
    WaitingForAllActorsReady
    | WaitingForUserInput
    | WaitingForSystemInput
    | WaitingForAgentCoordination
    | WaitingForTools
    | WaitingForLiteLLM
    | CompactingConversation
)


class TaskResponse(Record):
    """How an agent's task ended."""

    summary: str
    success: bool


class Processing(Variant):
    """A model is being asked."""

    request_id: str


class Wait(Variant):
    """Nothing happens until something else does."""

    reason: WaitReason


class Done(Variant):
    """The agent has finished."""

    result: Ok[TaskResponse] | Err[str]


Status: TypeAlias = Processing | Wait | Done

#: The normal resting status: any message wakes it.
IDLE: Final = Wait(reason=WaitingForSystemInput(required_scope=None, interruptible_by_user=True))
