"""The tool calls of one answer, and what has become of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from repeats import remark

from wasmind_actor import Err, Ok, replace
from wasmind_actor.chat import Display, ToolCall, ToolCallResult, ToolMessage, ToolOutcome
from wasmind_actor.status import PendingToolCall


class OpenCalls:
    """Calls in the order the model made them; each is answered once.

    Args:
        request_id: the request whose answer made them.
        calls: the calls, of different ids.
        opened: when, by the clock of the conversation.
        repeated: how often in a row a call was made, where that is to be remarked on, by id.
    """

    def __init__(
        self,
        request_id: str,
        calls: Iterable[ToolCall],
        opened: float,
        repeated: Mapping[str, int] | None = None,
    ) -> None:
        self.request_id = request_id
        self.opened = opened
        self._calls = {call.id: PendingToolCall(tool_call=call) for call in calls}
        self._repeated = repeated or {}

    @property
    def complete(self) -> bool:
        """Whether every call has an answer."""
        return not self.unanswered()

    def unanswered(self) -> list[ToolCall]:
        """The calls without an answer."""
        return [each.tool_call for each in self._calls.values() if each.result is None]

    def answer(self, call_id: str, outcome: ToolOutcome) -> bool:
        """Note an answer; False if there is no such call or it has one already."""
        call = self._calls.get(call_id)
        if call is None or call.result is not None:
            return False
        self._calls[call_id] = replace(call, result=outcome)
        return True

    def pending(self) -> Mapping[str, PendingToolCall]:
        """All calls by id, as a status shows them."""
        return dict(self._calls)

    def messages(self) -> list[ToolMessage]:
        """The answers as the model gets them; all calls must have one."""
        return [
            ToolMessage(
                tool_call_id=call_id,
                name=each.tool_call.function.name,
                content=_content(each.result) + self._remark(call_id),
            )
            for call_id, each in self._calls.items()
            if each.result is not None
        ]

    def _remark(self, call_id: str) -> str:
        times = self._repeated.get(call_id)
        return remark(times) if times else ""


def failure(reason: str) -> Err[ToolCallResult]:
    """The answer to a call that never reached its tool or never came back."""
    return Err(ToolCallResult(content=reason, ui_display_info=Display(collapsed=reason)))


def _content(outcome: ToolOutcome) -> str:
    match outcome:
        case Ok(value=result):
            return result.content
        case Err(value=result):
            return f"Error: {result.content}"
