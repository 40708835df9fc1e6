"""HTTP requests, made by the host. Capability `http`.

answer = http.post("https://example.org/api", json={"name": "x"}, timeout=10)
if answer.ok:
    data = answer.json()
"""

from __future__ import annotations

import json as _json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wasmind_actor import door


class HttpError(Exception):
    """No response came."""


class NetworkError(HttpError):
    """Connecting, name lookup, TLS or reading the body failed."""


class TimedOutError(HttpError):
    """The last attempt took too long."""


class InvalidUrlError(HttpError):
    """The URL does not parse or names no host."""


class InvalidRequestError(HttpError):
    """The method, a header or the scheme cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When to try again.

    Attributes:
        attempts: how often in all, the first included.
        delay_ms: pause before the second attempt; it doubles every time.
        statuses: which responses count as failed; failures of the network always do.
    """

    attempts: int
    delay_ms: int = 1000
    statuses: tuple[int, ...] = (429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request; `timeout` is in seconds, for each attempt."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    timeout: int | None = None
    retry: Retry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response of any status; header names are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as UTF-8, with a replacement character for what is not."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body decoded; ValueError if it is not JSON."""
        return _json.loads(self.body)

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key == name.lower()), None)


def send(request: Request) -> Response:
    """Send a request and wait for the response, whatever its status.

    Raises:
        HttpError: no attempt brought a response.
    """
    return door.host().send(request)


def get(url: str, *, timeout: int | None = None, retry: Retry | None = None) -> Response:
    """GET a URL; see `send`."""
    return send(Request(method="GET", url=url, timeout=timeout, retry=retry))


def post(
    url: str,
    *,
    json: Any,
    headers: Mapping[str, str] | None = None,
    timeout: int | None = None,
    retry: Retry | None = None,
) -> Response:
    """POST a JSON document; see `send`."""
    return send(
        Request(
            method="POST",
            url=url,
            headers=(("content-type", "application/json"), *(headers or {}).items()),
            body=_json.dumps(json, ensure_ascii=False).encode("utf-8", "replace"),
            timeout=timeout,
            retry=retry,
        )
    )
