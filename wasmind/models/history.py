"""Histories that providers accept, whatever came before.

A provider that finds one message malformed refuses the conversation for ever. So what is sent is
made valid here: assistant messages have `content`, and none is empty; arguments of calls are JSON
objects; every call has an answer and every answer a call; numbers are finite; text is Unicode.
What is valid already, unknown fields included, is left as it is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Message = dict[str, Any]

#: Roles that providers know; whoever has another one speaks as a user.
_ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool"})
_UNANSWERED: Final = "no result: the call was not carried out"
_LATE: Final = "[result of an earlier tool call]"
_FROM_SYSTEM: Final = "[message from the system]"


def valid_history(
    messages: Sequence[Any], *, alternates: bool = False, late_system: str = "system"
) -> list[Message]:
    """The messages of a request, made valid.

    Args:
        messages: as an actor sent them.
        alternates: join consecutive messages of one role, for providers that refuse them.
        late_system: role of system messages behind the first other message.
    """
    kept = [_copied(each) for each in messages if isinstance(each, Mapping)]
    whole = [each for each in map(_shaped, kept) if each is not None]
    answered = list(_answered(whole))
    renamed = _renamed(answered, late_system)
    joined = _joined(renamed) if alternates else renamed
    return joined if _is_clean(joined) else cleaned(joined)


def cleaned(value: Any) -> Any:
    """The value without numbers that JSON has not, and without halves of surrogate pairs."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {cleaned(str(key)): cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(item) for item in value]
    return value


def _is_clean(value: Any) -> bool:
    """A quick look at what is nearly always clean."""
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, UnicodeEncodeError):
        return False
    return True


def _copied(message: Mapping[str, Any]) -> Message:
    copy = dict(message)
    role = copy.get("role")
    copy["role"] = role if isinstance(role, str) and role in _ROLES else "user"
    return copy


def _shaped(message: Message) -> Message | None:
    """A message with what its role needs; None for an assistant's that says nothing."""
    content = message.get("content")
    if not isinstance(content, str | list):
        content = None if content is None else json.dumps(content, default=str)
    if message["role"] == "assistant":
        calls = _calls(message.get("tool_calls"))
        message.pop("tool_calls", None)
        if calls:
            message["tool_calls"] = calls
        message["content"] = content or None
        return message if calls or _says_something(content) else None
    message["content"] = "" if content is None else content
    return message


def _says_something(content: Any) -> bool:
    return bool(content.strip() if isinstance(content, str) else content)


def _calls(calls: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    taken: set[str] = set()
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(function, dict) or not isinstance(name, str) or not name:
            continue
        call_id = _unique(str(call.get("id") or "call"), taken)
        taken.add(call_id)
        arguments = json_object(function.get("arguments"))
        kind = call.get("type") if isinstance(call.get("type"), str) else "function"
        function = {**function, "arguments": arguments}
        found.append({**call, "id": call_id, "type": kind or "function", "function": function})
    return found


def json_object(arguments: Any) -> str:
    """Arguments of a call as the text of a JSON object; what is none is wrapped in one."""
    if isinstance(arguments, str):
        text = arguments
        if not text.strip():
            return "{}"
        try:
            arguments = json.loads(text)
        except (ValueError, RecursionError):
            return json.dumps({"arguments": text})
        if isinstance(arguments, dict) and _is_clean(arguments):
            return text
    if arguments is None:
        return "{}"
    table = arguments if isinstance(arguments, dict) else {"arguments": arguments}
    return json.dumps(cleaned(table))


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def _answered(messages: Sequence[Message]) -> Iterator[Message]:
    """Each call followed by its one answer, in the order of the calls."""
    position = 0
    while position < len(messages):
        message = messages[position]
        position += 1
        if message["role"] == "tool":
            yield _orphaned(message)
            continue
        yield message
        calls = message.get("tool_calls") if message["role"] == "assistant" else None
        if not calls:
            continue
        answers: list[Message] = []
        # Words between a call and its answer must wait until all calls are answered.
        later: list[Message] = []
        while position < len(messages) and not _begins_turn(messages[position]):
            following = messages[position]
            (answers if following["role"] == "tool" else later).append(following)
            position += 1
        yield from _in_order(calls, answers)
        yield from (_orphaned(each) for each in answers)
        yield from later


def _begins_turn(message: Message) -> bool:
    return bool(message["role"] == "assistant")


def _in_order(calls: Sequence[Mapping[str, Any]], answers: list[Message]) -> Iterator[Message]:
    """The answers to the calls, taken out of `answers`."""
    for call in calls:
        found = next((each for each in answers if each.get("tool_call_id") == call["id"]), None)
        if found is None:
            found = {"role": "tool", "tool_call_id": call["id"], "content": _UNANSWERED}
        else:
            answers.remove(found)
        yield found


def _orphaned(answer: Message) -> Message:
    """An answer whose call is gone, by compaction for example: what it says is kept as text."""
    return {"role": "user", "content": f"{_LATE}\n{_text(answer['content'])}"}


def _renamed(messages: Sequence[Message], late_system: str) -> list[Message]:
    """System messages behind the beginning in another role, where a provider wants that."""
    if late_system == "system":
        return list(messages)
    found: list[Message] = []
    begun = False
    for message in messages:
        if message["role"] not in ("system", "developer"):
            begun = True
        elif begun:
            text = f"{_FROM_SYSTEM}\n{_text(message['content'])}"
            message = {"role": late_system, "content": text}
        found.append(message)
    return found


def _joined(messages: Sequence[Message]) -> list[Message]:
    found: list[Message] = []
    for message in messages:
        before = found[-1] if found else None
        if before is not None and before["role"] == message["role"] and _can_join(before, message):
            found[-1] = {**before, **message, "content": _both(before, message)}
        else:
            found.append(message)
    return found


def _can_join(before: Message, message: Message) -> bool:
    return message["role"] != "tool" and not before.get("tool_calls")


def _both(before: Message, message: Message) -> Any:
    one, other = before["content"], message["content"]
    if not one or not other:
        return one or other
    if isinstance(one, str) and isinstance(other, str):
        return f"{one}\n\n{other}"
    return [*_parts(one), *_parts(other)]


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = [part.get("text") for part in content if isinstance(part, dict)]
    return "\n".join(part for part in parts if isinstance(part, str))
