"""Base URLs of endpoints as people paste them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

_SCHEMES: Final = ("http", "https")
#: What an endpoint's address ends with, in the order to take it off.
_ENDPOINTS: Final = ("/chat/completions", "/completions", "/responses", "/messages", "/models")
#: A path with one of these says itself where the API begins.
_VERSION: Final = re.compile(r"/(v\d+\w*|openai)(/|$)")
_ANYWHERE: Final = ("0.0.0.0", "[::]")  # noqa: S104 - where servers listen, not where we do


def faults(text: str) -> Iterator[str]:
    """What is wrong with a base URL, for people; nothing if it can be used."""
    if text != text.strip() or re.search(r"\s", text):
        yield "it contains blanks"
        return
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises for what is not a port
    except ValueError as error:
        yield f"it is not a URL: {error}"
        return
    if "://" not in text:
        yield "the scheme is missing: write `https://` before it, or `http://`"
    elif parts.scheme.lower() not in _SCHEMES:
        yield f"`{parts.scheme}` is not `http` or `https`"
    elif not parts.hostname:
        yield "the host is missing"
    if parts.query or parts.fragment:
        yield "a query or fragment has no place in it"
    if parts.username is not None or parts.password is not None:
        yield "a user name or password has no place in it: give `api_key` or `headers`"


def root_of(text: str) -> str:
    """The root that `/chat/completions` is put after.

    The address of an endpoint, a slash at the end, and a missing `/v1` are made good; a path with
    a version of its own, like `/v1beta/openai`, is kept.
    """
    base = text.strip().rstrip("/")
    for endpoint in _ENDPOINTS:
        base = base.removesuffix(endpoint)
    base = base.rstrip("/")
    path = urlsplit(base).path
    return base if _VERSION.search(path) else f"{base}/v1"


def from_variable(text: str, default: str) -> str:
    """A base URL out of a variable that may hold just a host, like `OLLAMA_HOST`."""
    text = text.strip()
    if "://" in text:
        return text
    scheme, _, usual = default.partition("://")
    host, colon, port = text.partition(":")
    if text.startswith("["):
        host, _, port = text.partition("]")
        host, colon, port = f"{host}]", port[:1], port[1:]
    if not colon or not port:
        port = str(urlsplit(default).port or "")
    host = "127.0.0.1" if host in ("", *_ANYWHERE) else host
    _, slash, path = usual.partition("/")
    return f"{scheme or 'http'}://{host}{f':{port}' if port else ''}{slash}{path}"
