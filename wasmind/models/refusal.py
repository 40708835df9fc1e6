"""What a provider's refusal means: its own words, a code, and whether to ask again.

Providers agree on little. The status, the fields `code`, `type` and `status` of the error, and in
the end the words themselves are looked at; words decide only what they say unmistakably.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from wasmind.models.errors import Code, ModelError, code_of

_MOST_WORDS: Final = 500
#: Worth another attempt, beside everything from 500 on.
PASSING: Final = frozenset((408, 409, 425, 429))
_QUOTA: Final = re.compile(
    r"insufficient[_ ](quota|balance|credits?|funds)|billing_hard_limit|credit balance is too low"
    r"|payment required|out of credits",
    re.IGNORECASE,
)
_CONTEXT: Final = re.compile(
    r"context_length_exceeded|maximum context length|context (window|size|length)"
    r"|prompt is too long|input token count|too many (input )?tokens|reduce the length"
    r"|string_above_max_length|input is too long",
    re.IGNORECASE,
)
_FILTERED: Final = re.compile(
    r"content[_ ](filter|policy|management)|content_policy_violation|responsible ?ai"
    r"|prohibited_content|flagged|safety (system|reasons)",
    re.IGNORECASE,
)
_UNKNOWN_MODEL: Final = re.compile(
    r"model_not_found|unknown model|no such model|invalid model|not a valid model"
    r"|model\b.{0,120}?\b(not found|does not exist|not exist|is not available|not supported)",
    re.IGNORECASE | re.DOTALL,
)
_BAD_KEY: Final = re.compile(
    r"invalid_api_key|incorrect api key|api key not valid|invalid api key|authentication_error"
    r"|no auth credentials|invalid x-api-key|unauthorized",
    re.IGNORECASE,
)
_PASSING_WORDS: Final = re.compile(
    r"overloaded|temporarily|try again|rate.?limit|too many requests|unavailable|timed? ?out"
    r"|internal (server )?error|upstream|capacity|no instances",
    re.IGNORECASE,
)
_STATUSES: Final = frozenset(str(status) for status in range(400, 600))
_TAG: Final = re.compile(r"<[^>]*>")
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_SECONDS: Final = re.compile(r"(\d+(?:\.\d+)?)")


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, mask: Callable[[str], str]
) -> ModelError:
    """The error for an answer whose status is not one of success.

    Args:
        headers: names in lower case.
        mask: covers secrets in text that people and actors will see.
    """
    text = body[:65536].decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    error = _error_of(document)
    return _judged(status, headers, error, mask(_short(_words(error, text, status))))


def refusal_inside(
    document: Any, headers: Mapping[str, str], mask: Callable[[str], str]
) -> ModelError | None:
    """The error that an answer of status 200 holds; None if it holds none."""
    if not isinstance(document, dict) or not document.get("error"):
        return None
    if document.get("choices") and not isinstance(document["error"], dict | str):
        return None
    error = _error_of(document)
    words = mask(_short(_words(error, "", 200)))
    code = str(error.get("code"))
    status = int(code) if code in _STATUSES else 0
    if not status:
        if _BAD_KEY.search(f"{code} {words}"):
            status = 401
        else:
            passing = _PASSING_WORDS.search(f"{code} {error.get('type')} {words}")
            status = 503 if passing else 400
    return _judged(status, headers, error, words)


def _judged(
    status: int, headers: Mapping[str, str], error: Mapping[str, Any], words: str
) -> ModelError:
    signs = " ".join(
        str(error[key]) for key in ("code", "type", "status") if error.get(key) is not None
    )
    code, elsewhere = _code(status, signs, words)
    should = headers.get("x-should-retry", "").lower()
    again = should != "false" and (should == "true" or _passes(status, code))
    return ModelError(
        status,
        words,
        code,
        again=again,
        after=wait_of(headers, error) if again else None,
        elsewhere=elsewhere,
    )


def _passes(status: int, code: Code) -> bool:
    if code not in (Code.RATE_LIMIT, Code.UNAVAILABLE, Code.TIMEOUT, Code.INVALID_REQUEST):
        return False
    return status in PASSING or status >= 500


def _code(status: int, signs: str, words: str) -> tuple[Code, bool]:
    """What it is, and whether another model may do better."""
    said = f"{signs} {words}"
    if status == 402 or _QUOTA.search(said):
        return Code.QUOTA, True
    if status in (400, 413, 422, 500) and _CONTEXT.search(said):
        return Code.CONTEXT_LENGTH, True
    if status in (400, 403, 422) and _FILTERED.search(said):
        return Code.CONTENT_FILTER, True
    if status in (400, 401, 403) and _BAD_KEY.search(said):
        return Code.AUTHENTICATION, True
    if is_unknown_model(status, said):
        return Code.INVALID_REQUEST, True
    if status == 413:
        return Code.CONTEXT_LENGTH, True
    code = code_of(status)
    return code, code in (Code.AUTHENTICATION, Code.PERMISSION)


def is_unknown_model(status: int, said: str) -> bool:
    """Whether a refusal says that the provider has no such model."""
    return status in (400, 404) and _UNKNOWN_MODEL.search(said) is not None


def _error_of(document: Any) -> Mapping[str, Any]:
    """The table that describes the error, wherever a provider puts it."""
    if isinstance(document, list) and document:
        document = document[0]
    if not isinstance(document, dict):
        return {}
    error = document.get("error", document)
    if isinstance(error, str):
        return {**document, "message": error}
    return error if isinstance(error, dict) else document


def _words(error: Mapping[str, Any], text: str, status: int) -> str:
    """The provider's own words."""
    for key in ("message", "detail", "error_description", "title", "error"):
        value = error.get(key)
        if isinstance(value, str) and value.strip():
            return _with_raw(value.strip(), error)
        if isinstance(value, list | dict) and value:
            return json.dumps(value, ensure_ascii=False)
    title = _TITLE.search(text)
    plain = title[1] if title else _TAG.sub(" ", text)
    return " ".join(plain.split()) or f"status {status} without a word"


def _with_raw(words: str, error: Mapping[str, Any]) -> str:
    """With what the provider behind the provider said, as OpenRouter quotes it."""
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    return f"{words}: {raw}" if isinstance(raw, str) and raw not in words else words


def _short(words: str) -> str:
    return words if len(words) <= _MOST_WORDS else f"{words[: _MOST_WORDS - 1]}…"


def wait_of(headers: Mapping[str, str], error: Mapping[str, Any]) -> float | None:
    """Seconds that a provider asks to wait: `retry-after-ms`, `Retry-After` in either form (RFC
    9110, section 10.2.3), fractions too, or `retryDelay` as Google has it."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    after = headers.get("retry-after")
    if after is not None:
        seconds = _number(after)
        return _until(after) if seconds is None else seconds
    details = error.get("details")
    for each in details if isinstance(details, list) else ():
        delay = each.get("retryDelay") if isinstance(each, dict) else None
        if isinstance(delay, str) and (found := _SECONDS.fullmatch(delay.removesuffix("s"))):
            return float(found[1])
    return None


def _number(text: str | None) -> float | None:
    found = _SECONDS.fullmatch(text.strip()) if text is not None else None
    return float(found[1]) if found else None


def _until(date: str) -> float | None:
    # Needed by few runs, and dear to import: it brings all of `email`.
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
