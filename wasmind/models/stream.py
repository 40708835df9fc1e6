"""Streamed answers: server-sent events put together to what would have come without a stream."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from wasmind.models import finite_json

#: Told about each piece of text: its kind, `text`, `reasoning` or `tool_call`, and itself.
Delta = Callable[[str, str], None]

_DONE: Final = "[DONE]"
#: Texts that name something and are repeated whole, where others come in pieces.
_WHOLE: Final = frozenset({"role", "type", "id", "format", "signature_type"})
_REASONING: Final = ("reasoning_content", "reasoning")


class Events:
    """Data of server-sent events out of bytes that may be cut anywhere."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes, *, final: bool = False) -> Iterator[str]:
        """The data of all events that are complete now."""
        text = self._rest + self._decoder.decode(chunk, final)
        # A carriage return at the end may be half of a line break.
        held = "\r" if text.endswith("\r") and not final else ""
        text = text[: len(text) - len(held)]
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        *lines, rest = text.split("\n")
        self._rest = rest + held
        for line in lines:
            if data := self._line(line):
                yield data
        if final:
            for line in (self._rest, ""):
                if data := self._line(line):
                    yield data

    def _line(self, line: str) -> str | None:
        if line.startswith("data:"):
            self._data.append(line[5:].removeprefix(" "))
        elif not line and self._data:
            data, self._data = "\n".join(self._data), []
            return data
        return None


class Assembler:
    """Puts the chunks of a chat completion together; no field is lost, known or not."""

    def __init__(self, delta: Delta | None = None) -> None:
        self._delta = delta
        self._document: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}
        self._done = False
        #: Whether anything of the answer has come.
        self.begun = False

    def feed(self, data: str) -> Any:
        """Take the data of an event; returns the chunk.

        Raises:
            ValueError: it is not JSON.
        """
        if data.strip() == _DONE:
            self._done = True
            return None
        chunk = finite_json.loads(data)
        if not isinstance(chunk, dict):
            return chunk
        for key, value in chunk.items():
            if key != "choices" and (value is not None or key not in self._document):
                self._document[key] = value
        for choice in _tables(chunk.get("choices")):
            self._choice(choice)
        return chunk

    @property
    def complete(self) -> bool:
        """Whether the end was announced: by `[DONE]` or a reason to finish."""
        return self._done or any(each.get("finish_reason") for each in self._choices.values())

    def result(self) -> dict[str, Any]:
        """The completion."""
        choices = []
        for _, choice in sorted(self._choices.items()):
            message = {"role": "assistant", "content": None, **choice.pop("message")}
            if "tool_calls" in message:
                message["tool_calls"] = [_call(call) for call in _tables(message["tool_calls"])]
            choices.append({"finish_reason": None, **choice, "message": message})
        return {**self._document, "object": "chat.completion", "choices": choices}

    def _choice(self, choice: dict[str, Any]) -> None:
        number = choice.get("index")
        number = number if isinstance(number, int) else 0
        kept = self._choices.setdefault(number, {"index": number, "message": {}})
        for key, value in choice.items():
            if key in ("delta", "message"):
                if isinstance(value, dict):
                    self._message(kept["message"], value, whole=key == "message")
            elif value is not None or key not in kept:
                before = kept.get(key)
                if key == "logprobs" and isinstance(before, dict) and isinstance(value, dict):
                    value = _merged(before, value)
                kept[key] = value

    def _message(self, message: dict[str, Any], piece: dict[str, Any], *, whole: bool) -> None:
        if whole and message.get("content") is not None:
            # Some end a stream with all of the message once more.
            message.update(piece)
            return
        for key, value in piece.items():
            if key == "tool_calls":
                if value is not None:
                    message[key] = calls = list(_tables(message.get(key)))
                    self._tool_calls(calls, value)
            elif value is None:
                message.setdefault(key, None)
            else:
                self._tell(key, value)
                message[key] = _joined(key, message.get(key), value)

    def _tool_calls(self, calls: list[dict[str, Any]], pieces: Any) -> None:
        for piece in _tables(pieces):
            self.begun = True
            _add_call(_place(calls, piece), piece)
            self._tell_call(piece)

    def _tell(self, key: str, value: Any) -> None:
        if key == "role" or not value:
            return
        self.begun = True
        if self._delta is None:
            return
        if key == "content":
            for kind, text in _texts(value):
                self._delta(kind, text)
        elif key in _REASONING and isinstance(value, str):
            self._delta("reasoning", value)

    def _tell_call(self, piece: dict[str, Any]) -> None:
        function = piece.get("function")
        if self._delta is None or not isinstance(function, dict):
            return
        for key in ("name", "arguments"):
            if isinstance(function.get(key), str) and function[key]:
                self._delta("tool_call", function[key])


def _tables(items: Any) -> Iterator[dict[str, Any]]:
    """What is a table in what should be a list of them."""
    return (each for each in (items if isinstance(items, list) else ()) if isinstance(each, dict))


def _texts(content: Any) -> Iterator[tuple[str, str]]:
    """The texts of a piece of content, which may be a list of parts."""
    if isinstance(content, str):
        yield "text", content
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict):
            thinking = part.get("thinking")
            if isinstance(thinking, list):
                yield from (("reasoning", text) for _, text in _texts(thinking))
            elif isinstance(thinking, str):
                yield "reasoning", thinking
            elif isinstance(part.get("text"), str):
                yield "text", part["text"]


def _place(calls: list[dict[str, Any]], piece: dict[str, Any]) -> dict[str, Any]:
    """The call that a piece belongs to: by index, else by id, else the last one."""
    index, call_id = piece.get("index"), piece.get("id")
    begins = bool(isinstance(piece.get("function"), dict) and piece["function"].get("name"))
    if index is not None:
        same = [each for each in calls if each.get("index") == index]
        # Several calls under one index: some number none of them.
        if same and not (call_id and begins and same[-1].get("id") not in (None, call_id)):
            return same[-1]
    elif call_id:
        same = [each for each in calls if each.get("id") == call_id]
        if same:
            return same[-1]
        if calls and not begins:
            return calls[-1]
    elif calls and not (begins and _is_whole(calls[-1])):
        return calls[-1]
    calls.append({})
    return calls[-1]


def _is_whole(call: dict[str, Any]) -> bool:
    """Whether a call has all of its arguments, so that a name without an id begins another."""
    function = call.get("function")
    arguments = function.get("arguments") if isinstance(function, dict) else None
    if not isinstance(arguments, str):
        return arguments is not None
    try:
        json.loads(arguments)
    except ValueError:
        return False
    return True


def _add_call(call: dict[str, Any], piece: dict[str, Any]) -> None:
    for key, value in piece.items():
        if key == "function":
            if isinstance(value, dict):
                _add_function(call.setdefault("function", {}), value)
        elif key in ("id", "index", "type"):
            if value is not None and call.get(key) is None:
                call[key] = value
        elif value is not None or key not in call:
            call[key] = _joined(key, call.get(key), value)


def _add_function(function: dict[str, Any], piece: dict[str, Any]) -> None:
    for name, part in piece.items():
        if part is None:
            function.setdefault(name, None)
        elif name != "name" or function.get("name") != part:  # else repeated with every piece
            function[name] = _joined(name, function.get(name), part)


def _call(call: dict[str, Any]) -> dict[str, Any]:
    """A call as it would stand in a whole answer."""
    given = call.get("function")
    function = dict(given) if isinstance(given, dict) else {}
    arguments = function.get("arguments")
    if arguments is None:
        function["arguments"] = ""
    elif not isinstance(arguments, str):
        function["arguments"] = json.dumps(arguments)
    kept = {key: value for key, value in call.items() if key != "index"}
    return {"type": "function", **kept, "function": function}


def _joined(key: str, before: Any, piece: Any) -> Any:
    """A field with one more piece of it."""
    if before is None:
        return piece
    if isinstance(before, str) and isinstance(piece, str):
        return piece if key in _WHOLE else before + piece
    if isinstance(before, list) and isinstance(piece, list):
        return _extended(before, piece)
    if isinstance(before, list) and isinstance(piece, str):
        return _extended(before, [{"type": "text", "text": piece}])
    if isinstance(before, str) and isinstance(piece, list):
        return _extended([{"type": "text", "text": before}] if before else [], piece)
    if isinstance(before, dict) and isinstance(piece, dict):
        return _merged(before, piece)
    return piece


def _merged(before: dict[str, Any], piece: dict[str, Any]) -> dict[str, Any]:
    merged = dict(before)
    for key, value in piece.items():
        if value is not None or key not in merged:
            merged[key] = _joined(key, merged.get(key), value)
    return merged


def _extended(before: list[Any], pieces: list[Any]) -> list[Any]:
    """A list with more items; an item with the index of an earlier one continues it."""
    items = list(before)
    for piece in pieces:
        place = _continued(items, piece)
        if place is None:
            items.append(piece)
        else:
            items[place] = _merged(items[place], piece)
    return items


def _continued(items: list[Any], piece: Any) -> int | None:
    if not isinstance(piece, dict) or not items:
        return None
    if "index" in piece:
        for number, item in enumerate(items):
            if isinstance(item, dict) and item.get("index") == piece["index"]:
                return number if item.get("type") == piece.get("type", item.get("type")) else None
        return None
    last = items[-1]
    texts = isinstance(last, dict) and last.get("type") == piece.get("type") in ("text", "thinking")
    return len(items) - 1 if texts else None
