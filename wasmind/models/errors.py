"""Why a model gave no answer: one kind of error, with a code that is the same for all providers."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """What kind of failure it was, whoever reported it."""

    AUTHENTICATION = "authentication"
    PERMISSION = "permission"
    QUOTA = "quota"
    RATE_LIMIT = "rate_limit"
    CONTEXT_LENGTH = "context_length_exceeded"
    CONTENT_FILTER = "content_filter"
    INVALID_REQUEST = "invalid_request"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    BUDGET = "budget_exhausted"
    CANCELLED = "cancelled"


_OF_STATUS = {
    401: Code.AUTHENTICATION,
    402: Code.QUOTA,
    403: Code.PERMISSION,
    408: Code.TIMEOUT,
    429: Code.RATE_LIMIT,
    499: Code.CANCELLED,
    504: Code.TIMEOUT,
}


def code_of(status: int) -> Code:
    """The code that a status stands for where nothing more is known."""
    usual = Code.UNAVAILABLE if status >= 500 else Code.INVALID_REQUEST
    return _OF_STATUS.get(status, usual)


class ModelError(Exception):
    """A refusal.

    Args:
        status: HTTP status to refuse with.
        message: for people and for the actor; secrets are masked.

    Attributes:
        code: what kind of failure it is.
        advice: what to do about it; may be empty.
        again: whether the same request may succeed later.
        after: seconds to wait before that, if the provider said so.
        elsewhere: whether another model may do better; it is what `fallback` is for.
        billed: whether the provider may have worked on it all the same.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: Code | None = None,
        *,
        advice: str = "",
        again: bool = False,
        after: float | None = None,
        elsewhere: bool = False,
        billed: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code or code_of(status)
        self.advice = advice
        self.again = again
        self.after = after
        self.elsewhere = elsewhere or again
        self.billed = billed

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}; {self.advice}" if self.advice else message

    def body(self) -> bytes:
        """As OpenAI's error document."""
        error: dict[str, Any] = {
            "message": str(self),
            "type": "wasmind",
            "code": self.code.value,
            "param": None,
        }
        return json.dumps({"error": error}).encode()


def cancelled() -> ModelError:
    """Nobody waits for the answer any more."""
    return ModelError(499, "the call was cancelled", Code.CANCELLED, billed=True)
