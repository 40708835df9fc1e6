"""Keys of providers: read once, shown never."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from wasmind.models.errors import Code, ModelError

#: What providers' keys look like; where one is quoted, most of it is covered.
_LOOKS_SECRET: Final = re.compile(
    r"\b(?:sk-|pk-|rk-|gsk_|xai-|csk-|fw_|hf_|tgp_v1_|AIza)[A-Za-z0-9_\-*.]{8,}"
    r"|(?i:\bbearer\s+)[A-Za-z0-9._~+/=\-]{8,}"
)
_MASK: Final = "***"
_SHORTEST: Final = 6


class Secret:
    """A text that no formatting, logging or pickling gives away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself; for the header of a request and for nothing else."""
        return self._text

    def __repr__(self) -> str:
        return "Secret()"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not to be copied")


def read_secret(source: Mapping[str, Any], variables: Mapping[str, str] | None = None) -> Secret:
    """The secret that `{ env = "NAME" }` or `{ file = "PATH" }` names.

    Raises:
        ModelError: there is none, or it cannot be sent as a header. Names only the source.
    """
    known = os.environ if variables is None else variables
    if "file" in source:
        path = Path(source["file"]).expanduser()
        try:
            return _usable(path.read_text(encoding="utf-8"), f"the file `{path}`")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise _missing(f"cannot read the key file `{path}`: {reason}") from None
    name = source["env"]
    if not known.get(name, "").strip():
        raise _missing(f"the environment variable `{name}` is not set")
    return _usable(known[name], f"the environment variable `{name}`")


def _usable(text: str, source: str) -> Secret:
    text = text.strip()
    if not text:
        raise _missing(f"{source} is empty")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise _missing(f"{source} does not hold a key: it has characters no key has")
    return Secret(text)


def _missing(message: str) -> ModelError:
    return ModelError(401, message, Code.AUTHENTICATION, elsewhere=True)


def masked(text: str, secrets: Iterable[Secret] = ()) -> str:
    """The text without the secrets, and without what looks like one."""
    for secret in secrets:
        if len(secret.reveal()) >= _SHORTEST:
            text = text.replace(secret.reveal(), _MASK)
    return _LOOKS_SECRET.sub(_MASK, text)
