"""Requests of the gateway to providers: ended in time, cancelled at any moment, through proxies.

Hosts here are the user's own choice, so addresses are not judged, and proxies of the environment
are honoured, though not for this machine itself.
"""

from __future__ import annotations

import ipaddress
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import httpcore
import httpx

from wasmind.models.errors import Code, ModelError, cancelled
from wasmind.models.upstream import Stop
from wasmind.runtime.host.connections import Connections, Deadline
from wasmind.runtime.host.egress import Policy

if TYPE_CHECKING:
    import ssl

_ANYWHERE: Final = Policy(hosts=("0.0.0.0/0", "::/0"), private=True)
_MOST_KEPT: Final = 256
_CONNECT_SECONDS: Final = 20.0
_SLICE_SECONDS: Final = 0.5


class Patience(Deadline):
    """How long an attempt may take: to its first byte, and to its last.

    Args:
        first_byte: seconds until something comes.
        total: seconds until all has come.
        cancelled: ends it early.
        idle: called while nothing comes.
    """

    def __init__(
        self,
        first_byte: float,
        total: float,
        cancelled: Stop,
        idle: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(total, threading.Event())
        self._stop = cancelled
        self._first_byte, self._total = first_byte, total
        now = time.monotonic()
        self._last, self._first = now + total, now + first_byte
        self._waiting = True
        self._idle = idle

    def came(self) -> None:
        """The first byte of an answer is there."""
        self._waiting = False

    def left(self) -> float:
        """Seconds left, at most a slice; ModelError when there are none."""
        if self._stop.is_set():
            raise cancelled()
        if self._idle is not None:
            self._idle()
        now = time.monotonic()
        if now >= self._last:
            raise self._over(f"no complete answer within {self._total:g} s", "timeout_seconds")
        if not self._waiting:
            return min(self._last - now, _SLICE_SECONDS)
        if now >= self._first:
            text = f"nothing came within {self._first_byte:g} s"
            raise self._over(text, "first_byte_seconds")
        return min(self._first - now, self._last - now, _SLICE_SECONDS)

    def connect(self) -> float:
        """Seconds to allow for a connection."""
        if self._stop.is_set():
            raise cancelled()
        return max(0.001, min(_CONNECT_SECONDS, self._first - time.monotonic()))

    def _over(self, text: str, setting: str) -> ModelError:
        advice = f"`{setting}` of the model allows more"
        return ModelError(504, text, Code.TIMEOUT, advice=advice, elsewhere=True, billed=True)


class Wire:
    """Connections to providers, kept alive. Safe to use from any thread."""

    def __init__(self) -> None:
        self._direct = Connections(_MOST_KEPT)
        self._lock = threading.Lock()
        self._proxies: dict[str, httpcore.HTTPProxy] = {}
        self._backend = _Backend()

    @contextmanager
    def exchange(
        self, request: httpcore.Request, patience: Patience
    ) -> Iterator[httpcore.Response]:
        """Send a request; the response can be read inside the `with`.

        Raises:
            ModelError: the time is up, or the actor is ending.
            Hopeless: the server cannot be trusted, or does not speak TLS.
            httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError: no response.
        """
        proxy = _proxy_for(request.url)
        if proxy is None:
            origin = request.url.origin
            with self._direct.exchange(_ANYWHERE, origin, lambda _: request, patience) as response:
                yield response
            return
        response = self._through(proxy, request, patience)
        try:
            yield response
        finally:
            response.close()

    def close(self) -> None:
        """Close what nobody uses now, and the rest when it is given back."""
        self._direct.close()
        with self._lock:
            for proxy in self._proxies.values():
                proxy.close()

    def _through(
        self, proxy: str, request: httpcore.Request, patience: Patience
    ) -> httpcore.Response:
        with self._lock:
            if proxy not in self._proxies:
                self._proxies[proxy] = _pool(proxy, self._backend)
            pool = self._proxies[proxy]
        self._backend.begin(patience)
        return pool.handle_request(request)


def _pool(proxy: str, backend: httpcore.NetworkBackend) -> httpcore.HTTPProxy:
    url = httpx.URL(proxy)
    if url.scheme not in ("http", "https"):
        text = f"the proxy of the environment, `{url.scheme}://{url.host}`, is not `http`"
        raise ModelError(502, text, Code.UNAVAILABLE)
    user = (url.username.encode(), url.password.encode()) if url.userinfo else None
    bare = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/")
    return httpcore.HTTPProxy(
        bare,
        proxy_auth=user,
        ssl_context=httpx.create_ssl_context(),
        max_connections=None,
        keepalive_expiry=30.0,
        network_backend=backend,
    )


def _proxy_for(url: httpcore.URL) -> str | None:
    """The proxy that the environment names for a URL."""
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    # Dear to import, and most machines have no proxy.
    from urllib.request import (  # type: ignore[attr-defined]
        getproxies_environment,
        proxy_bypass_environment,
    )

    host = url.host.decode("ascii", "replace")
    found = getproxies_environment()
    proxy = found.get(url.scheme.decode("ascii")) or found.get("all")
    if proxy is None or _is_here(host) or proxy_bypass_environment(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class _Backend(httpcore.NetworkBackend):
    """Connections to proxies, whose reads follow the attempt that uses them: it has the thread."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()
        self._of_thread = threading.local()

    def begin(self, patience: Patience) -> None:
        """The attempt on this thread, until the next one."""
        self._of_thread.patience = patience

    @property
    def patience(self) -> Patience:
        """Of the attempt on this thread."""
        found: Patience = self._of_thread.patience
        return found

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        inner = self._inner.connect_tcp(host, port, self.patience.connect())
        return _Stream(inner, self)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, backend: _Backend) -> None:
        self._inner = inner
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            left = self._backend.patience.left()
            try:
                return self._inner.read(max_bytes, left)
            except httpcore.ReadTimeout:
                continue  # only the slice has ended, or `left` says otherwise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._backend.patience.connect())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        limit = self._backend.patience.connect()
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, limit), self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
