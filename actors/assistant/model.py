"""The conversation with a model: chat completions over HTTP.

Providers differ in what they leave out and what they add. What is understood is decoded,
generously; what is not is kept and goes back to the provider unchanged with the next request.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from wasmind_actor import Struct, http
from wasmind_actor.chat import (
    AssistantReply,
    Function,
    HistoryMessage,
    SystemMessage,
    ThinkingBlock,
    Tool,
    ToolCall,
    Usage,
)
from wasmind_actor.wire import to_json

TIMEOUT_SECONDS: Final = 120
RETRY: Final = http.Retry(attempts=7, delay_ms=1000)
_MAX_TOKENS: Final = 2**31 - 1
_COUNTS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")


class ModelError(Exception):
    """The model gave no usable answer; `title` is for people, the text says why."""

    def __init__(self, title: str, reason: str) -> None:
        super().__init__(reason)
        self.title = title


class Answer(Struct):
    """What came back; `raw` is the message as it must be sent back to the provider."""

    reply: AssistantReply
    usage: Usage
    raw: Mapping[str, Any]


class Model:
    """A model at an endpoint, with the messages it got back in its own words."""

    def __init__(self, name: str, system_messages_as: Literal["system", "user"]) -> None:
        self._name = name
        self._system_role = system_messages_as
        self._raw: dict[str, Mapping[str, Any]] = {}

    def ask(
        self,
        base_url: str,
        request_id: str,
        system_prompt: str,
        history: Sequence[HistoryMessage],
        tools: Sequence[Tool],
    ) -> Answer:
        """Ask and wait.

        Raises:
            ModelError: no answer came, or none that can be used.
        """
        self._forget_all_but(history)
        document: dict[str, Any] = {
            "model": self._name,
            "messages": [
                {"role": "system", "content": system_prompt},
                *(self._message(each) for each in history),
            ],
        }
        if tools:  # providers reject an empty list
            document["tools"] = [to_json(tool) for tool in tools]
        url = f"{base_url.rstrip('/')}/v1/chat/completions"
        try:
            response = http.post(url, json=document, timeout=TIMEOUT_SECONDS, retry=RETRY)
        except http.HttpError as error:
            raise ModelError("LLM Request Failed", f"could not reach the model: {error}") from None
        if not response.ok:
            raise ModelError(
                "LLM Request Failed",
                f"the model's endpoint answered with status {response.status}: "
                f"{response.text.strip()[:500]}",
            )
        answer = decode_answer(response.body, request_id)
        self._raw[request_id] = answer.raw
        return answer

    def _message(self, message: HistoryMessage) -> Mapping[str, Any]:
        if isinstance(message, AssistantReply):
            raw = self._raw.get(message.originating_request_id)
            return raw if raw is not None else _without_request_id(message)
        if isinstance(message, SystemMessage) and self._system_role == "user":
            return {"role": "user", "content": f"[message from the system]\n{message.content}"}
        encoded: dict[str, Any] = to_json(message)
        return encoded

    def _forget_all_but(self, history: Sequence[HistoryMessage]) -> None:
        needed = {
            each.originating_request_id for each in history if isinstance(each, AssistantReply)
        }
        self._raw = {key: value for key, value in self._raw.items() if key in needed}


def decode_answer(body: bytes, request_id: str) -> Answer:
    """Read a chat completion.

    Raises:
        ModelError: there is no assistant message in it.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        text = body[:200].decode("utf-8", "replace")
        raise ModelError("Unreadable Answer", f"the endpoint sent no JSON: {text}") from None
    choices = document.get("choices") if isinstance(document, dict) else None
    if not isinstance(choices, list) or not choices:
        raise ModelError("Empty Answer", "the model returned no choice")
    message = choices[0].get("message") if isinstance(choices[0], dict) else None
    if not isinstance(message, dict) or message.get("role", "assistant") != "assistant":
        raise ModelError("Unexpected Answer", "the model's choice is no assistant message")
    raw = {key: value for key, value in message.items() if value is not None}
    raw["role"] = "assistant"
    if calls := _calls(raw.pop("tool_calls", None)):
        raw["tool_calls"] = calls
    return Answer(reply=_reply(raw, request_id), usage=_usage(document.get("usage")), raw=raw)


def _reply(raw: Mapping[str, Any], request_id: str) -> AssistantReply:
    return AssistantReply(
        content=_text(raw.get("content")),
        tool_calls=tuple(_tool_call(call) for call in raw.get("tool_calls", ())) or None,
        reasoning_content=_text(raw.get("reasoning_content")),
        thinking_blocks=tuple(_thinking(raw.get("thinking_blocks"))) or None,
        provider_specific_fields=raw.get("provider_specific_fields"),
        originating_request_id=request_id,
    )


def _text(content: Any) -> str | None:
    """Text as it is; the text parts of a list, joined; None for anything else."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return None


def _calls(calls: Any) -> list[dict[str, Any]]:
    """Tool calls in the provider's words, with what we rely on made good: ids, type, arguments."""
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
        kind = call.get("type") or "function"
        function = {**function, "arguments": arguments}
        repaired.append({**call, "id": call_id, "type": str(kind), "function": function})
    return repaired


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


def _without_request_id(reply: AssistantReply) -> Mapping[str, Any]:
    encoded: dict[str, Any] = to_json(reply)
    del encoded["originating_request_id"]
    return encoded
