"""Whether an actor may reach the endpoint that its own config names; what a run would refuse.

The same judgement as `wasmind.runtime.host.egress` makes of a request, which the compiler may not
import, as far as it follows from the text: names are not looked up.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from wasmind_compiler.diagnostics import Diagnostic
from wasmind_compiler.diagnostics.rules import models
from wasmind_compiler.resolution.graph import ResolvedActor

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_HOST: Final = re.compile(r"[\w.:-]+")
#: Names that always mean this machine (RFC 6761).
_THIS_MACHINE: Final = ("127.0.0.1", "::1")


def check_endpoint(actor: ResolvedActor, http: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Report a `base_url` that the grant of `http` does not cover, as far as its host tells.

    Args:
        actor: its config has a `base_url`.
        http: the table that narrows its requests; empty for the usual one.
    """
    base = actor.config.merged.get("base_url")
    host = _host_of(base) if isinstance(base, str) else None
    if host is None:
        return
    hosts: Sequence[str] = http.get("hosts", ())
    addresses = _addresses(host)
    named = any(_names(entry, host, addresses) for entry in hosts)
    if hosts and not named:
        reason, added = f"`{host}` is not among the granted `http.hosts`", f'hosts = ["{host}"]'
    elif not named and not http.get("private") and addresses and not _any_public(addresses):
        reason, added = f"`{host}` is not a public address", "private = true"
    else:
        return
    yield models.OUT_OF_REACH.at(
        actor.config.value(("base_url",)),
        f"`{actor.name}` may not reach its endpoint: {reason}",
        help=f"add `{added}` to `http` in the `grants` of `{actor.name}`; a table of grants is the "
        "whole of what is granted",
    )


def _host_of(url: str) -> str | None:
    try:
        host = (urlsplit(url.strip()).hostname or "").lower()
    except ValueError:
        return None  # which is told as what it is
    # Anything else is a pattern of the actor's own, such as `http://{region}.example.org`.
    return host if _HOST.fullmatch(host) else None


def _addresses(host: str) -> tuple[_Address, ...]:
    """What a host leads to; nothing for names that only the network knows."""
    if host == "localhost" or host.endswith(".localhost"):
        return tuple(ipaddress.ip_address(each) for each in _THIS_MACHINE)
    try:
        return (ipaddress.ip_address(host),)
    except ValueError:
        return ()


def _any_public(addresses: Sequence[_Address]) -> bool:
    return any(each.is_global and not each.is_multicast for each in addresses)


def _names(entry: str, host: str, addresses: Sequence[_Address]) -> bool:
    """Whether an entry of `http.hosts` covers the host."""
    if fnmatch.fnmatchcase(host, entry.lower()):
        return True
    if entry.lower() == "localhost":
        return any(each.is_loopback for each in addresses)
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
    return any(each.version == network.version and each in network for each in addresses)
