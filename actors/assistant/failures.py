"""What goes wrong between the assistant and its model, in words and in one set of codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias, cast, get_args

from wasmind_actor import Struct

_LONGEST: Final = 500


#: Why there is no answer; the model gateway uses the same words.
Code: TypeAlias = Literal[
    "authentication",
    "permission",
    "quota",
    "rate_limit",
    "context_length_exceeded",
    "content_filter",
    "invalid_request",
    "unavailable",
    "timeout",
    "budget_exhausted",
    "cancelled",
]


class ModelError(Exception):
    """The model gave no usable answer; `title` is for people, the text says why."""

    def __init__(self, title: str, reason: str, code: Code | None = None) -> None:
        super().__init__(reason)
        self.title = title
        self.code = code


class Trouble(Struct):
    """What a provider says went wrong; `sorted` if it has one of our codes, as the gateway does."""

    words: str
    code: Code
    sorted: bool = False


#: Parts of codes and of explanations that tell what happened where the status alone does not.
_TELLING: Final[tuple[tuple[str, Code], ...]] = (
    ("context_length", "context_length_exceeded"),
    ("context length", "context_length_exceeded"),
    ("context window", "context_length_exceeded"),
    ("context size", "context_length_exceeded"),
    ("maximum context", "context_length_exceeded"),
    ("prompt is too long", "context_length_exceeded"),
    ("input is too long", "context_length_exceeded"),
    ("insufficient_quota", "quota"),
    ("exceeded your current quota", "quota"),
    ("content_filter", "content_filter"),
    ("content_policy", "content_filter"),
    ("content management policy", "content_filter"),
)
_BY_STATUS: Final[Mapping[int, Code]] = {
    401: "authentication",
    402: "quota",
    403: "permission",
    408: "unavailable",
    409: "unavailable",
    413: "context_length_exceeded",
    425: "unavailable",
    429: "rate_limit",
}


def trouble_in(document: Any, status: int = 200) -> Trouble | None:
    """The error that a provider's answer consists of; None if it is none.

    Args:
        document: the decoded body.
        status: of the HTTP response; below 400 only an `error` in the body is one.
    """
    if isinstance(document, list) and document:  # as Gemini does
        document = document[0]
    table = document if isinstance(document, Mapping) else {}
    error = table.get("error") or (table if status >= 400 else None)
    if not error:
        return None
    words, given = _words(error)
    known = any(each in get_args(Code) for each in given)
    return Trouble(words=words, code=_code(given, words, status), sorted=known)


def _words(error: Any) -> tuple[str, list[str]]:
    """What an error says to people, and the codes it gives."""
    if not isinstance(error, Mapping):
        return str(error)[:_LONGEST], []
    text = next(
        (error[key] for key in ("message", "detail", "msg") if isinstance(error.get(key), str)), ""
    )
    given = [str(error[key]) for key in ("code", "type", "status") if error.get(key) is not None]
    return (text.strip() or " ".join(given))[:_LONGEST], given


def _code(given: list[str], words: str, status: int) -> Code:
    for each in get_args(Code):
        if each in given:
            return cast(Code, each)
    text = " ".join([*given, words]).lower()
    for part, code in _TELLING:
        if part in text:
            return code
    numbers = [int(each) for each in given if each.isdecimal() and len(each) == 3]
    status = next(iter(numbers), status) if status < 400 else status
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if any(word in text for word in ("overloaded", "unavailable", "server_error")):
        return "unavailable"
    return "invalid_request" if 400 <= status < 500 else "unavailable"
