"""Where actors may connect to.

A request passes two checks. Its URL must fit the actor's grant: method, host, port; every redirect
is a new URL. Then, when a connection is made, the name is resolved once, each address is judged,
and the connection goes to an address that passed: a name that changes its mind between check and
connection gains nothing.
"""

from __future__ import annotations

import fnmatch
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Addresses that hand out a machine's credentials to whoever asks.
_METADATA: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32")
)
# Carrier-grade NAT and NAT64: not "private" to the ipaddress module, but not public either.
_NOT_PUBLIC: Final = tuple(ipaddress.ip_network(text) for text in ("100.64.0.0/10", "64:ff9b::/96"))


#: This machine and networks that do not leave the house (RFC 1918, RFC 4193).
_NEAR: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
        *("::1/128", "fc00::/7"),
    )
)


class Refused(Exception):
    """A request outside the grant; the text says why.

    Attributes:
        added: the limits of `http` with which it would be inside.
    """

    def __init__(self, text: str, **added: Any) -> None:
        super().__init__(text)
        self.added = added


@dataclass(frozen=True, slots=True)
class Policy:
    """What an `http` grant allows. Empty means any.

    Attributes:
        hosts: names, `*.` patterns, addresses, or networks in CIDR form.
        private: whether names may lead to addresses that are not public.
    """

    hosts: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    methods: tuple[str, ...] = ()
    private: bool = False

    @classmethod
    def of(cls, grant: Mapping[str, Any]) -> Policy:
        """From the `http` table of an actor's grants."""
        return cls(
            hosts=tuple(grant.get("hosts", ())),
            ports=tuple(grant.get("ports", ())),
            methods=tuple(grant.get("methods", ())),
            private=bool(grant.get("private", False)),
        )

    def check_url(self, method: str, url: httpx.URL) -> None:
        """Judge what can be seen in a URL.

        Raises:
            Refused: it does not fit the grant.
        """
        port = url.port or (443 if url.scheme == "https" else 80)
        if self.methods and method not in self.methods:
            raise Refused(
                f"the method `{method}` is not among the granted `http.methods`", methods=[method]
            )
        if self.hosts and not any(_matches(entry, url.host) for entry in self.hosts):
            raise Refused(
                f"the host `{url.host}` is not among the granted `http.hosts`", hosts=[url.host]
            )
        if self.ports and port not in self.ports:
            raise Refused(f"the port {port} is not among the granted `http.ports`", ports=[port])

    def choose(self, host: str, port: int, addresses: Sequence[Address]) -> list[Address]:
        """The addresses a connection to `host` may use, in the given order.

        Raises:
            Refused: none of them may be used.
        """
        allowed = [address for address in addresses if self._allows(address)]
        if not allowed:
            if not addresses:
                raise Refused(f"`{host}` leads to no address")
            shown = str(addresses[0])
            text = f"`{host}` leads to {shown}, which is not public"
            if self.hosts or any(_in(_embedded(address), _METADATA) for address in addresses):
                raise Refused(text, hosts=[shown])
            raise Refused(text, private=True)
        return allowed

    def _allows(self, address: Address) -> bool:
        if any(_covers(entry, address) for entry in self.hosts):
            return True
        effective = _embedded(address)
        if _in(effective, _METADATA):
            return False
        public = effective.is_global and not effective.is_multicast
        return self.private or (public and not _in(effective, _NOT_PUBLIC))


def is_near(address: Address) -> bool:
    """Whether what is sent to an address stays on this machine or in a private network."""
    effective = _embedded(address)
    return _in(effective, _NEAR) and not _in(effective, _METADATA)


def _in(address: Address, networks: Sequence[_Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _embedded(address: Address) -> Address:
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


def _covers(entry: str, address: Address) -> bool:
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
