"""What makes two requests the same, and which recorded one is nearest to one that is not there.

Requests are compared in a canonical form, without what differs from run to run: the model's name
and what only transports it are left out, ids of tool calls are numbered in the order in which they
appear, the day is taken out of the line `Current date: …` of system messages, and secrets are
masked.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final

from wasmind.models.history import cleaned
from wasmind.models.secret import Secret, masked

_TRANSPORT: Final = frozenset(
    {
        *("id", "metadata", "model", "prompt_cache_key", "request_id", "safety_identifier"),
        *("store", "stream", "stream_options", "user"),
    }
)
_DAY: Final = re.compile(r"^Current date:.*$", re.MULTILINE)
#: What is compared letter by letter of two messages, and how many recordings.
_LOOKED_AT: Final = 2_000
_COMPARED: Final = 32
_BEFORE, _AFTER = 16, 44

Canonical = Mapping[str, Any]


def canonical(request: Mapping[str, Any]) -> Canonical:
    """A request without what differs from run to run; the canonical form of one is itself."""
    kept = {
        key: value
        for key, value in request.items()
        if key not in _TRANSPORT and value is not None and (key != "tools" or value)
    }
    kept["messages"] = _renumbered(kept.get("messages") or ())
    found: Canonical = scrubbed(kept)
    return found


def digest(request: Canonical) -> str:
    """sha256 of a canonical request, in hex."""
    return hashlib.sha256(_json(request).encode()).hexdigest()


def scrubbed(value: Any, secrets: Iterable[Secret] = ()) -> Any:
    """The value as it may be written to a file: Unicode, finite, and without secrets."""
    known = tuple(secrets)

    def walked(item: Any) -> Any:
        if isinstance(item, str):
            return masked(item, known)
        if isinstance(item, dict):
            return {walked(key): walked(each) for key, each in item.items()}
        return [walked(each) for each in item] if isinstance(item, list) else item

    return walked(cleaned(value))


def explain_miss(asked: Canonical, recorded: Sequence[Canonical]) -> str:
    """Which recorded request is nearest to one, by its number, and the first difference."""
    if not recorded:
        return "nothing is recorded"
    number = _nearest(asked, recorded)
    return f"nearest is recording {number + 1}, but {_difference(recorded[number], asked)}"


def _renumbered(messages: Iterable[Any]) -> list[Any]:
    """Messages with ids of tool calls by order; an id that is used again is another one."""
    numbers: dict[Any, str] = {}
    count = 0
    found = []
    for message in messages:
        if not isinstance(message, dict):
            found.append(message)
            continue
        copy = dict(message)
        calls = copy.get("tool_calls")
        if isinstance(calls, list):
            copy["tool_calls"] = []
            for call in calls:
                if isinstance(call, dict):
                    count += 1
                    numbers[str(call.get("id"))] = f"call_{count}"
                    call = {**call, "id": f"call_{count}"}
                copy["tool_calls"].append(call)
        if "tool_call_id" in copy:
            copy["tool_call_id"] = numbers.get(str(copy["tool_call_id"]), "unknown")
        if copy.get("role") == "system" and isinstance(copy.get("content"), str):
            copy["content"] = _DAY.sub("Current date:", copy["content"])
        found.append(copy)
    return found


def _nearest(asked: Canonical, recorded: Sequence[Canonical]) -> int:
    """The one that goes along for most messages and is then most like it; the latest of several."""
    messages = asked["messages"]
    shared = [_shared(messages, each["messages"]) for each in recorded]
    longest = max(shared)
    found = [number for number, count in enumerate(shared) if count == longest][-_COMPARED:]
    following = _json(messages[longest : longest + 1])[:_LOOKED_AT]

    def likeness(number: int) -> tuple[float, int, int]:
        others = recorded[number]["messages"]
        other = _json(others[longest : longest + 1])[:_LOOKED_AT]
        like = SequenceMatcher(None, following, other, autojunk=False).ratio()
        return like, -abs(len(others) - len(messages)), number

    return max(found, key=likeness)


def _shared(one: Sequence[Any], other: Sequence[Any]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


def _difference(recorded: Canonical, asked: Canonical) -> str:
    before, now = recorded["messages"], asked["messages"]
    shared = _shared(before, now)
    if shared < min(len(before), len(now)):
        texts = _text(before[shared], now[shared]), _text(now[shared], before[shared])
        return f"message {shared + 1} ({_role(now[shared])}) {_apart(*texts)}"
    if len(before) != len(now):
        more = now if len(now) > len(before) else before
        whose = "was asked" if more is now else "was recorded"
        shown = _text(more[shared], None)[:_AFTER]
        return f"message {shared + 1} ({_role(more[shared])}) {whose} besides: {_quoted(shown)}"
    keys = sorted({*recorded, *asked} - {"messages"})
    key = next((key for key in keys if recorded.get(key) != asked.get(key)), "tools")
    return f"`{key}` {_apart(_json(recorded.get(key)), _json(asked.get(key)))}"


def _role(message: Any) -> str:
    return str(message.get("role")) if isinstance(message, dict) else "of no role"


def _text(message: Any, other: Any) -> str:
    """What two messages differ in: their words, or else all of it."""
    if isinstance(message, dict) and isinstance(message.get("content"), str):
        alike = isinstance(other, dict) and isinstance(other.get("content"), str)
        rest = {**other, "content": message["content"]} if alike else message
        if other is None or rest == message:
            return str(message["content"])
    return _json(message)


def _apart(before: str, now: str) -> str:
    start = max(0, _shared(before, now) - _BEFORE)
    shown = [_quoted(text[start : start + _BEFORE + _AFTER], start) for text in (before, now)]
    return f"was {shown[0]} and is {shown[1]}"


def _quoted(text: str, start: int = 0) -> str:
    words = " ".join(text.split())
    return f"`{'…' if start else ''}{words}`"


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
