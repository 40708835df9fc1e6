"""One running instance of a component: its store, its limits and the calls into it.

A guest is used by one thread at a time. After a failure it is dead: the component model refuses to
enter an instance again once it trapped.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator, Sequence
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
from wasmind.runtime.folders import Folder, granted
from wasmind.runtime.host import door
from wasmind.runtime.host.door import Host
from wasmind.runtime.host.interface import LARGEST_LIST_MIB
from wasmind.runtime.linking import ACTOR_INTERFACE, Export, Linked
from wasmind.runtime.memory import ADDRESS_SPACE, Footprint
from wasmind.runtime.messages import Envelope

_MIB: Final = 1 << 20
#: What a guest needs apart from a large message, and how many times it has that at once: as it
#: came, as text, and as what is made of it.
_FOR_ITSELF_MIB: Final = 32
_COPIES: Final = 4
_CONSTRUCTOR: Final = "[constructor]actor"
_HANDLE: Final = "[method]actor.handle-message"
_DESTRUCTOR: Final = "[method]actor.destructor"
_DELIVER: Final = "deliver"
_INTERRUPTED: Final = "wasm trap: interrupt"
_OUT_OF_FUEL: Final = "fuel allocated for hostcalls"
#: The engine takes apart what a guest hands out before we see it, and ends the guest when that
#: costs more than 128 MiB, at 48 bytes for a byte of a list.
_TOO_MUCH_AT_ONCE: Final = (
    "handed the host more than fits in one call: a component that does not use the text "
    "interfaces of `wasmind:ext` can send messages, request bodies and files of at most "
    f"{door.LARGEST_LIST_OUT * 10 // _MIB / 10} MiB"
)
_REFUSED_BY_SYSTEM: Final = "(os error 12)"
_PYTHON: Final = "Traceback (most recent call last)"
_NO_MEMORY: Final = re.compile(r"MemoryError|memory allocation of \d+ bytes failed")
#: What Rust adds to every panic.
_NOTES: Final = ("note: run with `RUST_BACKTRACE", "note: Some details are omitted")
#: How much of what a guest wrote to stderr last stands in the reason.
_LAST_LINES: Final = 3
_LONGEST_WORDS: Final = 500

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
        self._deliver = linked.mailbox.get(_DELIVER)
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

    @property
    def largest_message(self) -> tuple[int, str]:
        """How many bytes a message to it may have, and why no more."""
        room = max(1, (self._limits.memory_mib - _FOR_ITSELF_MIB) // _COPIES)
        if self._deliver is None and room > LARGEST_LIST_MIB:
            return LARGEST_LIST_MIB * _MIB, (
                f"components of this kind can take {LARGEST_LIST_MIB} MiB"
            )
        return room * _MIB, f"its memory has room for {room} MiB (limit `memory_mib`)"

    def handle(self, message: Envelope) -> None:
        """Give the actor one message: as text if it takes that, else through `handle-message`.

        The caller holds `Engine.running`; entering it for every message would cost as much as the
        call.

        Raises:
            GuestFailure: it trapped or used too much; the guest is dead now.
        """
        self.host.message_id = message.id
        try:
            if self._deliver is not None:
                lowered = message.as_text()
                self._run(self._deliver, _DELIVER, lowered.array)
            else:
                self._handle_bytes(message)
        finally:
            self.host.message_id = None

    def _handle_bytes(self, message: Envelope) -> None:
        export = self._linked.actor[_HANDLE]
        lowered = message.as_record(export.signature.parameters[1])
        arguments = self._message_arguments
        ctypes.memmove(ctypes.byref(arguments, abi.VALUE_SIZE), lowered.image, abi.VALUE_SIZE)
        self._run(export, _HANDLE, arguments)

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
            answer = abi.call(function, self._context, export.signature, arguments)
        except abi.NativeError as error:
            raise self._failure(str(error)) from None
        finally:
            if self.host.printed or self.host.complaints:
                self.host.settle()
            door.leave(outer)
        return answer

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
        traceback = _without_panic(self.host.complaints.decode("utf-8", "replace"))
        self.host.complaints.clear()
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
        if _REFUSED_BY_SYSTEM in text:
            return GuestFailure(_refused_memory(), traceback)
        if _NO_MEMORY.search(traceback) or "memory" in _root_cause(text):
            limit = f"{self._limits.memory_mib} MiB (limit `memory_mib`)"
            return LimitExceeded(f"ran out of its memory of {limit}", traceback)
        if _OUT_OF_FUEL in text:
            return LimitExceeded(_TOO_MUCH_AT_ONCE, traceback)
        return GuestFailure(_last_words(traceback, _root_cause(text)), traceback)


def _wasi_files(host: Host) -> WasiConfig:
    """wasmtime's WASI with the granted folders under their own paths, and nothing else."""
    config = WasiConfig()
    config.stdout_custom = _taken_by(host.print)
    config.stderr_custom = _taken_by(host.complain)
    writable = {folder.path: _may_change(host, folder) for folder in reversed(granted(host.actor))}
    for path, may_change in writable.items():
        if Path(path).is_dir():  # others were told when the run started
            config.preopen_dir(path, path, may_change)
    return config


def _may_change(host: Host, folder: Folder) -> bool:
    """Whether a folder can be handed out for writing: nobody looks at what is done in it then."""
    what = host.protected.inside(folder) if folder.writable else None
    if what is not None:
        text = (
            f"`{folder.written}` can only be read by this component, because {what} lies in it; to "
            "let it write, grant folders without that"
        )
        host.around.log(host, "warn", text)
    return folder.writable and what is None


def _taken_by(take: Callable[[bytes], None]) -> Callable[[bytes], int]:
    def callback(data: bytes) -> int:
        take(bytes(data))
        return len(data)

    return callback


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
    """What the guest wrote to stderr; of Python, without the panic of the toolchain at its end."""
    if _PYTHON in output:
        output = output.partition("\nthread '<unnamed>'")[0]
    return output.strip()


def _last_words(complaints: str, cause: str) -> str:
    """What a guest wrote to stderr last, in one line, and how it ended.

    The last line of a Python traceback names the exception, which is all there is to say.
    """
    lines = [line.strip() for line in complaints.splitlines()]
    lines = [line for line in lines if line and not line.startswith(_NOTES)]
    if not lines:
        return cause
    if _PYTHON in complaints:
        return lines[-1]
    words = " ".join(lines[-_LAST_LINES:])
    if len(words) > _LONGEST_WORDS:
        words = f"... {words[-_LONGEST_WORDS:]}"
    return f"{words} ({cause})"
