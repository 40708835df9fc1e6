"""Where actors may connect to, and the connections that keep to it.

A request passes two checks. Its URL must fit the actor's grant: method, host, port; every redirect
is a new URL. Then, when a connection is made, the name is resolved once, each address is judged,
and the connection goes to an address that passed: a name that changes its mind between check and
connection gains nothing. Connections are pooled per grant, never across.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import httpcore
import httpx

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_CONNECT_SECONDS: Final = 20.0
_SLICE_SECONDS: Final = 0.5
_KEEPALIVE_SECONDS: Final = 30.0

#: Addresses that hand out a machine's credentials to whoever asks.
_METADATA: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32")
)
# Carrier-grade NAT and NAT64: not "private" to the ipaddress module, but not public either.
_NOT_PUBLIC: Final = tuple(ipaddress.ip_network(text) for text in ("100.64.0.0/10", "64:ff9b::/96"))


class Refused(Exception):
    """A request outside the grant; the text says why."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A host and port that were granted by the runtime itself, for a model endpoint."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Policy:
    """What an `http` grant allows. Empty means any.

    Attributes:
        hosts: names, `*.` patterns, addresses, or networks in CIDR form.
        private: whether names may lead to addresses that are not public.
        origins: always allowed, whatever else is said.
    """

    hosts: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    methods: tuple[str, ...] = ()
    private: bool = False
    origins: frozenset[Origin] = frozenset()

    @classmethod
    def of(cls, grant: Mapping[str, Any], origins: Iterable[Origin]) -> Policy:
        """From the `http` table of an actor's grants."""
        return cls(
            hosts=tuple(grant.get("hosts", ())),
            ports=tuple(grant.get("ports", ())),
            methods=tuple(grant.get("methods", ())),
            private=bool(grant.get("private", False)),
            origins=frozenset(origins),
        )

    def check_url(self, method: str, url: httpx.URL) -> None:
        """Judge what can be seen in a URL.

        Raises:
            Refused: it does not fit the grant.
        """
        port = url.port or (443 if url.scheme == "https" else 80)
        if Origin(url.host, port) in self.origins:
            return
        if self.methods and method not in self.methods:
            raise Refused(f"the method `{method}` is not among the granted `http.methods`")
        if self.hosts and not any(_matches(entry, url.host) for entry in self.hosts):
            raise Refused(f"the host `{url.host}` is not among the granted `http.hosts`")
        if self.ports and port not in self.ports:
            raise Refused(f"the port {port} is not among the granted `http.ports`")

    def choose(self, host: str, port: int, addresses: Sequence[_Address]) -> list[_Address]:
        """The addresses a connection to `host` may use, in the given order.

        Raises:
            Refused: none of them may be used.
        """
        if Origin(host, port) in self.origins:
            return list(addresses)
        allowed = [address for address in addresses if self._allows(address)]
        if not allowed:
            shown = str(addresses[0]) if addresses else "nothing"
            raise Refused(
                f"`{host}` leads to {shown}, which is not public; to allow it, list the address "
                "in `http.hosts`, or set `http.private`"
            )
        return allowed

    def _allows(self, address: _Address) -> bool:
        if any(_covers(entry, address) for entry in self.hosts):
            return True
        effective = _embedded(address)
        if _in(effective, _METADATA):
            return False
        public = effective.is_global and not effective.is_multicast
        return self.private or (public and not _in(effective, _NOT_PUBLIC))


def _in(address: _Address, networks: Sequence[_Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _embedded(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _matches(entry: str, host: str) -> bool:
    """Whether an entry of `http.hosts` names this host."""
    host = host.lower().rstrip(".").strip("[]")
    if fnmatch.fnmatchcase(host, entry.lower()):
        return True
    try:
        return _covers(entry, ipaddress.ip_address(host))
    except ValueError:
        return False


def _covers(entry: str, address: _Address) -> bool:
    """Whether an entry is an address or network that this address belongs to."""
    if entry.lower() == "localhost":
        return address.is_loopback
    network = _network(entry)
    return network is not None and _in(address, (network,))


@lru_cache(maxsize=1024)
def _network(entry: str) -> _Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None


class Deadline:
    """When the attempt on this thread must be over, and what ends it early."""

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


_attempt = threading.local()


class _Stream(httpcore.NetworkStream):
    """A connection whose reads end with the attempt, whatever per-read timeout is asked for."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        deadline: Deadline = _attempt.deadline
        while True:
            try:
                return self._inner.read(max_bytes, deadline.left())
            except httpcore.ReadTimeout:
                deadline.left()  # raises when it was not just the slice that ended

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _attempt.deadline.connect())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(
            self._inner.start_tls(ssl_context, server_hostname, _attempt.deadline.connect())
        )

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Resolves a name itself and connects only to addresses the policy chose."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        deadline: Deadline = _attempt.deadline
        problem: Exception = httpcore.ConnectError(f"cannot resolve `{host}`")
        for address in self._policy.choose(host, port, _resolve(host, port)):
            try:
                inner = self._plain.connect_tcp(
                    str(address), port, deadline.connect(), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
            else:
                return _Stream(inner)
        raise problem


def _resolve(host: str, port: int) -> list[_Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"cannot resolve `{host}`: {error}") from None
    texts = dict.fromkeys(str(item[4][0]).partition("%")[0] for item in found)
    return [ipaddress.ip_address(text) for text in texts]


class _Transport(httpx.HTTPTransport):
    def __init__(self, policy: Policy, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, trust_env=False)
        # httpx has no public way to choose the network backend of its pool.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=None,
            max_keepalive_connections=64,
            keepalive_expiry=_KEEPALIVE_SECONDS,
            network_backend=_Backend(policy),
        )


class Clients:
    """HTTP clients, one for each policy, made on first use and shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[Policy, httpx.Client] = {}
        self._context: ssl.SSLContext | None = None

    def get(self, policy: Policy) -> httpx.Client:
        """The client whose connections keep to `policy`. It follows no redirects by itself."""
        with self._lock:
            if policy not in self._clients:
                if self._context is None:
                    self._context = httpx.create_ssl_context()
                self._clients[policy] = httpx.Client(
                    transport=_Transport(policy, self._context),
                    follow_redirects=False,
                    trust_env=False,
                    timeout=None,  # noqa: S113 - attempts have a deadline of their own
                )
            return self._clients[policy]

    def close(self) -> None:
        """Close all pooled connections."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()


class attempt:  # noqa: N801 - reads as a verb: `with attempt(deadline):`
    """Makes a deadline the one that connections on this thread keep to."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def __enter__(self) -> None:
        _attempt.deadline = self._deadline

    def __exit__(self, *_: object) -> None:
        _attempt.deadline = None
