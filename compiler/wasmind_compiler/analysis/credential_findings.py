"""Credentials that will not be added to requests they seem to be meant for."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from wasmind_compiler.diagnostics import Diagnostic, Label, Span
from wasmind_compiler.diagnostics.rules import secrets
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath
from wasmind_compiler.resolution.graph import Resolution

_PLAIN: Final = re.compile(r"\s*http://(?:[^/?#@\s]*@)?(\[[0-9a-f:.]+\]|[^:/?#\s]+)", re.IGNORECASE)


def sent_in_the_open(resolution: Resolution) -> Iterator[Diagnostic]:
    """Settings of actors with a URL of plain http to the host of a credential."""
    hosts = _hosts(resolution.config.document)
    for actor in resolution.actors.values():
        for path, text in _strings(actor.config.merged, ()):
            found = _PLAIN.match(text)
            host = found.group(1).lower().strip("[]") if found else ""
            if host in hosts and not _may_be_near(host):
                yield secrets.SENT_IN_THE_OPEN.at(
                    actor.config.value(path),
                    f"the credential for `{host}` is not sent over plain http",
                    labels=(Label(hosts[host], "this credential"),),
                    help="use `https://`; over plain http secrets stay on this machine and in "
                    "private networks",
                )


def not_for_models(resolution: Resolution) -> Iterator[Diagnostic]:
    """Models without a key, at the host of a credential."""
    config = resolution.config
    hosts = _hosts(config.document)
    for model in config.models:
        base = model.settings.get("base_url")
        host = _host_of(base) if isinstance(base, str) else ""
        if host in hosts and "api_key" not in model.settings:
            yield secrets.NOT_FOR_MODELS.at(
                config.document.value((*model.name.path, "base_url")),
                f"the credential for `{host}` is not added to requests to the model "
                f"`{model.name.text}`",
                labels=(Label(hosts[host], "this credential"),),
                help='name its variable in the table of the model: `api_key = { env = "…" }`',
            )


def _host_of(url: str) -> str:
    try:
        return urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""  # which is told as what it is


def _hosts(document: Document) -> Mapping[str, Span]:
    """The hosts of all credentials, and where they are named."""
    hosts = {}
    credentials = document.at(("run", "credentials"))
    for index, each in enumerate(credentials if isinstance(credentials, list) else ()):
        host = each.get("host") if isinstance(each, dict) else None
        if isinstance(host, str):
            hosts[host.lower()] = document.value(("run", "credentials", index, "host"))
    return hosts


def _may_be_near(host: str) -> bool:
    """Whether a host may be this machine or in a private network, as far as its name says.

    A name without a dot, or below `local` and the like, is one of a private network.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal", ".lan"))
    return address.is_loopback or (address.is_private and not address.is_link_local)


def _strings(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*path, index))
