"""Secrets the host adds to requests of actors. They stay in this process' memory."""

from __future__ import annotations

import os
from collections.abc import Sequence

from wasmind.plan import Credential
from wasmind.runtime.errors import RuntimeFailure


class MissingSecret(RuntimeFailure):
    """An environment variable that a credential names is not set."""


class Credentials:
    """Headers by host name, with secrets read from the environment once.

    Args:
        credentials: of the plan.

    Raises:
        MissingSecret: a variable is not set.
    """

    def __init__(self, credentials: Sequence[Credential]) -> None:
        self._headers: dict[str, list[tuple[str, str]]] = {}
        for credential in credentials:
            secret = os.environ.get(credential.variable)
            if not secret:
                raise MissingSecret(
                    f"the environment variable `{credential.variable}`, which holds the "
                    f"credential for `{credential.host}`, is not set"
                )
            entry = (credential.header, credential.prefix + secret)
            self._headers.setdefault(credential.host.lower(), []).append(entry)

    def __repr__(self) -> str:
        return f"Credentials(for {sorted(self._headers)})"

    def for_request(self, scheme: str, host: str) -> Sequence[tuple[str, str]]:
        """Headers for a request; none over plain HTTP, where everybody on the way could read."""
        return self._headers.get(host.lower(), ()) if scheme == "https" else ()
