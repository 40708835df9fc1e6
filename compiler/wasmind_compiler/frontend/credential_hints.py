"""What a user probably meant in a table of `[[run.credentials]]`."""

from __future__ import annotations

from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.grant_hints import host_of
from wasmind_compiler.frontend.hint import Hint, rewritten
from wasmind_compiler.frontend.key_path import KeyPath, dotted, quoted


def bad_value(document: Document, path: KeyPath, value: str) -> Hint | None:
    """About a value that a key of a credential cannot have."""
    if path[-1] in ("host", "header") and not value:
        return Hint(message=f"`{dotted(path)}` must not be empty")
    shown = value if value.isprintable() else quoted(value)
    if path[-1] == "host":
        host = host_of(value)
        return Hint(
            message=f"`{shown}` is not a host name",
            help="name one host; no scheme, port, path or pattern",
            fix=rewritten(document, path, quoted(host)).fix if host and "*" not in host else None,
        )
    if path[-1] == "header":
        return Hint(
            message=f"`{shown}` is not the name of a header",
            help="names of headers have letters, digits and `-`, like `Authorization`",
        )
    if path[-1] == "prefix":
        return Hint(
            message=f"`{dotted(path)}` cannot begin the value of a header",
            help="a header is one line of Latin-1 without a blank before it, like `Bearer `",
        )
    return None
