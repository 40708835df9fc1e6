"""A LiteLLM proxy that belongs to one run: started with the first call, restarted if it dies.

The configuration is a private file that only names variables; their values travel in the child's
environment, which has nothing else that is secret. A master key is made for every run, so no other
process of the machine can spend the user's money through the port.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Protocol

from wasmind.litellm_program import Program, ProxyError, find_program

_LEASH: Final = Path(__file__).with_name("leash.py")
_READY_SECONDS: Final = 180.0
_PROBE_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.1
_END_SECONDS: Final = 8.0
_REPORT_EVERY: Final = 2.0
_LAST_LINES: Final = 20
_MOST_STARTS: Final = 4
_REFERENCE: Final = re.compile(r"os\.environ/([A-Za-z_][A-Za-z0-9_]*)")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
#: What LiteLLM prints at every start and what explains nothing.
_BANNER: Final = re.compile(r"#|Thank you for using|Give Feedback|[ █╗╔═║╚╝]+$")
#: What a program needs to run at all; nothing of it is secret.
_PLAIN: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SYSTEMROOT")
#: LiteLLM would fetch prices, report usage, and look for a database otherwise.
_SWITCHES: Final = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_TELEMETRY": "False",
    "DISABLE_ADMIN_UI": "True",
    "NO_DOCS": "True",
    "PYTHONUNBUFFERED": "1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySettings:
    """`[litellm]` of a config.

    Attributes:
        models: `{"model_name", "litellm_params"}` of each entry that the proxy answers.
        port: where it listens, if that port is free; else any free one.
        command: how to start it, instead of looking for it.
        image: of a container, for machines without LiteLLM.
        container_name: how the container's name begins.
        env_overrides: variables to add to the proxy's environment.
    """

    models: tuple[Mapping[str, Any], ...]
    port: int = 4000
    command: tuple[str, ...] = ()
    image: str | None = None
    container_name: str = "wasmind-litellm"
    env_overrides: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Address:
    """Where the proxy answers, without `/v1`, and the key it wants; the key is never shown."""

    base_url: str
    key: str

    def __repr__(self) -> str:
        return f"Address({self.base_url!r})"


class Probe(Protocol):
    """Asks a server a question over HTTP."""

    def __call__(self, url: str, key: str) -> int:
        """The status of a GET with `key` as bearer; raises OSError without an answer."""


class Proxy:
    """The proxy of a run. All methods may be called from any thread.

    Args:
        settings: what to serve.
        variables: the environment of the run.
        report: told, for people, what is going on while it starts.
        probe: asks whether it is ready.
    """

    def __init__(
        self,
        settings: ProxySettings,
        variables: Mapping[str, str],
        report: Callable[[str], None],
        probe: Probe,
    ) -> None:
        self._settings = settings
        self._report = report
        self._probe = probe
        self._key = "sk-" + secrets.token_urlsafe(24)
        self._environment = environment(settings, variables, self._key)
        self._hidden = _hidden(settings, self._environment)
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._starts = 0
        self._closed = threading.Event()

    def address(self) -> Address:
        """Where it answers; starts it first if it is not running, which takes some seconds.

        Raises:
            ProxyError: it cannot be started, or keeps ending.
        """
        with self._lock:
            if self._child is None or not self._child.is_running():
                self._child = self._start()
            return self._child.address

    def prepare(self) -> None:
        """Begin to start it, on a thread of its own; whoever asks first waits for it."""
        threading.Thread(target=self._start_early, name="litellm start", daemon=True).start()

    def _start_early(self) -> None:
        try:
            self.address()
        except ProxyError as error:
            if not self._closed.is_set():
                self._report(str(error))

    def ended(self) -> str | None:
        """If it ended by itself: a sentence with its last lines. None while it runs."""
        child = self._child
        return None if child is None or child.is_running() else self._obituary(child)

    def close(self) -> None:
        """End it; safe to repeat. A start that is under way is given up."""
        self._closed.set()
        with self._lock:
            if self._child is not None:
                self._child.end()
                self._child = None

    def _start(self) -> _Child:
        if self._closed.is_set():
            raise ProxyError("the run has ended")
        if self._child is not None:
            self._report(f"{self._child.ending()}; starting it again")
            self._child.end()
        if self._starts >= _MOST_STARTS:
            last = "" if self._child is None else f": {self._obituary(self._child)}"
            raise ProxyError(f"the LiteLLM proxy ended {self._starts} times{last}")
        self._starts += 1
        settings = self._settings
        container = f"{settings.container_name}-{secrets.token_hex(4)}"
        program = find_program(
            settings.command, settings.image, container, self._environment.get("PATH")
        )
        child = _Child(program, settings, self._environment, self._key, self._hidden)
        try:
            self._wait(child, program)
        except BaseException:
            child.end()
            raise
        return child

    def _wait(self, child: _Child, program: Program) -> None:
        began = time.monotonic()
        told = began
        self._report(f"starting the LiteLLM proxy ({program.name})")
        while not self._is_ready(child):
            now = time.monotonic()
            if not child.is_running():
                raise ProxyError(self._obituary(child))
            if now - began > _READY_SECONDS:
                raise ProxyError(
                    f"the LiteLLM proxy is not ready after {_READY_SECONDS:.0f} s"
                    f"{child.shown_lines()}"
                )
            if now - told >= _REPORT_EVERY:
                told = now
                self._report(f"the LiteLLM proxy is starting ({now - began:.0f} s)")
            if self._closed.wait(_POLL_SECONDS):
                raise ProxyError("the run has ended")
        self._report(f"the LiteLLM proxy is ready after {time.monotonic() - began:.0f} s")

    def _is_ready(self, child: _Child) -> bool:
        url = child.address.base_url
        try:
            if self._probe(f"{url}/health/readiness", self._key) != 200:
                return False
            # Somebody else's server on this port would not know our key.
            status = self._probe(f"{url}/v1/models", self._key)
        except OSError:
            return False
        if status != 200:
            raise ProxyError(f"the LiteLLM proxy refuses its own key (status {status})")
        return True

    @staticmethod
    def _obituary(child: _Child) -> str:
        return f"{child.ending()}{child.shown_lines()}"


class _Child:
    """One process of the proxy, on its leash."""

    def __init__(
        self,
        program: Program,
        settings: ProxySettings,
        environment: Mapping[str, str],
        key: str,
        hidden: Sequence[str],
    ) -> None:
        port = free_port(settings.port)
        self.address = Address(f"http://127.0.0.1:{port}", key)
        self._hidden = hidden
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._folder = folder = Path(tempfile.mkdtemp(prefix="wasmind-litellm-"))  # mode 0700
        config = folder / "config.yaml"
        # JSON is YAML, without any of its surprises.
        config.write_text(json.dumps({"model_list": list(settings.models)}), encoding="utf-8")
        names = [name for name in environment if name not in _PLAIN]
        command = program.command(config, port, names)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LEASH), str(folder), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stdout,), name="litellm output", daemon=True
        )
        self._reader.start()

    def is_running(self) -> bool:
        return self._process.poll() is None

    def ending(self) -> str:
        """That it ended, and how."""
        status = self._process.poll() or 0
        signal = status - 128 if status > 128 else -status
        how = f"was killed by signal {signal}" if signal > 0 else f"ended with status {status}"
        return f"the LiteLLM proxy {how}"

    def shown_lines(self) -> str:
        """Its last lines with secrets masked, as the end of a sentence."""
        if not self.is_running():
            self._reader.join(1.0)  # the last lines explain most
        text = "\n".join(self._lines)
        for secret in self._hidden:
            text = text.replace(secret, "***")
        return f"; it said last:\n{text}" if text else ""

    def end(self) -> None:
        """Close its leash and wait until it is gone."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)  # in case the leash itself was killed

    def _read(self, output: IO[bytes]) -> None:
        with output:
            for raw in _bounded(output):
                line = _COLOUR.sub("", raw.decode("utf-8", "replace")).strip()
                if line and not _BANNER.match(line):
                    self._lines.append(line)


def _bounded(output: IO[bytes]) -> Iterator[bytes]:
    """Lines of at most 4 kB, whatever the program writes."""
    while line := output.readline(4096):
        yield line


def environment(settings: ProxySettings, variables: Mapping[str, str], key: str) -> dict[str, str]:
    """The proxy's whole environment: what programs need, what its models name, our switches.

    `HOST` and `PORT` would override its command line, and `DATABASE_URL` would make it look for a
    database, so a model that names one of those does not get it.
    """
    named = {name for model in settings.models for name in _names(model.get("litellm_params"))}
    wanted = [*_PLAIN, *sorted(named)]
    chosen = {name: variables[name] for name in wanted if variables.get(name)}
    chosen |= dict(settings.env_overrides)
    for name in ("HOST", "PORT", "DATABASE_URL"):
        chosen.pop(name, None)
    return {**chosen, **_SWITCHES, "LITELLM_MASTER_KEY": key}


def _names(value: Any) -> Iterator[str]:
    """Variables that `os.environ/NAME` anywhere in a value refers to."""
    if isinstance(value, str):
        yield from _REFERENCE.findall(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _names(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _names(item)


def _hidden(settings: ProxySettings, chosen: Mapping[str, str]) -> tuple[str, ...]:
    """Texts never to be shown, the longest first, so that none is left in part."""
    values = {text for name, text in chosen.items() if name not in _PLAIN and name not in _SWITCHES}
    values |= {
        str(text)
        for model in settings.models
        for name, text in dict(model.get("litellm_params") or {}).items()
        if "key" in name or "token" in name or "secret" in name or "password" in name
    }
    return tuple(sorted((text for text in values if len(text) > 5), key=len, reverse=True))


def free_port(wanted: int) -> int:
    """`wanted` if nothing listens there, else a port that the system chooses."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            if os.name == "posix":  # a port in TIME_WAIT is free
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise ProxyError("no free port on the loopback interface")
