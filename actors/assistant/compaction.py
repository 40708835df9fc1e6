"""Asking another actor of the agent to summarise a history that has become too long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wasmind_actor.chat import AssistantReply, HistoryMessage, Usage
from wasmind_actor.messages import Response

#: After this long without a summary the conversation goes on as it is.
COMPACTION_SECONDS: Final = 600.0

#: In the usage of an answer that is announced once more; whoever counts tokens leaves it out.
ANNOUNCED_AGAIN: Final = "wasmind_announced_again"
_MOST_TOKENS: Final = 2**31 - 1
_KIND: Final = "conversation_compaction"
_ADVICE: Final = (
    "start a new conversation, choose a model with a larger context window, or add an actor that "
    "compacts conversations (`wasmind:conversation_compaction`) to the agent"
)


def compacts(actor_id: str) -> bool:
    """Whether an actor of this kind compacts conversations."""
    return actor_id.rpartition(":")[2] == _KIND


class Compaction:
    """What is known about the actor that compacts, and about the compaction that was asked for.

    Such an actor listens to `Response`: an answer that used more tokens than its threshold makes it
    summarise everything before that answer. So it is asked by the last answer, announced once more.

    Attributes:
        compactor: id of the actor; None if the agent has none.
        since: when the history began to be held.
        reason: why it was asked for; empty if it was not, or is over.
    """

    def __init__(self) -> None:
        self.compactor: str | None = None
        self.since = 0.0
        self.reason = ""
        self._tried = False

    def try_again(self) -> None:
        """The conversation has changed: asking may help again."""
        self._tried = False

    def ask(self, history: Sequence[HistoryMessage], reason: str) -> Response | None:
        """What makes the actor compact; None if there is none, or it cannot help."""
        last = next(
            (each for each in reversed(history) if isinstance(each, AssistantReply)),
            None,
        )
        if self.compactor is None or self._tried or last is None or last is history[0]:
            return None
        self._tried, self.reason = True, reason
        return Response(
            message=AssistantReply(originating_request_id=last.originating_request_id),
            usage=Usage(total_tokens=_MOST_TOKENS, details={ANNOUNCED_AGAIN: True}),
        )

    def take_reason(self) -> str:
        """Why it was asked for, if it was; it is over now."""
        reason, self.reason = self.reason, ""
        return reason


def advice(reason: str) -> str:
    """What the conversation is too long for, with what helps."""
    return f"the conversation is too long {reason}; {_ADVICE}"
