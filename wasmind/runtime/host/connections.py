"""Connections of actors to HTTP servers: where the policy allows, ended in time, and kept alive.

They are httpcore's, one request at a time each. Its pool is not used: it looks through all its
connections for each request, which hundreds of actors waiting for a model would notice.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpcore
import httpx

from wasmind.runtime.host.egress import Address, Policy

Complete = Callable[[Address], httpcore.Request]

_CONNECT_SECONDS: Final = 20.0
_SLICE_SECONDS: Final = 0.5
_KEEPALIVE_SECONDS: Final = 30.0
_MOST_KEPT: Final = 64


_TRUST: Final = "`SSL_CERT_FILE` names a file of authorities to trust"


class Hopeless(Exception):
    """Trying the same once more would end the same way."""


class Deadline:
    """When an attempt must be over, and what ends it early."""

    def __init__(self, seconds: float | None, cancelled: threading.Event) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds
        self._cancelled = cancelled

    def left(self) -> float:
        """Seconds left, at most a slice.

        Raises:
            httpcore.ReadTimeout: the time is up.
            httpcore.ReadError: the actor must stop.
        """
        if self._cancelled.is_set():
            raise httpcore.ReadError("the actor is ending")
        if self._end is None:
            return _SLICE_SECONDS
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("timed out")
        return min(left, _SLICE_SECONDS)

    def connect(self) -> float:
        """Seconds to allow for a connection."""
        if self._end is None:
            return _CONNECT_SECONDS
        return max(0.001, min(_CONNECT_SECONDS, self._end - time.monotonic()))


class _Stream(httpcore.NetworkStream):
    """A byte stream whose reads end with the attempt, whatever per-read timeout is asked for."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        #: Of the attempt that uses the connection now.
        self.deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            try:
                return self._inner.read(max_bytes, self.deadline.left())
            except httpcore.ReadTimeout:
                self.deadline.left()  # raises when it was not just the slice that ended

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self.deadline.connect())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> _Stream:
        limit = self.deadline.connect()
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, limit), self.deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Connection:
    """One connection; used by one thread at a time.

    Attributes:
        address: where it leads.
    """

    def __init__(self, origin: httpcore.Origin, stream: _Stream, address: Address) -> None:
        self.address = address
        self._stream = stream
        self._http = httpcore.HTTP11Connection(origin, stream, _KEEPALIVE_SECONDS)

    def send(self, request: httpcore.Request, deadline: Deadline) -> httpcore.Response:
        self._stream.deadline = deadline
        return self._http.handle_request(request)

    @property
    def reusable(self) -> bool:
        return self._http.is_idle() and not self._has_leftovers and not self._http.has_expired()

    @property
    def _has_leftovers(self) -> bool:
        """Whether the server sent more than the response, which would answer the next request.

        Such bytes have been read along with the response, so the socket does not show them.
        """
        return bool(self._http._h11_state.trailing_data[0])

    def close(self) -> None:
        self._http.close()


_Key = tuple[Policy, bytes, bytes, int]


class Connections:
    """Makes connections and keeps those that servers leave open. Safe to use from any thread.

    A connection is used again only under the policy it was made for.

    Args:
        most_kept: how many may be kept that nobody uses.
    """

    def __init__(self, most_kept: int = _MOST_KEPT) -> None:
        self._most_kept = most_kept
        self._lock = threading.Lock()
        self._kept: dict[_Key, list[_Connection]] = {}
        self._count = 0
        self._closed = False
        self._context: ssl.SSLContext | None = None

    @contextmanager
    def exchange(
        self, policy: Policy, origin: httpcore.Origin, complete: Complete, deadline: Deadline
    ) -> Iterator[httpcore.Response]:
        """Send a request; the response can be read inside the `with`.

        Args:
            policy: what connections are allowed.
            origin: where to send it.
            complete: makes the request, once it is known which address it goes to.
            deadline: of the attempt.

        Raises:
            Refused: the policy does not allow any address of the host.
            Hopeless: the server cannot be trusted, or does not speak TLS.
            httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError: no response.
        """
        key = (policy, origin.scheme, origin.host, origin.port)
        connection = self._take(key) or self._connect(policy, origin, deadline)
        try:
            response = connection.send(complete(connection.address), deadline)
            try:
                yield response
            finally:
                response.close()
        finally:
            self._give_back(key, connection)

    def close(self) -> None:
        """Close all connections that nobody uses now, and the others when they are given back."""
        with self._lock:
            self._closed = True
            self._sweep(lambda _: False)

    def _take(self, key: _Key) -> _Connection | None:
        with self._lock:
            kept = self._kept.get(key)
            while kept:
                connection = kept.pop()
                self._count -= 1
                if connection.reusable:
                    return connection
                connection.close()
            self._kept.pop(key, None)
        return None

    def _give_back(self, key: _Key, connection: _Connection) -> None:
        if connection.reusable:
            with self._lock:
                if self._count >= self._most_kept:
                    # Those that expired meanwhile must not keep others out.
                    self._sweep(lambda kept: kept.reusable)
                if self._count < self._most_kept and not self._closed:
                    self._kept.setdefault(key, []).append(connection)
                    self._count += 1
                    return
        connection.close()

    def _sweep(self, stays: Callable[[_Connection], bool]) -> None:
        """Close the kept connections that need not stay. Needs the lock."""
        kept, self._kept, self._count = self._kept, {}, 0
        for key, connections in kept.items():
            for connection in connections:
                if stays(connection):
                    self._kept.setdefault(key, []).append(connection)
                    self._count += 1
                else:
                    connection.close()

    def _connect(self, policy: Policy, origin: httpcore.Origin, deadline: Deadline) -> _Connection:
        host = origin.host.decode("ascii")
        plain, address = _plain(policy, host, origin.port, deadline)
        stream = _Stream(plain, deadline)
        if origin.scheme == b"https":
            try:
                stream = stream.start_tls(self._tls(), host)
            except httpcore.ConnectError as error:
                stream.close()
                if reason := _hopeless(error, f"{host}:{origin.port}"):
                    raise Hopeless(reason) from None
                raise
        return _Connection(origin, stream, address)

    def _tls(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                try:
                    self._context = httpx.create_ssl_context()
                except OSError as error:
                    text = error.strerror or type(error).__name__
                    raise Hopeless(
                        f"cannot read the certificates to trust: {text}; {_TRUST}"
                    ) from None
                self._context.set_alpn_protocols(["http/1.1"])
            return self._context


def _hopeless(error: Exception, server: str) -> str | None:
    """Why TLS with a server will never work, or None."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate of `{server}` is not trusted: {cause.verify_message}; {_TRUST}"
    if cause is not None and cause.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
        return f"`{server}` does not speak TLS; is it `http://` that is meant?"
    return None


def _plain(
    policy: Policy, host: str, port: int, deadline: Deadline
) -> tuple[httpcore.NetworkStream, Address]:
    problem: Exception = httpcore.ConnectError(f"cannot resolve `{host}`")
    backend = httpcore.SyncBackend()
    for address in policy.choose(host, port, _resolve(host, port)):
        try:
            return backend.connect_tcp(str(address), port, deadline.connect()), address
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            problem = error
    raise problem


def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"cannot resolve `{host}`: {error}") from None
    texts = dict.fromkeys(str(item[4][0]).partition("%")[0] for item in found)
    return [ipaddress.ip_address(text) for text in texts]
