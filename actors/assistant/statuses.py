"""The statuses of a conversation: which there are, what ends them, who may ask for them."""

from __future__ import annotations

from typing import Final

from calls import OpenCalls
from effects import Pending

from wasmind_actor.chat import UserMessage
from wasmind_actor.status import (
    CompactingConversation,
    Done,
    Status,
    Wait,
    WaitingForAgentCoordination,
    WaitingForSystemInput,
    WaitingForTools,
    WaitingForUserInput,
)

COMPACTING: Final = Wait(reason=CompactingConversation())
INTERRUPT: Final = Wait(reason=WaitingForUserInput())


def wakes(status: Status, pending: Pending) -> bool:
    """Whether a status ends when this is said."""
    if not isinstance(status, Wait):
        return False
    from_user = isinstance(pending.message, UserMessage)
    match status.reason:
        case WaitingForUserInput():
            return from_user
        case WaitingForSystemInput(required_scope=scope, interruptible_by_user=user):
            return user if from_user else scope in (None, pending.source)
        case WaitingForAgentCoordination(target_agent_scope=scope, user_can_interrupt=user):
            return user if from_user else scope in (None, pending.source)
        case _:
            return False


def may_be_requested(status: Status) -> bool:
    """Whether a tool may ask for a status while it is being called."""
    match status:
        case Done():
            return True
        case Wait(
            reason=WaitingForUserInput() | WaitingForSystemInput() | WaitingForAgentCoordination()
        ):
            return True
        case _:
            return False


def waiting_for(calls: OpenCalls) -> Wait:
    """The status while tools are at work."""
    return Wait(
        reason=WaitingForTools(originating_request_id=calls.request_id, tool_calls=calls.pending())
    )
