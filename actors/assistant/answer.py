"""Reading a chat completion.

Providers differ in what they leave out and what they add. What is understood is decoded,
generously; what is not is kept and goes back to the provider unchanged with the next request.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from effects import Finish
from failures import ModelError, trouble_in

from wasmind_actor import Struct, require_shallow
from wasmind_actor.chat import AssistantReply, Function, ThinkingBlock, ToolCall, Usage

_MAX_TOKENS: Final = 2**31 - 1
_COUNTS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")
_THOUGHT: Final = r"(?s)\s*<(think|thinking)>(.*?)</\1>\s*"


class Answer(Struct):
    """An answer as other actors see it, and in the provider's own words."""

    reply: AssistantReply
    usage: Usage
    raw: Mapping[str, Any]
    finish: Finish


def read_answer(body: bytes, request_id: str, offered: Iterable[str] = ()) -> Answer:
    """Read a chat completion, or the event stream of one.

    Args:
        body: of the response.
        request_id: what it answers.
        offered: names of tools; calls of them in another spelling are set right.

    Raises:
        ModelError: there is no assistant message in it.
    """
    document = _document(body)
    choices = document.get("choices")
    if not isinstance(choices, list) or not choices:
        if trouble := trouble_in(document):
            raise ModelError("LLM Request Failed", trouble.words, trouble.code)
        raise ModelError("Empty Answer", "the model returned no choice")
    choice = choices[0] if isinstance(choices[0], dict) else {}
    message = choice.get("message")
    if not isinstance(message, dict) or (message.get("role") or "assistant") != "assistant":
        raise ModelError("Unexpected Answer", "the model's choice is not an assistant message")
    raw = dict(message)
    raw["role"] = "assistant"
    if calls := _calls(raw.pop("tool_calls", None), tuple(offered)):
        raw["tool_calls"] = calls
    finish, content = _end(choice, raw)
    return Answer(
        reply=_reply(raw, content, request_id),
        usage=_usage(document.get("usage")),
        raw=raw,
        finish=finish,
    )


def strict_json(text: str | bytes, *, lenient: bool = False) -> Any:
    """Decoded JSON; numbers that JSON does not have, and those no number can hold, become None.

    Args:
        text: the JSON.
        lenient: take control characters inside strings.

    Raises:
        ValueError: not JSON, or nested too deeply.
    """
    readable = text if isinstance(text, str) else text.decode("utf-8-sig")
    require_shallow(readable)
    return json.loads(
        readable,
        strict=not lenient,
        parse_constant=lambda _: None,
        parse_float=_finite,
        parse_int=_whole,
    )


def content_text(content: Any) -> str | None:
    """Text as it is; the text parts of a list, joined; None for anything else."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return None


def _document(body: bytes) -> dict[str, Any]:
    if body.lstrip()[:6].startswith((b"data:", b"event:", b": ", b":\n")):
        from stream import assemble  # which nobody asked for

        return assemble(body, strict_json)
    try:
        document = strict_json(body)
    except ValueError:
        text = body[:200].decode("utf-8", "replace")
        raise ModelError("Unreadable Answer", f"the endpoint sent no JSON: {text}") from None
    return document if isinstance(document, dict) else {}


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:  # more digits than Python converts
        return None


def _end(choice: Mapping[str, Any], raw: dict[str, Any]) -> tuple[Finish, str | None]:
    """How the answer ended, and its text for people."""
    content, refusal = content_text(raw.get("content")), raw.get("refusal")
    reason = choice.get("finish_reason")
    refused = isinstance(refusal, str) and bool(refusal.strip()) and not content
    if refused or reason == "content_filter":
        raw.pop("tool_calls", None)  # nobody is going to make them
    if refused:
        raw["content"] = refusal  # or the history would hold an empty message
        return Finish.STOPPED, f"The model refused: {refusal}"
    if reason == "content_filter":
        stopped = "The provider's content filter stopped this answer."
        return Finish.STOPPED, f"{content}\n\n[{stopped}]" if content else stopped
    return (Finish.CUT if reason in ("length", "max_tokens") else Finish.COMPLETE), content


def _reply(raw: Mapping[str, Any], content: str | None, request_id: str) -> AssistantReply:
    reasoning = content_text(raw.get("reasoning_content"))
    thought = re.match(_THOUGHT, content) if content and not reasoning else None
    if content and thought:  # local models think in their text; it is not part of the answer
        reasoning, content = thought[2].strip(), content[thought.end() :]
    return AssistantReply(
        content=content,
        tool_calls=tuple(_tool_call(call) for call in raw.get("tool_calls", ())) or None,
        reasoning_content=reasoning,
        thinking_blocks=tuple(_thinking(raw.get("thinking_blocks"))) or None,
        provider_specific_fields=raw.get("provider_specific_fields"),
        originating_request_id=request_id,
    )


def _calls(calls: Any, offered: tuple[str, ...]) -> list[dict[str, Any]]:
    """Tool calls in the provider's words, with what we rely on made good: ids, names, types."""
    repaired: list[dict[str, Any]] = []
    seen: set[str] = set()
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            continue
        call_id = _unique(str(call.get("id") or "call"), seen)
        seen.add(call_id)
        arguments = function.get("arguments")
        if not isinstance(arguments, str):
            arguments = json.dumps({} if arguments is None else arguments, ensure_ascii=False)
        name = _spelled(function["name"], offered)
        function = {**function, "name": name, "arguments": arguments}
        kind = call.get("type") or "function"
        repaired.append({**call, "id": call_id, "type": str(kind), "function": function})
    return repaired


def _spelled(name: str, offered: tuple[str, ...]) -> str:
    """The offered tool that is meant by a name with blanks around it or of another case."""
    if name in offered:
        return name
    bare = name.strip().casefold()
    meant = [each for each in offered if each.casefold() == bare]
    return meant[0] if len(meant) == 1 else name


def _unique(name: str, taken: Iterable[str]) -> str:
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def _tool_call(call: Mapping[str, Any]) -> ToolCall:
    function, index = call["function"], call.get("index")
    return ToolCall(
        id=call["id"],
        type=call["type"],
        function=Function(name=function["name"], arguments=function["arguments"]),
        index=index if _is_count(index) else None,
    )


def _thinking(blocks: Any) -> Iterator[ThinkingBlock]:
    """The blocks that other actors can read; redacted ones only go back to the provider."""
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, dict) and isinstance(block.get("thinking"), str):
            signature = block.get("signature")
            yield ThinkingBlock(
                type=str(block.get("type") or "thinking"),
                thinking=block["thinking"],
                signature=signature if isinstance(signature, str) else None,
            )


def _usage(usage: Any) -> Usage:
    table = usage if isinstance(usage, dict) else {}
    prompt, completion, total = (
        table[name] if _is_count(table.get(name)) else 0 for name in _COUNTS
    )
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=total or min(prompt + completion, _MAX_TOKENS),
        details={key: value for key, value in table.items() if key not in _COUNTS},
    )


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MAX_TOKENS
