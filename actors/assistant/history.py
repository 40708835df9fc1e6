"""What is sent to a model: valid for strict providers, whatever was said before.

`messages` is the only way into a request. It promises:

* assistant messages have the key `content`, and text or tool calls;
* the arguments of a tool call are a JSON object, its id is unique in its message and its name one
  that providers accept;
* the answers to all calls of a message follow it at once, and there are no other answers;
* user messages have text and never follow one another.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

from answer import content_text, strict_json

from wasmind_actor import require_shallow
from wasmind_actor.chat import (
    AssistantReply,
    HistoryMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from wasmind_actor.wire import to_json

SystemRole: TypeAlias = Literal["system", "user"]
Sent: TypeAlias = dict[str, Any]

NO_RESULT: Final = "Error: this call has no result."
_NO_TEXT: Final = "(no text)"
_NOT_IN_NAMES: Final = r"[^A-Za-z0-9_-]"
_LONGEST_NAME: Final = 64


def messages(
    system_prompt: str,
    history: Sequence[HistoryMessage],
    words: Mapping[str, Mapping[str, Any]],
    system_role: SystemRole = "system",
) -> list[Sent]:
    """The messages of a request.

    Args:
        system_prompt: what comes first, unless it is blank.
        history: what was said.
        words: answers in the provider's own words, by request id, with the fields only it knows.
        system_role: the role in which system messages of the history are sent.
    """
    sent: list[Sent] = []
    if system_prompt.strip():
        sent.append({"role": "system", "content": system_prompt})
    unanswered: dict[str, str] = {}
    for each in history:
        if isinstance(each, ToolMessage):
            name = unanswered.pop(each.tool_call_id, None)
            if name is not None:
                sent.append(_result(each.tool_call_id, name, each.content))
                continue
        for call_id, name in unanswered.items():
            sent.append(_result(call_id, name, NO_RESULT))
        unanswered = {}
        for message in _message(each, words, system_role):
            _append(sent, message)
            unanswered = {
                call["id"]: call["function"]["name"] for call in message.get("tool_calls", ())
            }
    sent.extend(_result(call_id, name, NO_RESULT) for call_id, name in unanswered.items())
    return sent


def _append(sent: list[Sent], message: Sent) -> None:
    """Add a message; user messages that follow one another become one."""
    last = sent[-1] if sent else {}
    if message["role"] == "user" == last.get("role"):
        sent[-1] = _user(f"{last['content']}\n\n{message['content']}")
    else:
        sent.append(message)


def _message(
    message: HistoryMessage, words: Mapping[str, Mapping[str, Any]], system_role: SystemRole
) -> Iterator[Sent]:
    """None or one."""
    match message:
        case AssistantReply():
            raw = words.get(message.originating_request_id) or _encoded(message)
            yield from _assistant(raw)
        case UserMessage(content=text):
            yield _user(text if text.strip() else _NO_TEXT)
        case SystemMessage(content=text) if text.strip():
            if system_role == "user":
                yield _user(f"[message from the system]\n{text}")
            else:
                yield {"role": "system", "content": text}
        case ToolMessage(name=name, content=text):  # the call it answers is not there any more
            yield _user(f"[result of {name}]\n{text}")


def _user(text: str) -> Sent:
    return {"role": "user", "content": text}


def _result(call_id: str, name: str, text: str) -> Sent:
    return {"role": "tool", "tool_call_id": call_id, "name": name, "content": text}


def _assistant(raw: Mapping[str, Any]) -> Iterator[Sent]:
    """The message with all its fields, or nothing if it says nothing."""
    calls = list(_calls(raw.get("tool_calls")))
    content = raw.get("content")
    if not (content_text(content) or "").strip():
        # Some servers ask for the text that they gave out, although it is empty.
        content = "" if content == "" and calls else None
    if content is None and not calls:
        return
    message = {key: value for key, value in raw.items() if value is not None}
    message.update(role="assistant", content=content)
    message.pop("tool_calls", None)
    if calls:
        message["tool_calls"] = calls
    yield message


def _calls(calls: Any) -> Iterator[Sent]:
    seen: set[str] = set()
    for call in calls or ():
        if call["id"] in seen:
            continue
        seen.add(call["id"])
        function = dict(call["function"])
        function["name"] = re.sub(_NOT_IN_NAMES, "_", function["name"])[:_LONGEST_NAME] or "_"
        function["arguments"] = as_object(function["arguments"])
        yield {**call, "function": function}


@lru_cache(maxsize=4096)
def as_object(arguments: str) -> str:
    """Arguments as the text of a JSON object: as they are, or else what is closest to them."""
    if _is_strict_object(arguments):
        return arguments
    try:
        decoded = strict_json(arguments, lenient=True)
    except ValueError:
        decoded = None
    if not isinstance(decoded, dict):
        decoded = {"invalid_arguments": arguments} if arguments.strip() else {}
    text = json.dumps(decoded, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()  # half surrogate pairs have no UTF-8 form


def _is_strict_object(arguments: str) -> bool:
    try:
        require_shallow(arguments)
        decoded = json.loads(arguments, parse_constant=_refuse, parse_float=_finite)
    except ValueError:
        return False
    return isinstance(decoded, dict) and "\\ud" not in arguments.lower()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse(text)
    return number


def _encoded(reply: AssistantReply) -> Mapping[str, Any]:
    encoded: dict[str, Any] = to_json(reply)
    del encoded["originating_request_id"]
    return encoded
