"""Where a model answers, and the patience to ask there again.

An endpoint that the host announces is asked once: what stands behind it has its own retries. One
that the user configured is a provider of its own, asked again while its trouble may pass.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from failures import Code, ModelError, Trouble, trouble_in

from wasmind_actor import http, log, require_shallow

ATTEMPTS: Final = 5
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
TIMEOUT_SECONDS: Final = 600
_PASSING: Final = frozenset({408, 409, 425, 429})
_VERSION: Final = r"/v\d+[a-z0-9]*(/|$)"
_ADVICE: Final[Mapping[Code, str]] = {
    "authentication": "the key for this host belongs into `[[run.credentials]]`",
    "quota": "asking again does not help",
}


def completions_url(base_url: str) -> str:
    """The URL that answers chat completions, for a base URL as people paste it.

    It may end in a slash, a version (`/v1`, `/v1beta/openai`) or be the whole endpoint; a query is
    kept.

    Raises:
        ModelError: it is not an http URL.
    """
    text, question, query = base_url.strip().partition("#")[0].partition("?")
    if not re.match(r"https?://[^/]", text, re.IGNORECASE):
        reason = f"`base_url` is not a URL that starts with `http://` or `https://`: {base_url}"
        raise ModelError("LLM Request Failed", reason, "invalid_request")
    base = text.rstrip("/")
    path = base.partition("://")[2].partition("/")[2]
    if not path.endswith("chat/completions"):
        versioned = re.search(_VERSION, f"/{path}")
        base += "/chat/completions" if versioned else "/v1/chat/completions"
    return base + question + query


class Endpoint:
    """One address to which requests are sent.

    Args:
        base_url: where it is.
        own: the user configured it, so nothing between here and the provider tries again.
        timeout: seconds to the last byte of an answer; None for no limit.
        pause: called with seconds to wait before another attempt; False if the wait was cut short.
    """

    def __init__(
        self,
        base_url: str,
        *,
        own: bool,
        timeout: int | None,
        pause: Callable[[float], bool] | None = None,
    ) -> None:
        self.base_url = base_url
        self._own = own
        self._timeout = timeout or (TIMEOUT_SECONDS if own else None)
        self._pause = pause or _slept

    def complete(self, document: Mapping[str, Any]) -> bytes:
        """Send a request and return the body of a good response.

        Raises:
            ModelError: there is none.
        """
        url = completions_url(self.base_url)
        attempts = ATTEMPTS if self._own else 1
        for attempt in range(1, attempts + 1):
            wait = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempt - 1))
            try:
                return self._attempt(url, document)
            except _PassingError as error:
                asked = error.asked or 0.0
                if attempt == attempts or asked > LONGEST_PAUSE:
                    raise _given_up(error, attempt, asked) from None
                wait = max(wait * random.uniform(1, 1.25), asked)  # noqa: S311 - spreads load
                log.warn(f"asking again in {wait:.0f} s, attempt {attempt + 1}: {error}")
                if not self._pause(wait):  # the agent is ending: nobody needs an answer
                    raise ModelError(error.title, str(error), "cancelled") from None
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, url: str, document: Mapping[str, Any]) -> bytes:
        try:
            response = http.post(url, json=document, timeout=self._timeout)
        except http.TimedOutError:
            limit = f"no answer within {self._timeout} s (setting `timeout_seconds`)"
            raise ModelError("LLM Request Failed", limit, "timeout") from None
        except http.HttpError as error:
            raise _unreachable(url, error) from None
        trouble = _trouble(response)
        if trouble is None:
            return response.body
        raise self._refused(url, response, trouble)

    def _refused(self, url: str, response: http.Response, trouble: Trouble) -> ModelError:
        words, advice = trouble.words, _ADVICE.get(trouble.code)
        if self._own:
            words = f"{_shown(url)} answered with status {response.status}: {words}"
            words += f" ({advice})" if advice else ""
        elif not trouble.sorted:  # else the gateway has written it for people
            words = f"the model's endpoint answered with status {response.status}: {words}"
        if _may_pass(response, trouble):
            return _PassingError(words, trouble.code, _asked_to_wait(response))
        return ModelError("LLM Request Failed", words, trouble.code)


def _slept(seconds: float) -> bool:
    begun = time.monotonic()
    time.sleep(seconds)
    return time.monotonic() - begun >= 0.9 * seconds


class _PassingError(ModelError):
    """Trouble that may be over soon; `asked` is how long the provider wants us to wait."""

    def __init__(self, reason: str, code: Code, asked: float | None = None) -> None:
        super().__init__("LLM Request Failed", reason, code)
        self.asked = asked


def _given_up(error: _PassingError, attempts: int, asked: float) -> ModelError:
    if asked > LONGEST_PAUSE:
        reason = f"{error} (it wants {asked:.0f} s to pass before the next request)"
    else:
        reason = f"{error} (asked {attempts} times)" if attempts > 1 else str(error)
    return ModelError(error.title, reason, error.code)


def _unreachable(url: str, error: http.HttpError) -> ModelError:
    reason = f"could not reach the model at {_shown(url)}: {error}"
    title, told = "LLM Request Failed", str(error).lower()
    if "certificate" in told:
        hint = "set `SSL_CERT_FILE` to a file with the certificate of its authority"
        return ModelError(title, f"{reason} ({hint})", "unavailable")
    if isinstance(error, http.NetworkError) and "grants" not in told:
        return _PassingError(reason, "unavailable")
    return ModelError(title, reason, "invalid_request")


def _trouble(response: http.Response) -> Trouble | None:
    """What is wrong with a response by its status or, at the price of a look, by its body."""
    status = response.status
    if response.ok and b'"error"' not in response.body:
        return None
    try:
        require_shallow(response.text)
        document = json.loads(response.body)
    except ValueError:
        document = None
    if response.ok and isinstance(document, dict) and document.get("choices"):
        return None
    found = trouble_in(document, status)
    if found is not None and found.words:
        return found
    if response.ok:
        return None
    words = response.text.strip()[:500] or "no explanation"
    return trouble_in({"error": words}, status)


def _may_pass(response: http.Response, trouble: Trouble) -> bool:
    if response.header("x-should-retry") == "false" or trouble.code == "quota":
        return False
    if response.ok:
        return trouble.code in ("unavailable", "rate_limit")
    return response.status in _PASSING or response.status >= 500


def _asked_to_wait(response: http.Response) -> float | None:
    """Seconds out of `retry-after-ms` or either form of `Retry-After`."""
    try:
        milliseconds = response.header("retry-after-ms")
        if milliseconds is not None:
            return max(0.0, float(milliseconds) / 1000)
        return max(0.0, float(response.header("retry-after") or ""))
    except ValueError:
        return _until(response.header("retry-after"))


def _until(date: str | None) -> float | None:
    # Needed by few runs: `email` is large.
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(date or "").timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _shown(url: str) -> str:
    """A URL without user, password and query, which may hold secrets."""
    scheme, _, rest = url.partition("?")[0].partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
