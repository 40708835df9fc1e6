"""A chat completion put together from an event stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_ENDS: Final = b"[DONE]"
#: Texts that some providers say again with every piece.
_WHOLE: Final = frozenset({"role", "type", "id", "name"})


def assemble(body: bytes, read: Callable[[str], Any]) -> dict[str, Any]:
    """The completion that a stream of chunks amounts to.

    Args:
        body: the whole stream.
        read: decodes the JSON of one chunk, raising ValueError.
    """
    message: dict[str, Any] = {}
    document: dict[str, Any] = {}
    finish = None if _ENDS in body else "length"  # the connection was lost in the middle
    for data in _events(body):
        try:
            chunk = read(data)
        except ValueError:
            continue
        if not isinstance(chunk, Mapping):
            continue
        document.update({key: chunk[key] for key in ("error", "usage") if chunk.get(key)})
        for choice in chunk.get("choices") or ():
            if isinstance(choice, Mapping) and not choice.get("index"):
                finish = choice.get("finish_reason") or finish
                delta = choice.get("delta") or choice.get("message")
                if isinstance(delta, Mapping):
                    _add(message, delta)
    if message and not document.get("error"):
        document["choices"] = [{"index": 0, "message": message, "finish_reason": finish}]
    return document


def _events(body: bytes) -> Iterator[str]:
    """The data of every event but the one that ends the stream."""
    lines: list[str] = []
    for line in [*body.decode("utf-8", "replace").replace("\r\n", "\n").split("\n"), ""]:
        if line.startswith("data:"):
            lines.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and lines:
            text = "\n".join(lines)
            lines.clear()
            if text.strip() != _ENDS.decode():
                yield text


def _add(whole: dict[str, Any], delta: Mapping[str, Any]) -> None:
    """Add a piece: texts are joined, lists of pieces merged by index, the rest is replaced."""
    for key, part in delta.items():
        before = whole.get(key)
        if key == "tool_calls" and isinstance(part, list):
            whole[key] = before if isinstance(before, list) else []
            _add_calls(whole[key], part)
        elif key in _WHOLE and part == before:
            continue
        elif isinstance(before, str) and isinstance(part, str):
            whole[key] = before + part
        elif isinstance(before, dict) and isinstance(part, Mapping):
            _add(before, part)
        elif isinstance(before, list) and isinstance(part, list):
            whole[key] = before + part
        elif part is not None or key not in whole:
            whole[key] = part


def _add_calls(calls: list[dict[str, Any]], parts: list[Any]) -> None:
    """Pieces name their call by `index`; without one, an `id` begins a new call."""
    for part in parts:
        if not isinstance(part, Mapping):
            continue
        index = part.get("index")
        if isinstance(index, int):
            known = next((call for call in calls if call.get("index") == index), None)
        else:
            new = part.get("id") or (part.get("function") or {}).get("name")
            known = calls[-1] if calls and not new else None
        if known is None:
            known = {}
            calls.append(known)
        function = part.get("function")
        _add(known, {key: value for key, value in part.items() if key != "function"})
        if isinstance(function, Mapping):
            _add(known.setdefault("function", {}), function)
