"""What a user probably meant in a table of `[models]`."""

from __future__ import annotations

import re
from typing import Final

from wasmind.providers import providers
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.hint import Hint, rewritten
from wasmind_compiler.frontend.key_path import KeyPath, quoted

#: Ways in which other tools refer to a variable, each with its name in a group.
_REFERENCES: Final = re.compile(
    r"(?:os\.environ[/.]|\$\{?(?:env:)?|env[:/.]|%)([A-Za-z_][A-Za-z0-9_]*)[}%]?"
)


def literal_key(document: Document, path: KeyPath, value: str) -> Hint:
    """About an `api_key` that is a text: a reference of another tool, or the key itself."""
    found = _REFERENCES.fullmatch(value.strip())
    variable = found.group(1) if found is not None else _variable(document, path)
    written = f"{{ env = {quoted(variable)} }}"
    fix = rewritten(document, path, written, sure=found is not None).fix
    if found is not None:
        return Hint(help=f"write `api_key = {written}`", fix=fix)
    return Hint(
        help=f"write `api_key = {written}` and put the key into the variable `{variable}`; "
        "a key in a config is known to all who can read it",
        fix=fix,
    )


def _variable(document: Document, path: KeyPath) -> str:
    """The usual variable for the key of a model's provider."""
    provider = providers().get(str(document.at((*path[:-1], "kind"))))
    if provider is not None and provider.keys:
        return provider.keys[0]
    return re.sub(r"\W", "_", str(path[1])).upper() + "_API_KEY"
