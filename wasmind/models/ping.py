"""Asking models whether they are there: a look at ports of this machine, or one tiny request."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from wasmind.models.errors import Code, ModelError
from wasmind.models.litellm.upstream import ProxiedModel
from wasmind.models.resolve import Directory
from wasmind.models.upstream import Stop, Watch
from wasmind.plan import Model

#: Some providers refuse to be asked for less.
_TOKENS: Final = 16
_REQUEST: Final[Mapping[str, Any]] = {
    "messages": [{"role": "user", "content": "Say hi."}],
    "max_tokens": _TOKENS,
}
_LONGEST: Final = 60.0
#: A proxy may take so long to start.
_PROXY_SECONDS: Final = 180.0
_TELL_EVERY: Final = 2.0
_CONNECT_SECONDS: Final = 1.0
_MOST_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Pong:
    """What came of a request.

    Attributes:
        seconds: to the last byte.
        first_token: seconds to the first piece of an answer that was streamed.
        problem: why there is no answer, in the provider's words.
    """

    seconds: float
    first_token: float | None = None
    problem: str | None = None


def ping(
    models: Sequence[Model],
    report: Callable[[str], None],
    waiting: Callable[[str], None],
    longest: float = _LONGEST,
) -> Mapping[str, Pong]:
    """Send one tiny request to each model, all at once and without retries.

    Args:
        models: with different names.
        report: told, for people, how the start of a proxy goes on.
        waiting: told, every other second, who has not answered yet.
        longest: seconds after which those have not answered; more where a proxy has to start.

    Returns:
        What came, by name.

    Raises:
        UnusableModel: a model cannot be asked at all.
    """
    from concurrent.futures import ThreadPoolExecutor, wait

    directory, cancelled = Directory(models, report=report), threading.Event()
    with ThreadPoolExecutor(max_workers=_MOST_AT_ONCE) as pool:
        try:
            asked = {
                pool.submit(_ask, directory, model.name, cancelled): model.name for model in models
            }
            proxied = any(model.kind == "litellm" for model in models)
            deadline = time.monotonic() + longest + (_PROXY_SECONDS if proxied else 0)
            missing = set(asked)
            while missing and (left := deadline - time.monotonic()) > 0:
                missing = wait(missing, min(_TELL_EVERY, left)).not_done
                if missing:
                    waiting(f"waiting for {', '.join(sorted(asked[each] for each in missing))}")
        finally:
            # Also before the pool waits for its threads: a proxy that is starting is given up.
            cancelled.set()
            directory.close()
        return {name: each.result() for each, name in asked.items()}


def _ask(directory: Directory, name: str, cancelled: threading.Event) -> Pong:
    watch = Watch(cancelled=Stop(cancelled), largest=1 << 20, most_tokens=_TOKENS)
    started = time.monotonic()
    try:
        upstream = directory.first(name).upstream
        if isinstance(upstream, ProxiedModel):
            upstream.start(watch)
            started = time.monotonic()  # what the proxy takes to start is not the model's
        upstream.ask(_REQUEST, watch)
    except ModelError as error:
        seconds = time.monotonic() - started
        late = error.code is Code.CANCELLED
        return Pong(seconds, problem=f"no answer within {seconds:.0f} s" if late else str(error))
    seconds = time.monotonic() - started
    first = None if watch.first_token is None else watch.first_token - started
    return Pong(seconds, first)


def is_silent(url: str) -> bool:
    """Whether a URL is one of this machine, and nothing listens there."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not _is_here(host):
        return False
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), _CONNECT_SECONDS).close()
    except OSError:
        return True
    return False


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
