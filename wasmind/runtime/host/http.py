"""`http`: requests with retries, each attempt and redirect checked against the grant."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from wasmind.records import Record
from wasmind.runtime.abi import Err, Ok, Owned
from wasmind.runtime.events import HttpRetry
from wasmind.runtime.host.doing import doing
from wasmind.runtime.host.door import Host
from wasmind.runtime.host.interface import HostFunction, Interface

if TYPE_CHECKING:
    from wasmind.runtime.host.exchange import Answer, Call

_REQUEST: Final = 120
_MIB: Final = 1 << 20
_LONGEST_DELAY: Final = 60.0
_JITTER: Final = 0.25
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?")
_USER_INFO: Final = re.compile(r"//[^/?#]*@")
#: What Python puts before the system's words for an error.
_NUMBERED: Final = re.compile(r"\A\[Errno -?\d+\] ")
_ENDING: Final = "the actor is ending"
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class _Request(Record):
    """Builder state. Every builder method makes a changed copy."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    timeout: float | None = None
    attempts: int = 1
    base_delay: float = 0.0
    retry_statuses: frozenset[int] = frozenset()


class _Failure(Exception):
    """A case of `request-error`; `hopeless` ones are not tried again."""

    def __init__(self, case: str, text: str | None = None, *, hopeless: bool = False) -> None:
        super().__init__(text or case)
        self.error = (case, text)
        self.hopeless = hopeless


def _new(host: Host, method: str, url: str) -> Owned:
    return Owned(host.resources.add(_Request(method, url)), _REQUEST)


def _builder(change: Any) -> HostFunction:
    def body(host: Host, handle: int, *values: Any) -> Owned:
        request = change(host.resources.get(handle), *values)
        return Owned(host.resources.add(request), _REQUEST)

    return HostFunction(body, guarded=False)


def _header(request: _Request, key: str, value: str) -> _Request:
    return request._replace(headers=(*request.headers, (key, value)))


def _headers(request: _Request, headers: tuple[Sequence[tuple[str, str]]]) -> _Request:
    return request._replace(headers=(*request.headers, *headers[0]))


def _body(request: _Request, body: bytes) -> _Request:
    return request._replace(body=body)


def _timeout(request: _Request, seconds: int) -> _Request:
    return request._replace(timeout=float(seconds))


def _retry(request: _Request, attempts: int, base_delay_ms: int) -> _Request:
    return request._replace(attempts=max(1, attempts), base_delay=base_delay_ms / 1000)


def _retry_statuses(request: _Request, codes: Sequence[int]) -> _Request:
    return request._replace(retry_statuses=frozenset(codes))


def _send(host: Host, handle: int) -> Ok | Err:
    request: _Request = host.resources.get(handle)
    try:
        call = _call(request)
    except _Failure as failure:
        return Err(failure.error)
    target, what = _target(host, call)
    with doing(host, f"waiting for {what}"):
        return _attempts(host, request, call, target)


def _attempts(host: Host, request: _Request, call: Call, target: str) -> Ok | Err:
    for attempt in range(1, request.attempts + 1):
        final = attempt == request.attempts
        asked: float | None = None
        result: Ok | Err
        try:
            answer = _attempt(host, call, request.timeout)
        except _Failure as failure:
            reason, result, hopeless = str(failure), Err(failure.error), failure.hopeless
        else:
            result = Ok((answer.status, (answer.headers,), answer.body))
            headers = dict(answer.headers)
            hopeless = headers.get("x-should-retry", "").strip().lower() == "false"
            if final or hopeless or answer.status not in request.retry_statuses:
                return result
            reason, asked = f"status {answer.status}", retry_after(headers)
        if host.cancelled.is_set():
            return Err(("network-error", _ENDING))
        if final or hopeless:
            if attempt > 1:
                host.around.http_failed(host, attempt, f"{target}: {reason}")
            return result
        wait = _delay(request, attempt - 1, asked)
        host.around.http_retry(
            host,
            HttpRetry(
                actor=host.actor.name,
                scope=host.scope,
                target=target,
                attempt=attempt,
                attempts=request.attempts,
                reason=reason,
                wait_seconds=round(wait, 3),
                id=host.message_id,
            ),
        )
        if host.cancelled.wait(wait):
            return Err(("network-error", _ENDING))
    raise AssertionError("a request has at least one attempt")


def _target(host: Host, call: Call) -> tuple[str, str]:
    """Host and port, and what people call what answers there."""
    from wasmind.runtime.host.egress import Origin

    port = call.url.port or (443 if call.url.scheme == "https" else 80)
    target = f"{call.url.host}:{port}"
    is_model = Origin(call.url.host, port) in host.around.model_origins()
    return target, "a model" if is_model else target


def _call(request: _Request) -> Call:
    """What could never work is reported as such before anything is sent."""
    import httpx

    from wasmind.runtime.host.exchange import Call

    if not _TOKEN.fullmatch(request.method):
        raise _Failure("builder-error", f"`{request.method[:50]}` is not an HTTP method")
    # Blanks around a value are not part of it.
    headers = tuple((key, value.strip(" \t")) for key, value in request.headers)
    for key, value in headers:
        if not _TOKEN.fullmatch(key) or not _HEADER_VALUE.fullmatch(value):
            raise _Failure("builder-error", f"the header `{key[:50]}` is malformed")
    try:
        url = httpx.URL(request.url)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise _Failure("invalid-url", _USER_INFO.sub("//***@", request.url)) from None
    if url.scheme and url.scheme not in ("http", "https"):
        raise _Failure("builder-error", f"the scheme `{url.scheme}` is not supported")
    if not url.scheme or not url.host:
        raise _Failure("invalid-url", _USER_INFO.sub("//***@", request.url))
    return Call(request.method, url, headers, request.body)


def _attempt(host: Host, call: Call, timeout: float | None) -> Answer:
    """One attempt; neither what goes wrong nor what comes back holds a secret of the host."""
    import httpcore

    from wasmind.runtime.host.connections import Hopeless
    from wasmind.runtime.host.egress import Refused
    from wasmind.runtime.host.exchange import shown

    around = host.around
    try:
        answer = _exchanged(host, call, timeout)
    except _Failure:
        raise
    except Refused as error:
        around.log(host, "warn", f"refused `{call.method} {shown(call.url)}`: {error}")
        text = f"{error}; see `[actors.{host.actor.name}.grants.http]`"
        raise _Failure("network-error", text, hopeless=True) from None
    except Hopeless as error:
        raise _Failure("network-error", around.masked(str(error)), hopeless=True) from None
    except httpcore.TimeoutException:
        raise _Failure("timeout") from None
    except httpcore.LocalProtocolError as error:
        # It quotes the header it does not like.
        text = str(error).partition(" b'")[0]
        raise _Failure("builder-error", around.masked(text), hopeless=True) from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        text = _NUMBERED.sub("", str(error)) or type(error).__name__
        raise _Failure("network-error", around.masked(text)) from None
    except Exception as error:  # noqa: BLE001 - whatever has seen a secret may quote it
        text = f"the request failed: {type(error).__name__}"
        raise _Failure("network-error", text, hopeless=True) from None
    headers = [(key, around.masked(value)) for key, value in answer.headers]
    return replace(answer, headers=headers, body=around.masked_bytes(answer.body))


def _exchanged(host: Host, call: Call, timeout: float | None) -> Answer:
    from wasmind.runtime.host.connections import Deadline
    from wasmind.runtime.host.egress import Policy
    from wasmind.runtime.host.exchange import Line, exchange

    around = host.around
    line = Line(
        around.connections(),
        Policy.of(host.actor.grants.get("http", {}), around.model_origins()),
        around.credentials,
        host.actor.limits.response_mib * _MIB,
        lambda text: around.log(host, "warn", text),
    )
    with around.slot("requests") as free:
        if not free:
            text = "as many requests are in flight as may at once (limit `requests`)"
            raise _Failure("network-error", text)
        return exchange(call, line, Deadline(timeout, host.cancelled))


def _delay(request: _Request, attempt: int, asked: float | None) -> float:
    """`base * 2^attempt` with jitter, or what the server asked for; never longer than the cap."""
    nominal = min(_LONGEST_DELAY, request.base_delay * 2.0 ** min(attempt, 30))
    delay = nominal * (1 + random.uniform(0, _JITTER))  # noqa: S311 - spreads load, keeps no secret
    return min(_LONGEST_DELAY, delay if asked is None else max(delay, asked))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds a response asks to wait, if it does.

    `Retry-After` is a number of seconds or a date (RFC 9110, section 10.2.3); some servers send
    fractions, and some `retry-after-ms`, which is finer and goes first.
    """
    milliseconds = headers.get("retry-after-ms", "").strip()
    if _NUMBER.fullmatch(milliseconds):
        return float(milliseconds) / 1000
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if _NUMBER.fullmatch(value):
        return float(value)
    # Needed by few runs, and dear to import: it brings all of `email`.
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


HTTP: Final = Interface(
    name="wasmind:actor/http",
    capability="http",
    functions={
        "[constructor]request": HostFunction(_new, guarded=False),
        "[method]request.header": _builder(_header),
        "[method]request.headers": _builder(_headers),
        "[method]request.body": _builder(_body),
        "[method]request.timeout": _builder(_timeout),
        "[method]request.retry": _builder(_retry),
        "[method]request.retry-on-status-codes": _builder(_retry_statuses),
        "[method]request.send": HostFunction(
            _send, lambda reason: Err(("builder-error", reason)), blocking=True
        ),
    },
    resources={"request": _REQUEST},
)
