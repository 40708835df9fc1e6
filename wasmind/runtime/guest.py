"""One running instance of a component: its store, its limits and the calls into it.

A guest is used by one thread at a time. After a failure it is dead: the component model refuses to
enter an instance again once it trapped.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from wasmtime import Store, WasiConfig, WasmtimeError
from wasmtime import _ffi as ffi

from wasmind.plan import Limits
from wasmind.runtime import abi
from wasmind.runtime.engine import TICK_SECONDS, Engine
from wasmind.runtime.errors import EngineError, GuestFailure, LimitExceeded
from wasmind.runtime.host import door
from wasmind.runtime.host.door import Host
from wasmind.runtime.host.filesystem import granted_folders
from wasmind.runtime.linking import ACTOR_INTERFACE, Export, Linked
from wasmind.runtime.memory import ADDRESS_SPACE, Footprint

_MIB: Final = 1 << 20
_CONSTRUCTOR: Final = "[constructor]actor"
_HANDLE: Final = "[method]actor.handle-message"
_DESTRUCTOR: Final = "[method]actor.destructor"
_NO_MEMORY: Final = "(os error 12)"
_INTERRUPTED: Final = "wasm trap: interrupt"

# Without giving up the GIL, which a call this short would only have to wait for.
_set_epoch_deadline: Final = ctypes.PyDLL(ffi.dll._name).wasmtime_context_set_epoch_deadline
_set_epoch_deadline.argtypes = [ctypes.c_void_p, ctypes.c_uint64]
_set_epoch_deadline.restype = None


class Stopwatch:
    """Measures a guest's own time in epochs; halted while the guest is in a host function."""

    def __init__(self, engine: Engine, store: Store, seconds: float) -> None:
        self._engine = engine
        self._context = ctypes.cast(store._context(), ctypes.c_void_p)
        self._budget = max(1, round(seconds / TICK_SECONDS))
        self._left = self._budget
        self._since = 0

    def start(self) -> None:
        """A new call into the guest begins, with the whole budget."""
        self._left = self._budget
        self.resume()

    def halt(self) -> None:
        """The guest left for the host."""
        self._left -= self._engine.ticks - self._since

    def used_up(self) -> bool:
        """Whether the guest had all of its time; otherwise somebody else interrupted it."""
        return self._engine.ticks - self._since >= self._left

    def resume(self) -> None:
        """The guest goes on with what is left; at least one tick, so that it can finish."""
        self._since = self._engine.ticks
        _set_epoch_deadline(self._context, max(1, self._left))


class Guest:
    """An instance of a component, not yet an actor until `construct` is called.

    Args:
        engine: the engine the component was compiled with.
        linked: the component with its imports defined.
        host: what the guest's imports act on.
        limits: memory and compute time it may use.
        weighed: whether anybody will ask for `private_bytes`, which takes a millisecond to prepare.

    Raises:
        EngineError: the component cannot be instantiated.
    """

    def __init__(
        self, engine: Engine, linked: Linked, host: Host, limits: Limits, *, weighed: bool = True
    ) -> None:
        self.host = host
        self._engine = engine
        self._linked = linked
        self._limits = limits
        self._store = Store(engine.native)
        self._context = self._store._context()
        self._store.set_limits(memory_size=limits.memory_mib * _MIB)
        if linked.files:
            self._store.set_wasi(_wasi_files(host))
        self._watch = Stopwatch(engine, self._store, limits.compute_seconds)
        self._functions: dict[str, Any] = {}
        self._handle: abi.GuestHandle | None = None
        self._keep: list[abi.Value] = []
        self._message_arguments: Any = None
        self._footprint = footprint = Footprint(limits.memory_mib * _MIB)
        weighing = ADDRESS_SPACE.instantiating(footprint) if weighed else nullcontext()
        try:
            with engine.running(), self._at_the_door(), weighing:
                self._instance = linked.linker.instantiate(self._store, linked.component)
        except (WasmtimeError, abi.NativeError) as error:
            failure = self._failure(str(error))
            self.close()
            raise EngineError(f"cannot instantiate the component: {failure.reason}") from None

    def construct(self, scope: str, config: str) -> None:
        """Run the actor's constructor.

        Raises:
            GuestFailure: it trapped or used too much.
            EngineError: the component is no actor.
        """
        for name in (_CONSTRUCTOR, _HANDLE, _DESTRUCTOR):
            if name not in self._linked.actor:
                raise EngineError(f"the component does not export `{name}` of `{ACTOR_INTERFACE}`")
        export = self._linked.actor[_CONSTRUCTOR]
        self._handle = self._call(export, _CONSTRUCTOR, [scope, config])
        own = abi.Value(self._linked.actor[_HANDLE].signature.parameters[0], self._handle)
        self._keep = [own]
        self._message_arguments = abi.arguments_of([own, own])

    def envelope_shape(self) -> abi.Shape:
        """The shape of `message-envelope`; the same for all actors."""
        return self._linked.actor[_HANDLE].signature.parameters[1]

    def handle(self, message: abi.Value, message_id: str) -> None:
        """Give the actor one message, lowered with `envelope_shape`.

        The caller holds `Engine.running`; entering it for every message would cost as much as the
        call.

        Raises:
            GuestFailure: it trapped or used too much; the guest is dead now.
        """
        arguments = self._message_arguments
        ctypes.memmove(ctypes.byref(arguments, abi.VALUE_SIZE), message.image, abi.VALUE_SIZE)
        self.host.message_id = message_id
        try:
            self._run(self._linked.actor[_HANDLE], _HANDLE, arguments)
        finally:
            self.host.message_id = None

    def destruct(self) -> None:
        """Let the actor clean up.

        Raises:
            GuestFailure: it trapped or used too much.
        """
        if self._handle is not None:
            self._call(self._linked.actor[_DESTRUCTOR], _DESTRUCTOR, [self._handle])

    def call_contract(self, name: str, arguments: Sequence[Any]) -> Any:
        """Call a function of the contract interface.

        Raises:
            GuestFailure: it trapped or used too much.
            EngineError: the component has no contract.
        """
        export = self._linked.contract.get(name)
        if export is None:
            raise EngineError(f"the component exports no contract function `{name}`")
        return self._call(export, f"contract.{name}", arguments)

    def private_bytes(self) -> int:
        """Memory that only this guest has, while it lives; 0 where that is not known."""
        return self._footprint.private_bytes()

    def close(self) -> None:
        """Free the instance's memory; safe to repeat."""
        self._handle = None
        self._keep.clear()
        self._store.close()
        ADDRESS_SPACE.forget(self._footprint)

    def __enter__(self) -> Guest:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _call(self, export: Export, name: str, arguments: Sequence[Any]) -> Any:
        values = [
            abi.Value(shape, argument)
            for shape, argument in zip(export.signature.parameters, arguments, strict=True)
        ]
        return self._enter(export, name, abi.arguments_of(values))

    def _enter(self, export: Export, name: str, arguments: Any) -> Any:
        with self._engine.running():
            return self._run(export, name, arguments)

    def _run(self, export: Export, name: str, arguments: Any) -> Any:
        function = self._function(export, name)
        self.host.failure = None
        outer = door.enter(self.host, self._watch)
        self._watch.start()
        try:
            return abi.call(function, self._context, export.signature, arguments)
        except abi.NativeError as error:
            raise self._failure(str(error)) from None
        finally:
            door.leave(outer)

    def _function(self, export: Export, name: str) -> Any:
        if name not in self._functions:
            found = self._instance.get_func(self._store, export.index)
            if found is None:
                raise EngineError(f"the component does not export `{name}`")
            self._functions[name] = found._func
        return self._functions[name]

    @contextmanager
    def _at_the_door(self) -> Iterator[None]:
        """While a guest runs, host calls on this thread are its own."""
        outer = door.enter(self.host, self._watch)
        self._watch.start()
        try:
            yield
        finally:
            door.leave(outer)

    def _failure(self, text: str) -> GuestFailure:
        """What to tell about an error of wasmtime's."""
        traceback = _without_panic(self.host.output.decode("utf-8", "replace"))
        self.host.output.clear()
        if _INTERRUPTED in text and not self._watch.used_up():
            return GuestFailure("interrupted while it computed: the system is stopping", traceback)
        if _INTERRUPTED in text:
            seconds = self._limits.compute_seconds
            return LimitExceeded(
                f"computed for more than {seconds:g} s on one call (limit `compute_seconds`)",
                traceback,
            )
        if self.host.failure is not None:
            return GuestFailure(str(self.host.failure), traceback)
        if _NO_MEMORY in text:
            return GuestFailure(_refused_memory(), traceback)
        if "MemoryError" in traceback or "memory" in _root_cause(text):
            limit = f"{self._limits.memory_mib} MiB (limit `memory_mib`)"
            return LimitExceeded(f"ran out of its memory of {limit}", traceback)
        return GuestFailure(_last_line(traceback) or _root_cause(text), traceback)


def _wasi_files(host: Host) -> WasiConfig:
    """wasmtime's WASI with the granted folders under their own paths, and nothing else."""
    config = WasiConfig()
    read, write = granted_folders(host)
    for folder in dict.fromkeys((*write, *read)):
        if not Path(folder).is_dir():
            continue  # told when the run started
        config.preopen_dir(folder, folder, folder in write)
    return config


def _refused_memory() -> str:
    """What to do when not the guest's limit was in the way but the process'."""
    import resource  # only to explain a failure

    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    if allowed == resource.RLIM_INFINITY:
        return "the system has no memory left for it (os error 12)"
    return (
        f"this process may have {allowed // _MIB} MiB of address space (`ulimit -v`), and every "
        "actor reserves more than 4096 MiB of it; raise that limit or remove it"
    )


def _root_cause(text: str) -> str:
    """The innermost cause of a wasmtime error, without its backtrace of addresses."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    causes = [line for line in lines if not line.startswith(("0:", "1:", "Caused by"))]
    for line in reversed(lines):
        if "wasm trap:" in line:
            return line.split("wasm trap:", 1)[1].strip()
    return causes[-1] if causes else text


def _without_panic(output: str) -> str:
    """What the guest printed, less the notice of the toolchain's own panic that ends it."""
    return output.partition("\nthread '<unnamed>'")[0].strip()


def _last_line(traceback: str) -> str:
    """The last line of a Python traceback names the exception; other output explains nothing."""
    if "Traceback (most recent call last)" not in traceback:
        return ""
    return traceback.splitlines()[-1]
