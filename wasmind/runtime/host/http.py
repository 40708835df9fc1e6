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
from wasmind.runtime.grants import to_grant
from wasmind.runtime.host.doing import doing
from wasmind.runtime.host.door import Host, warn_of_size
from wasmind.runtime.host.interface import LARGEST_LIST_MIB, HostFunction, Interface
from wasmind.runtime.host.models import ModelGateway, ModelReply, ModelRequest, path_at_models

if TYPE_CHECKING:
    from wasmind.runtime.host.exchange import Answer, Call, Largest

_REQUEST: Final = 120
_MIB: Final = 1 << 20
_LONGEST_DELAY: Final = 60.0
_JITTER: Final = 0.25
_NO_SLOT: Final = "as many requests are in flight as may at once (limit `requests`)"
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?")
_USER_INFO: Final = re.compile(r"//[^/?#]*@")
#: What Python puts before the system's words for an error.
_NUMBERED: Final = re.compile(r"\A\[Errno -?\d+\] ")
_ENDING: Final = "the actor is ending"
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class Request(Record):
    """A request of an actor, whichever interface it came through.

    Builder methods make a changed copy.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    timeout: float | None = None
    attempts: int = 1
    base_delay: float = 0.0
    retry_statuses: frozenset[int] = frozenset()


class Failure(Exception):
    """A case of `request-error`; `hopeless` ones are not tried again."""

    def __init__(self, case: str, text: str | None = None, *, hopeless: bool = False) -> None:
        super().__init__(text or case)
        self.error = (case, text)
        self.hopeless = hopeless


def _new(host: Host, method: str, url: str) -> Owned:
    return Owned(host.resources.add(Request(method, url)), _REQUEST)


def _builder(change: Any) -> HostFunction:
    def body(host: Host, handle: int, *values: Any) -> Owned:
        request = change(host.resources.get(handle), *values)
        return Owned(host.resources.add(request), _REQUEST)

    return HostFunction(body, guarded=False)


def _header(request: Request, key: str, value: str) -> Request:
    return request._replace(headers=(*request.headers, (key, value)))


def _headers(request: Request, headers: tuple[Sequence[tuple[str, str]]]) -> Request:
    return request._replace(headers=(*request.headers, *headers[0]))


def _body(host: Host, handle: int, body: bytes) -> Owned:
    warn_of_size(host, "a request body", len(body))
    request: Request = host.resources.get(handle)
    return Owned(host.resources.add(request._replace(body=body)), _REQUEST)


def _timeout(request: Request, seconds: int) -> Request:
    return request._replace(timeout=float(seconds))


def _retry(request: Request, attempts: int, base_delay_ms: int) -> Request:
    return request._replace(attempts=max(1, attempts), base_delay=base_delay_ms / 1000)


def _retry_statuses(request: Request, codes: Sequence[int]) -> Request:
    return request._replace(retry_statuses=frozenset(codes))


def _send_built(host: Host, handle: int) -> Ok | Err:
    """`wasmind:actor/http`: the request was put together call by call."""
    # Every byte of a `list<u8>` becomes a value of its own: what is read must leave room for that.
    most = min(host.actor.limits.response_mib, LARGEST_LIST_MIB)
    try:
        answer = perform(host, host.resources.get(handle), most)
    except Failure as failure:
        return Err(failure.error)
    return Ok((answer.status, (answer.headers,), answer.body))


def _send(host: Host, fields: tuple[Any, ...]) -> Ok | Err:
    """`wasmind:ext/http`: the whole request at once."""
    method, url, headers, body, timeout, retry = fields
    request = Request(method, url, tuple(headers), body or b"")
    if timeout is not None:
        request = _timeout(request, timeout)
    if retry is not None:
        attempts, delay_ms, statuses = retry
        request = _retry_statuses(_retry(request, attempts, delay_ms), statuses)
    try:
        answer = perform(host, request, host.actor.limits.response_mib)
    except Failure as failure:
        return Err(failure.error)
    return Ok((answer.status, answer.headers, answer.body))


def perform(host: Host, request: Request, most: int) -> Answer | ModelReply:
    """Send a request, as often as it says, and return the last response.

    Args:
        host: whose request it is.
        request: what to send.
        most: MiB that the body of a response may have.

    Raises:
        Failure: no attempt brought a response, or the actor is ending.
    """
    headers = _checked(request)
    gateway = host.around.models()
    path = None if gateway is None else path_at_models(request.url)
    if gateway is not None and path is not None:
        return _ask_model(host, request, gateway, path, most)
    call = _call(request, headers)
    target = _target(call)
    with doing(host, f"waiting for {target}"):
        return _attempts(host, request, call, target, most)


def _attempts(host: Host, request: Request, call: Call, target: str, most: int) -> Answer:
    for attempt in range(1, request.attempts + 1):
        final = attempt == request.attempts
        asked: float | None = None
        try:
            answer = _attempt(host, call, request.timeout, most)
        except Failure as failure:
            if host.cancelled.is_set():
                raise Failure("network-error", _ENDING) from None
            if final or failure.hopeless:
                if attempt > 1:
                    host.around.http_failed(host, attempt, f"{target}: {failure}")
                raise
            reason = str(failure)
        else:
            headers = dict(answer.headers)
            hopeless = headers.get("x-should-retry", "").strip().lower() == "false"
            if final or hopeless or answer.status not in request.retry_statuses:
                return answer
            reason, asked = f"status {answer.status}", retry_after(headers)
        wait = _delay(request, attempt - 1, asked)
        if not host.cancelled.is_set():
            retry = HttpRetry(
                actor=host.actor.name,
                scope=host.scope,
                target=target,
                attempt=attempt,
                attempts=request.attempts,
                reason=reason,
                wait_seconds=round(wait, 3),
                id=host.message_id,
            )
            host.around.http_retry(host, retry)
        if host.cancelled.wait(wait):
            raise Failure("network-error", _ENDING)
    raise AssertionError("a request has at least one attempt")


def _target(call: Call) -> str:
    """Host and port."""
    port = call.url.port or (443 if call.url.scheme == "https" else 80)
    return f"{call.url.host}:{port}"


def _ask_model(
    host: Host, request: Request, gateway: ModelGateway, path: str, most: int
) -> ModelReply:
    """One attempt, without a time limit: those of the model hold, and the gateway tries again."""
    largest = most * _MIB

    def says(what: str) -> None:
        host.doing = (what, time.perf_counter())

    with doing(host, "waiting for a model"), host.around.slot("requests") as free:
        if not free:
            raise Failure("network-error", _NO_SLOT)
        reply = gateway.answer(
            ModelRequest(
                method=request.method,
                path=path,
                body=request.body,
                actor=host.actor.name,
                scope=host.scope,
                message_id=host.message_id,
                cancelled=host.cancelled,
                largest=largest,
                doing=says,
            )
        )
    if len(reply.body) > largest:
        size = len(reply.body) / _MIB
        text = f"an answer of {size:.1f} MiB; at most {most} MiB (limit `response_mib`)"
        raise Failure("network-error", text)
    return reply


def _checked(request: Request) -> tuple[tuple[str, str], ...]:
    """The headers; what could never work is reported as such before anything is sent."""
    if not _TOKEN.fullmatch(request.method):
        raise Failure("builder-error", f"`{request.method[:50]}` is not an HTTP method")
    # Blanks around a value are not part of it.
    headers = tuple((key, value.strip(" \t")) for key, value in request.headers)
    for key, value in headers:
        if not _TOKEN.fullmatch(key) or not _HEADER_VALUE.fullmatch(value):
            raise Failure("builder-error", f"the header `{key[:50]}` is malformed")
    return headers


def _call(request: Request, headers: tuple[tuple[str, str], ...]) -> Call:
    import httpx

    from wasmind.runtime.host.exchange import Call

    try:
        url = httpx.URL(request.url)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise Failure("invalid-url", _USER_INFO.sub("//***@", request.url)) from None
    if url.scheme and url.scheme not in ("http", "https"):
        raise Failure("builder-error", f"the scheme `{url.scheme}` is not supported")
    if not url.scheme or not url.host:
        raise Failure("invalid-url", _USER_INFO.sub("//***@", request.url))
    return Call(request.method, url, headers, request.body)


def _attempt(host: Host, call: Call, timeout: float | None, most: int) -> Answer:
    """One attempt; neither what goes wrong nor what comes back holds a secret of the host."""
    import httpcore

    from wasmind.runtime.host.connections import Hopeless
    from wasmind.runtime.host.egress import Refused
    from wasmind.runtime.host.exchange import shown

    around = host.around
    try:
        answer = _exchanged(host, call, timeout, most)
    except Failure:
        raise
    except Refused as error:
        hint = to_grant(host.actor, "http", **error.added) if error.added else ""
        text = f"{error}; {hint}" if hint else str(error)
        around.log(host, "warn", f"refused `{call.method} {shown(call.url)}`: {text}")
        raise Failure("network-error", text, hopeless=True) from None
    except Hopeless as error:
        raise Failure("network-error", around.masked(str(error)), hopeless=True) from None
    except httpcore.TimeoutException:
        raise Failure("timeout") from None
    except httpcore.LocalProtocolError as error:
        # It quotes the header it does not like.
        text = str(error).partition(" b'")[0]
        raise Failure("builder-error", around.masked(text), hopeless=True) from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        text = _NUMBERED.sub("", str(error)) or type(error).__name__
        raise Failure("network-error", around.masked(text)) from None
    except Exception as error:  # noqa: BLE001 - whatever has seen a secret may quote it
        text = f"the request failed: {type(error).__name__}"
        raise Failure("network-error", text, hopeless=True) from None
    headers = [(key, around.masked(value)) for key, value in answer.headers]
    return replace(answer, headers=headers, body=around.masked_bytes(answer.body))


def _exchanged(host: Host, call: Call, timeout: float | None, most: int) -> Answer:
    from wasmind.runtime.host.connections import Deadline
    from wasmind.runtime.host.egress import Policy
    from wasmind.runtime.host.exchange import Line, exchange

    around = host.around
    line = Line(
        around.connections(),
        Policy.of(host.actor.grants.get("http", {})),
        around.credentials,
        _largest(host, most),
        lambda text: around.log(host, "warn", text),
    )
    with around.slot("requests") as free:
        if not free:
            raise Failure("network-error", _NO_SLOT)
        return exchange(call, line, Deadline(timeout, host.cancelled))


def _delay(request: Request, attempt: int, asked: float | None) -> float:
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


def _largest(host: Host, most: int) -> Largest:
    """What a body may have, and what to say about a larger one."""
    from wasmind.runtime.host.exchange import Largest

    if most < host.actor.limits.response_mib:
        return Largest(most * _MIB, f"{most} MiB, the most that components of this kind can take")
    return Largest(most * _MIB, f"{most} MiB (limit `response_mib`)")


EXT_HTTP: Final = Interface(
    name="wasmind:ext/http",
    capability="http",
    functions={
        "send": HostFunction(_send, lambda reason: Err(("builder-error", reason)), blocking=True)
    },
)
HTTP: Final = Interface(
    name="wasmind:actor/http",
    capability="http",
    functions={
        "[constructor]request": HostFunction(_new, guarded=False),
        "[method]request.header": _builder(_header),
        "[method]request.headers": _builder(_headers),
        "[method]request.body": HostFunction(_body, guarded=False),
        "[method]request.timeout": _builder(_timeout),
        "[method]request.retry": _builder(_retry),
        "[method]request.retry-on-status-codes": _builder(_retry_statuses),
        "[method]request.send": HostFunction(
            _send_built, lambda reason: Err(("builder-error", reason)), blocking=True
        ),
    },
    resources={"request": _REQUEST},
)
