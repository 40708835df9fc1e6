"""What a user probably meant in a table of capabilities."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.hint import Hint, rewritten
from wasmind_compiler.frontend.key_path import KeyPath, dotted, quoted

_HOST: Final = re.compile(r"[\w*.-]+")


def listed(document: Document, path: KeyPath, value: list[Any]) -> Hint | None:
    """About capabilities in an array."""
    if not value or not all(isinstance(name, str) for name in value):
        return None
    inside = ", ".join(f"{dotted((name,))} = true" for name in value)
    return rewritten(document, path, f"{{ {inside} }}", sure=True)


def bad_value(document: Document, path: KeyPath, value: Any) -> Hint | None:
    """About a value that a key of an `http` table cannot have."""
    if value == []:
        # An empty list would be no limit at all.
        return Hint(help=f"leave `{path[-1]}` out to allow all, or write `http = false`")
    if path[-2] == "methods":
        message = f"`{value}` is not a method of HTTP"
        upper = str(value).strip().upper()
        fix = rewritten(document, path, quoted(upper), sure=True).fix if upper.isalpha() else None
        return Hint(message=message, help="methods are upper case, like `GET`", fix=fix)
    if path[-2] != "hosts":
        return None
    host = host_of(str(value))
    return Hint(
        message=f"`{value}` is not a host",
        help="name a host, `*.example.org`, an address or a network; no scheme, port or path",
        fix=rewritten(document, path, quoted(host)).fix if host else None,
    )


def host_of(text: str) -> str | None:
    """The host of what looks like a URL, or like a host with a port."""
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname
    except ValueError:
        return None
    return host if host and _HOST.fullmatch(host) else None
