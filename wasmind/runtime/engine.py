"""The wasmtime engine: compiles components, keeps the result, and lets time pass for guests.

Native code is made on this machine and kept in the user's cache only. Its key holds everything
that went into it; wasmtime checks version, settings and CPU once more when it maps the file.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

import wasmtime
from wasmtime import Config, WasmtimeError
from wasmtime.component import Component

from wasmind.last_use import mark_used
from wasmind.plan import OLDEST_ENGINE
from wasmind.runtime.errors import EngineError

#: Length of an epoch; the precision of compute limits.
TICK_SECONDS: Final = 0.01

# Part of the cache key: change it together with the settings in `_config`.
_SETTINGS: Final = "epochs;guarded-memory"


def _config() -> Config:
    config = Config()
    config.epoch_interruption = True
    config.wasm_component_model = True
    # Backtraces would need it; guests report their own tracebacks.
    config.native_unwind_info = False
    return config


class Engine:
    """Shared by all guests of a process; safe to use from several threads.

    Args:
        cache: the user's cache folder; native code goes below `native/`.
        report: called with a line of text before a compilation that takes seconds.
    """

    def __init__(self, cache: Path, report: Report | None = None) -> None:
        self.native = wasmtime.Engine(_config())
        self._folder = cache / "native"
        self._report = report
        self._clock = _Clock(self.native)
        self._lock = threading.Lock()
        self._components: dict[str, Component] = {}

    @property
    def ticks(self) -> int:
        """Epochs that have passed while guests ran."""
        return self._clock.ticks

    @contextmanager
    def running(self) -> Iterator[None]:
        """While a guest runs, epochs pass."""
        self._clock.enter()
        try:
            yield
        finally:
            self._clock.leave()

    def component(self, path: Path, digest: str) -> Component:
        """The compiled component, from memory, from the cache, or compiled now.

        Args:
            path: the component's file.
            digest: its sha256 in hex.

        Raises:
            EngineError: not a component, one wasmtime refuses, or one with another digest.
        """
        with self._lock:
            if digest not in self._components:
                self._components[digest] = self._load(path, digest)
            return self._components[digest]

    def close(self) -> None:
        """Stop the clock. Compiled code goes with the last guest that uses it."""
        self._clock.stop()

    def _load(self, path: Path, digest: str) -> Component:
        kept = self._folder / f"{native_name(digest)}.cwasm"
        if found := self._map(kept):
            return found
        from filelock import FileLock  # here, because most runs find the native code

        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(kept.with_suffix(".lock")):
            # Another process may have compiled it while this one waited for the lock.
            return self._map(kept) or self._compile(path, digest, kept)

    def _map(self, kept: Path) -> Component | None:
        if not kept.is_file():
            return None
        mark_used(kept)
        try:
            return Component.deserialize_file(self.native, str(kept))
        except WasmtimeError:
            return None  # another CPU, another build, or torn: compiled anew and replaced

    def _compile(self, path: Path, digest: str, kept: Path) -> Component:
        if self._report:
            self._report("Compiling", f"{path.name[:12]} to native code, once per machine")
        code = path.read_bytes()
        if hashlib.sha256(code).hexdigest() != digest:
            raise EngineError(f"`{path.name}` is not what it was: it has another digest")
        _require_component(code, path)
        try:
            component = Component(self.native, code)
        except WasmtimeError as error:
            raise EngineError(f"`{path.name}` is not a valid component: {error}") from None
        _keep(component.serialize(), kept)
        return component


def _keep(code: bytearray, kept: Path) -> None:
    """Put native code into the cache; where that is full or read-only, it is made again."""
    aside = kept.with_name(f"{kept.name}.{os.getpid()}.tmp")
    try:
        aside.write_bytes(code)
        aside.replace(kept)
    except OSError:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def require_engine(oldest: str) -> None:
    """Make sure that the installed wasmtime is new enough.

    Args:
        oldest: as the plan names it.

    Raises:
        EngineError: it is not, or older than any plan may run on; says what to do.
    """
    needed, found = max(oldest, OLDEST_ENGINE, key=_numbers), _wasmtime_version()
    if _numbers(found) < _numbers(needed):
        raise EngineError(
            f"this needs wasmtime {needed} or newer, and {found} is installed; older ones let "
            "guests do what they should not: `pip install --upgrade wasmind wasmtime`"
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", version)[:3])


class Report(Protocol):
    """Something that shows a verb and what it is done to."""

    def __call__(self, verb: str, text: str) -> None:
        """Show it."""


def _require_component(code: bytes, path: Path) -> None:
    if code[:8] == b"\0asm\x01\0\0\0":
        raise EngineError(f"`{path.name}` is a core module; an actor must be a component")
    if code[:4] != b"\0asm":
        raise EngineError(f"`{path.name}` is not WebAssembly")


def native_name(digest: str) -> str:
    """Names the native code of the component with that sha256, in hex."""
    facts = (digest, _wasmtime_version(), _SETTINGS, platform.machine(), platform.system())
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()


def _wasmtime_version() -> str:
    # importlib.metadata would take longer to import than wasmtime does.
    site = Path(wasmtime.__file__).parent.parent
    found = sorted(path.name for path in site.glob("wasmtime-*.dist-info"))
    if found:
        return found[-1].removesuffix(".dist-info").partition("-")[2]
    from importlib.metadata import version

    return version("wasmtime")


class _Clock:
    """Advances the engine's epoch while at least one guest runs, and sleeps otherwise."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        self.ticks = 0
        self._engine = engine
        self._wake = threading.Condition()
        self._running = 0
        self._stopped = False
        self._thread: threading.Thread | None = None

    def enter(self) -> None:
        with self._wake:
            self._running += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="epochs", daemon=True)
                self._thread.start()
            self._wake.notify()

    def leave(self) -> None:
        with self._wake:
            self._running -= 1

    def stop(self) -> None:
        with self._wake:
            self._stopped = True
            self._wake.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._running and not self._stopped:
                    self._wake.wait()
                if self._stopped:
                    return
            time.sleep(TICK_SECONDS)
            self.ticks += 1
            self._engine.increment_epoch()
