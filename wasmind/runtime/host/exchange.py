"""One attempt at a request: its redirects, each judged like a request of its own, and its body."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import httpcore
import httpx

from wasmind.runtime.credentials import Sealed
from wasmind.runtime.host.connections import Connections, Deadline, Hopeless
from wasmind.runtime.host.egress import Address, Policy
from wasmind.runtime.host.gunzip import GzipError, GzipTooLong, gunzip

Headers = tuple[tuple[str, str], ...]

_MOST_REDIRECTS: Final = 10
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_KEEPS_METHOD: Final = frozenset((307, 308))
#: What a request must not take along to another origin.
_SECRET: Final = frozenset(("authorization", "cookie", "proxy-authorization"))
#: What describes a body, and goes when the body does.
_OF_BODY: Final = frozenset(
    ("content-encoding", "content-length", "content-type", "transfer-encoding")
)
#: Where a request goes and where its body ends is not for an actor to say.
_OURS: Final = frozenset(("host", "content-length", "transfer-encoding"))
_DEFAULTS: Final = (
    ("Accept", "*/*"),
    ("Accept-Encoding", "gzip"),
    ("User-Agent", "wasmind"),
)
_CODINGS: Final = ("gzip", "x-gzip")


@dataclass(frozen=True, slots=True)
class Call:
    """A request as an actor makes it; `Host` and the framing of the body are ours."""

    method: str
    url: httpx.URL
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A response whose body was read and, where we know the coding, decoded.

    Attributes:
        headers: names in lower case; only printable ASCII values.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Largest:
    """How many bytes a body may have, and how to say so."""

    size: int
    shown: str


@dataclass(frozen=True, slots=True)
class Line:
    """What a call goes out over.

    Attributes:
        secrets: headers for a scheme, host and address that no actor ever sees.
        largest: what the body of the response may have.
        warn: tells people what they would not expect.
    """

    connections: Connections
    policy: Policy
    secrets: Callable[[str, str, Address], Sealed]
    largest: Largest
    warn: Callable[[str], None]


def exchange(call: Call, line: Line, deadline: Deadline) -> Answer:
    """Send a call and follow its redirects.

    Raises:
        Refused: it, or a redirect of it, is outside the policy.
        Hopeless: too many redirects, or a body larger than the limit.
        httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError: no response.
    """
    for _ in range(_MOST_REDIRECTS + 1):
        line.policy.check_url(call.method, call.url)
        complete = partial(_sealed, call, line)
        with line.connections.exchange(
            line.policy, _url(call).origin, complete, deadline
        ) as response:
            target = _target(response)
            if target is None:
                return _read(response, line.largest)
        following = redirected(call, response.status, target)
        if call.body and not following.body:
            line.warn(
                f"`{call.method} {shown(call.url)}` was answered with {response.status}: followed "
                f"as `{following.method} {shown(following.url)}`, without the body; to send it "
                "there, ask for that URL at once"
            )
        call = following
    raise Hopeless(f"more than {_MOST_REDIRECTS} redirects")


def shown(url: httpx.URL) -> str:
    """A URL without credentials and query, which may hold secrets."""
    return str(url.copy_with(userinfo=b"", query=None, fragment=None))


def _sealed(call: Call, line: Line, address: Address) -> httpcore.Request:
    """The request that goes to an address.

    Secrets are added here and not to the call: a redirect must not carry them further.
    """
    sealed = line.secrets(call.url.scheme, call.url.host, address)
    if sealed.withheld is not None:
        line.warn(sealed.withheld)
    return _request(call, dict(sealed.headers))


def _url(call: Call) -> httpcore.URL:
    return httpcore.URL(
        scheme=call.url.raw_scheme,
        host=call.url.raw_host,
        port=call.url.port,
        target=call.url.raw_path,
    )


def redirected(call: Call, status: int, target: str) -> Call:
    """The call that a redirect asks for, as browsers and RFC 9110, section 15.4, have it.

    Raises:
        Hopeless: the target is no URL we can go to.
    """
    try:
        url = call.url.join(target)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise Hopeless(f"a redirect to `{target[:200]}`, which is not a URL") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise Hopeless(f"a redirect to `{target[:200]}`, which is not `http` or `https`")
    left: frozenset[str] = frozenset()
    if _origin(url) != _origin(call.url):
        left |= _SECRET
    if status not in _KEEPS_METHOD and call.method not in ("GET", "HEAD"):
        call = replace(call, method="GET", body=b"")
        left |= _OF_BODY
    kept = tuple((key, value) for key, value in call.headers if key.lower() not in left)
    return replace(call, url=url, headers=kept)


def _origin(url: httpx.URL) -> tuple[str, bytes, int]:
    return url.scheme, url.raw_host, url.port or (443 if url.scheme == "https" else 80)


def _request(call: Call, secrets: dict[str, str]) -> httpcore.Request:
    ours = {name.lower() for name in secrets} | _OURS
    headers = [("Host", call.url.netloc.decode("ascii"))]
    headers += [item for item in call.headers if item[0].lower() not in ours]
    headers += secrets.items()
    given = {key.lower() for key, _ in headers}
    headers += [item for item in _DEFAULTS if item[0].lower() not in given]
    if call.url.userinfo and "authorization" not in given:
        headers.append(("Authorization", _basic(call.url)))
    if call.body or call.method in ("POST", "PUT", "PATCH"):
        headers.append(("Content-Length", str(len(call.body))))
    return httpcore.Request(
        call.method,
        _url(call),
        headers=[(key.encode("ascii"), value.encode("latin-1")) for key, value in headers],
        content=call.body,
    )


def _basic(url: httpx.URL) -> str:
    pair = f"{url.username}:{url.password}".encode()
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def _target(response: httpcore.Response) -> str | None:
    if response.status not in _REDIRECTS:
        return None
    found = (value for key, value in response.headers if key.lower() == b"location")
    location = next(found, None)
    return None if location is None else location.decode("utf-8", "replace")


def _read(response: httpcore.Response, largest: Largest) -> Answer:
    headers = [
        (key.decode("ascii", "replace").lower(), value.decode("latin-1"))
        for key, value in response.headers
    ]
    coding = ", ".join(value for key, value in headers if key == "content-encoding")
    coded = coding.strip().lower() in _CODINGS
    left_out = ("content-encoding", "content-length") if coded else ()
    read = _decoded if coded else _joined
    body = read(response.iter_stream(), largest)
    visible = [
        (key, value)
        for key, value in headers
        if value.isascii() and value.isprintable() and key not in left_out
    ]
    return Answer(response.status, visible, body)


def _joined(chunks: Iterable[bytes], largest: Largest) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > largest.size:
            raise _too_large(largest)
    return bytes(body)


def _decoded(chunks: Iterable[bytes], largest: Largest) -> bytes:
    try:
        return _joined(gunzip(chunks, largest.size), largest)
    except GzipTooLong:
        raise _too_large(largest) from None
    except GzipError as error:
        raise httpcore.RemoteProtocolError(str(error)) from None


def _too_large(largest: Largest) -> Hopeless:
    return Hopeless(f"the body is larger than {largest.shown}")
