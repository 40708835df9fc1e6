"""What is left of the old part of a conversation. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from wasmind_actor.chat import (
    AssistantMessage,
    AssistantReply,
    HistoryMessage,
    ToolMessage,
    UserMessage,
)

#: Of the result of a tool, more than this is left out in the middle.
_LONGEST_RESULT: Final = 4_000
_LONGEST_TASK: Final = 8_000
_TASK: Final = re.compile(r"<original_task>\n(.*?)\n</original_task>", re.DOTALL)
_FILES: Final = re.compile(r"<files>\n(.*?)\n</files>", re.DOTALL)


def boundary_of(history: Sequence[HistoryMessage]) -> int | None:
    """Where the part begins that stays: the last answer, with its calls and their results.

    None if there is no answer, or nothing before it.
    """
    for index in range(len(history) - 1, 0, -1):
        if isinstance(history[index], AssistantReply):
            return index
    return None


def transcript_of(history: Iterable[HistoryMessage]) -> str:
    """Messages in tags named after who spoke, separated by blank lines."""
    return "\n\n".join(_entry(message) for message in history)


def summary_message(old: Sequence[HistoryMessage], summary: str) -> UserMessage:
    """The message that replaces the old ones.

    The task is kept word for word, and every file that was worked on is named: a summary may
    forget them.
    """
    parts = ["Earlier messages were replaced by this summary of the state of your task."]
    if task := _task_of(old):
        parts.append(f"<original_task>\n{task}\n</original_task>")
    parts.append(f"<current_state_summary>\n{summary.strip()}\n</current_state_summary>")
    if paths := list(dict.fromkeys(_paths(old))):
        parts.append("<files>\n" + "\n".join(paths) + "\n</files>")
        parts.append("You worked on these files; read those you need again before you edit them.")
    parts.append("Continue from there.")
    return UserMessage(content="\n\n".join(parts))


def _task_of(old: Sequence[HistoryMessage]) -> str:
    """The first thing the user said, or what an earlier summary kept of it."""
    first = next((each.content for each in old if isinstance(each, UserMessage)), "")
    kept = _TASK.search(first)
    return kept[1] if kept else _cut(first, _LONGEST_TASK)


def _paths(old: Sequence[HistoryMessage]) -> Iterator[str]:
    for message in old:
        if isinstance(message, UserMessage):
            for kept in _FILES.findall(message.content):
                yield from kept.splitlines()
        elif isinstance(message, AssistantMessage):
            for call in message.tool_calls or ():
                if (path := _path(call.function.arguments)) is not None:
                    yield path


def _path(arguments: str) -> str | None:
    """The argument `path` of a call, as the tools for files have it."""
    try:
        decoded = json.loads(arguments)
    except (ValueError, RecursionError):
        return None
    path = decoded.get("path") if isinstance(decoded, dict) else None
    return path if isinstance(path, str) and path and "\n" not in path else None


def _entry(message: HistoryMessage) -> str:
    if isinstance(message, AssistantMessage):
        calls = [
            f"[calls {call.function.name} {_cut(call.function.arguments, 500)}]"
            for call in message.tool_calls or ()
        ]
        return _tagged("assistant", "", "\n".join([message.content or "", *calls]).strip())
    if isinstance(message, ToolMessage):
        name = message.name.replace('"', "'")
        return _tagged("tool", f' name="{name}"', _cut(message.content, _LONGEST_RESULT))
    role = "user" if isinstance(message, UserMessage) else "system"
    return _tagged(role, "", message.content)


def _tagged(role: str, attributes: str, content: str) -> str:
    return f"<{role}{attributes}>\n{content}\n</{role}>"


def _cut(text: str, length: int) -> str:
    """A text without its middle, if it is longer than `length` characters."""
    if len(text) <= length:
        return text
    half = length // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"
