"""Secrets the host adds to requests of actors. They stay in this process' memory."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from wasmind.plan import Credential
from wasmind.records import Record
from wasmind.runtime.errors import RuntimeFailure

if TYPE_CHECKING:
    from wasmind.runtime.host.egress import Address

#: RFC 9110, section 5.5: visible characters, the rest of Latin-1, and blanks between them.
_NOT_IN_HEADER: Final = re.compile(r"[^\t\x20-\x7e\x80-\xff]|[\x80-\x9f]")
_QUOTES: Final = ('"', "'", "`")
_COVER: Final = "***"
#: Below this a secret is none, and covering it would garble texts.
_SHORTEST: Final = 6


class MissingSecret(RuntimeFailure):
    """An environment variable that a credential names is not set."""


class UnusableSecret(RuntimeFailure):
    """What an environment variable holds cannot be sent in a header; the text never quotes it."""


class Sealed(Record):
    """What is added to one request.

    Attributes:
        headers: name and value.
        withheld: why there are none although the host has a credential; said once for each host.
    """

    headers: tuple[tuple[str, str], ...] = ()
    withheld: str | None = None


class Credentials:
    """Headers by host name, with secrets read from the environment once.

    Args:
        credentials: of the plan.

    Raises:
        MissingSecret: a variable is not set.
        UnusableSecret: a variable holds what no header can have.
    """

    def __init__(self, credentials: Sequence[Credential]) -> None:
        self._headers: dict[str, list[tuple[str, str]]] = {}
        self._variables: dict[str, str] = {}
        self._told: set[str] = set()
        secrets: set[str] = set()
        for credential in credentials:
            secret = _secret(credential)
            host = credential.host.lower()
            secrets.add(secret)
            self._variables.setdefault(host, credential.variable)
            entry = (credential.header, credential.prefix + secret)
            self._headers.setdefault(host, []).append(entry)
        # As libraries quote them: `repr` escapes a backslash and what is not ASCII.
        quoted = {repr(secret)[1:-1] for secret in secrets}
        quoted |= {repr(secret.encode("latin-1"))[2:-1] for secret in secrets}
        self._secrets = sorted(secrets | quoted, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Credentials(for {sorted(self._headers)})"

    def for_request(self, scheme: str, host: str, address: Address) -> Sealed:
        """Headers for a request.

        Args:
            scheme: `http` or `https`.
            host: as the URL names it.
            address: where the connection leads. Over plain HTTP everybody on the way could read,
                so there it has to be this machine or a private network.
        """
        host = host.lower().strip("[]")
        headers = self._headers.get(host, ())
        if not headers or scheme == "https":
            return Sealed(tuple(headers))
        from wasmind.runtime.host.egress import is_near

        if is_near(address):
            return Sealed(tuple(headers))
        if host in self._told:
            return Sealed()
        self._told.add(host)
        variable = self._variables[host]
        return Sealed(
            withheld=f"the credential in `{variable}` was not added to a request to `{host}`: "
            "plain http to a public address can be read on the way; use `https://`"
        )

    def masked(self, text: str) -> str:
        """A text without the secrets; short ones, which words could contain, are left alone."""
        for secret in self._secrets:
            if len(secret) >= _SHORTEST and secret in text:
                text = text.replace(secret, _COVER)
        return text

    def masked_bytes(self, data: bytes) -> bytes:
        """The same for what a server sent: some quote the key they were given."""
        for secret in self._secrets:
            if len(secret) >= _SHORTEST:
                data = data.replace(secret.encode("latin-1"), _COVER.encode())
        return data


def _secret(credential: Credential) -> str:
    """The value of the variable, without the blanks and line ends that files and shells leave."""
    variable = f"the environment variable `{credential.variable}`"
    purpose = f"which holds the credential for `{credential.host}`"
    secret = os.environ.get(credential.variable, "").strip()
    if not secret:
        state = "is empty" if credential.variable in os.environ else "is not set"
        raise MissingSecret(f"{variable}, {purpose}, {state}")
    if found := _NOT_IN_HEADER.search(secret):
        place = f"character {found.start() + 1} of it is {_kind(found.group())}"
        raise UnusableSecret(f"{variable}, {purpose}, cannot be sent in a header: {place}")
    if secret[0] in _QUOTES and secret[-1] == secret[0]:
        raise UnusableSecret(f"{variable}, {purpose}, is in quotes; set it without them")
    return secret


def _kind(character: str) -> str:
    if character in "\r\n":
        return "a line end"
    if character < "\x20" or "\x7f" <= character < "\xa0":
        return "a control character"
    if "\ud800" <= character <= "\udfff":
        return "not UTF-8"
    return "not in Latin-1, such as a typographic quote"
