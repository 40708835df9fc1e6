"""How a request must look for a provider: what the table says, and what its refusals taught us."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from wasmind.models.errors import ModelError
from wasmind.models.history import valid_history
from wasmind.models.upstream import Request
from wasmind.providers import Provider

#: Without these a request means nothing, so they are never left out.
_NEEDED: Final = frozenset({"model", "messages", "tools", "stream"})
_LIMITS: Final = ("max_tokens", "max_completion_tokens")
_OF_TOOLS: Final = ("tools", "tool_choice", "parallel_tool_calls")
_UNWANTED: Final = re.compile(
    r"unsupported|not supported|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed"
    r"|does not support|is not a valid|only the default|extra (inputs|fields)|extra_forbidden"
    r"|invalid (parameter|argument|field)|cannot find field",
    re.IGNORECASE,
)
_ALTERNATION: Final = re.compile(r"\balternat", re.IGNORECASE)
_SYSTEM: Final = re.compile(
    r"system.{0,60}(at the beginning|must be (the )?first|first message|role)"
    r"|(role|unexpected).{0,40}\bsystem\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Quirks:
    """What one model of one provider wants; it learns as it is refused.

    Attributes:
        max_tokens: name of the limit of an answer.
    """

    max_tokens: str
    late_system: str
    alternates: bool
    stream_usage: bool
    left_out: frozenset[str] = frozenset()

    @classmethod
    def of(cls, provider: Provider) -> Quirks:
        """What the table says."""
        return cls(
            provider.max_tokens, provider.late_system, provider.alternates, provider.stream_usage
        )

    def body(self, request: Request, *, model: str, stream: bool, most: int | None) -> Request:
        """The request as the provider wants it.

        Args:
            request: in OpenAI's form, valid or not.
            model: what the provider calls the model.
            stream: whether to ask for a stream.
            most: tokens that the answer may have, if that is limited.
        """
        body = {key: value for key, value in request.items() if key not in self.left_out}
        body["model"] = model
        body["messages"] = valid_history(
            body.get("messages") or (), alternates=self.alternates, late_system=self.late_system
        )
        if not body.get("tools"):
            for key in _OF_TOOLS:
                body.pop(key, None)
        self._limit(body, most)
        body.pop("stream", None)
        body.pop("stream_options", None)
        if stream:
            body["stream"] = True
            if self.stream_usage and "stream_options" not in self.left_out:
                body["stream_options"] = {"include_usage": True}
        return body

    def _limit(self, body: dict[str, Any], most: int | None) -> None:
        wanted = [body.pop(key, None) for key in _LIMITS]
        limits = [each for each in (*wanted, most) if type(each) is int]
        if limits and self.max_tokens not in self.left_out:
            body[self.max_tokens] = min(limits)

    def learn(self, error: ModelError, body: Mapping[str, Any]) -> str | None:
        """What to do differently after a refusal, for people; None if it teaches nothing."""
        if error.status not in (400, 404, 422):
            return None
        words = str(error)
        for name, other in (_LIMITS, _LIMITS[::-1]):
            if name in body and re.search(rf"\b{name}\b.*\b{other}\b", words, re.DOTALL):
                if self.max_tokens == other:
                    return None
                self.max_tokens = other
                return f"it wants `{other}` instead of `{name}`"
        if _ALTERNATION.search(words) and not self.alternates:
            self.alternates, self.late_system = True, "user"
            return "it wants roles to alternate: messages are joined"
        if _SYSTEM.search(words) and self.late_system == "system":
            self.late_system = "user"
            return "it refuses system messages inside the conversation: they come from the user"
        if _UNWANTED.search(words):
            for key in body:
                if key not in _NEEDED and re.search(rf"\b{re.escape(key)}\b", words):
                    self.left_out |= {key}
                    return f"it refuses `{key}`, which is left out"
        return None
