"""A model that answers from rules: for examples, tests and demonstrations without a network."""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from wasmind.models.errors import ModelError
from wasmind.models.refusal import PASSING
from wasmind.models.upstream import Completion, Request, Watch

_PLACEHOLDER: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(slots=True)
class _Rule:
    when: Mapping[str, Any]
    answer: Mapping[str, Any]
    left: int | None


class ScriptedModel:
    """Answers chat completions from a document of `schemas/model-script.schema.json`."""

    def __init__(self, script: Mapping[str, Any]) -> None:
        self._lock = threading.Lock()
        self._rules = [
            _Rule(rule.get("when", {}), rule["answer"], rule.get("times"))
            for rule in script["rules"]
        ]

    @property
    def label(self) -> str:
        """What is asked, for people."""
        return "a script"

    def ask(self, request: Request, watch: Watch) -> Completion:
        """The answer to a chat completion request; ModelError too if no rule matches."""
        message = self._message(request, watch.sleep)
        if watch.delta is not None and message["content"]:
            watch.came()
            watch.delta("text", message["content"])
        return _completion(request, message)

    def close(self) -> None:
        """Nothing is open."""

    def _message(self, request: Request, sleep: Callable[[float], None]) -> dict[str, Any]:
        rule, groups = self._choose(request)
        answer = rule.answer
        sleep(answer.get("delay_seconds", 0))
        if "status" in answer:
            status, text = answer["status"], answer.get("text", "the script says to fail")
            raise ModelError(status, text, again=status >= 500 or status in PASSING)
        return _message(answer, groups)

    def _choose(self, request: Mapping[str, Any]) -> tuple[_Rule, Mapping[str, str]]:
        last = _last_message(request)
        with self._lock:
            for rule in self._rules:
                if rule.left == 0:
                    continue
                groups = _match(rule.when, last, request)
                if groups is not None:
                    if rule.left is not None:
                        rule.left -= 1
                    return rule, groups
        shown = f"{last.get('role')}: {str(last.get('content'))[:200]}"
        raise ModelError(400, f"no rule of the script matches the last message, {shown}")


def _last_message(request: Mapping[str, Any]) -> Mapping[str, Any]:
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages or not isinstance(messages[-1], dict):
        raise ModelError(400, "the request has no messages")
    return messages[-1]


def _match(
    when: Mapping[str, Any], last: Mapping[str, Any], request: Mapping[str, Any]
) -> Mapping[str, str] | None:
    """The named groups of a rule that matches, or None."""
    content = str(last.get("content") or "")
    offered = {tool["function"]["name"] for tool in request.get("tools") or ()}
    fits = (
        when.get("role", last.get("role")) == last.get("role")
        and when.get("tool", last.get("name")) == last.get("name")
        and when.get("contains", "").lower() in content.lower()
        and offered.issuperset(when.get("offers", ()))
    )
    if not fits:
        return None
    if "matches" not in when:
        return {}
    found = re.search(when["matches"], content)
    return found and {name: text or "" for name, text in found.groupdict().items()}


def _message(answer: Mapping[str, Any], groups: Mapping[str, str]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None}
    if "text" in answer:
        message["content"] = _fill(answer["text"], groups)
    if "tool_calls" in answer:
        message["tool_calls"] = [
            {
                "id": f"call_{secrets.token_hex(4)}",
                "type": "function",
                "index": index,
                "function": {
                    "name": call["name"],
                    "arguments": json.dumps(_fill(call.get("arguments", {}), groups)),
                },
            }
            for index, call in enumerate(answer["tool_calls"])
        ]
    return message


def _fill(value: Any, groups: Mapping[str, str]) -> Any:
    """Insert named groups into every string; `${...}` that names none is left alone."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: groups.get(found[1], found[0]), value)
    if isinstance(value, list):
        return [_fill(item, groups) for item in value]
    if isinstance(value, dict):
        return {key: _fill(item, groups) for key, item in value.items()}
    return value


def _completion(request: Mapping[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    # Four characters a token is the usual rule of thumb; a script has no tokenizer.
    prompt = len(json.dumps(request.get("messages"))) // 4
    completion = max(1, len(json.dumps(message)) // 4)
    return {
        "id": f"chatcmpl-{secrets.token_hex(8)}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": request.get("model"),
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": "tool_calls" if "tool_calls" in message else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        },
    }
