"""A conversation as text, for somebody who judges it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wasmind_actor.chat import AssistantMessage, HistoryMessage, ToolMessage, UserMessage

_RESULT: Final = "[result of the tool]"
_NO_TEXT: Final = "[no text]"


def transcript_of(history: Iterable[HistoryMessage]) -> str:
    """All messages, separated by blank lines. Results of tools are left out: they are long, and
    what the agent does about them is what counts."""
    return "\n\n".join(_entry(message) for message in history)


def _entry(message: HistoryMessage) -> str:
    if isinstance(message, AssistantMessage):
        calls = [
            f"  calls {call.function.name} {call.function.arguments}"
            for call in message.tool_calls or ()
        ]
        return "\n".join([f"assistant: {message.content or _NO_TEXT}", *calls])
    if isinstance(message, ToolMessage):
        return f"tool {message.name}: {_RESULT}"
    role = "user" if isinstance(message, UserMessage) else "system"
    return f"{role}: {message.content}"
