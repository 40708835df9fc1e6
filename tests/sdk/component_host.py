"""Runs an interpreter component in wasmtime, with just the imports these tests need.

Deliberately small: the runtime has the real host functions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wasmtime import Engine, Store, Trap, WasmtimeError
from wasmtime.component import Component, Linker, Record, ResourceHost, ResourceType, Variant

WASI = "0.2.9"
ACTOR = "wasmind:actor/actor@0.1.0"
CONTRACT = "wasmind:ext/contract@0.1.0"
OUTPUT, INPUT, ERROR, POLLABLE, COMMAND = 92, 91, 93, 90, 80


class GuestFailedError(Exception):
    """The guest trapped; the text is what it wrote to stderr."""


class SourceRefusedError(Exception):
    """The guest's compiler refused a module; the argument is the decoded error."""


@dataclass
class Interpreter:
    """A compiled interpreter component; every call runs in a fresh instance."""

    engine: Engine
    component: Component

    @classmethod
    def load(cls, wasm: Path, native: Path) -> Interpreter:
        engine = Engine()
        if not native.exists():
            native.write_bytes(bytes(Component.from_file(engine, str(wasm)).serialize()))
        return cls(engine, Component.deserialize_file(engine, str(native)))

    def compile(self, name: str, source: str) -> bytes:
        # wasmtime-py hands out the bare payload of a result: bytes if ok, text if not.
        result = Guest(self, {}).call(CONTRACT, "compile", name, source)
        if isinstance(result, str):
            raise SourceRefusedError(json.loads(result))
        return bytes(result)

    def compile_folder(self, folder: Path) -> dict[str, bytes]:
        return {
            ".".join(path.relative_to(folder).with_suffix("").parts): self.compile(
                ".".join(path.relative_to(folder).with_suffix("").parts), path.read_text()
            )
            for path in sorted(folder.rglob("*.py"))
        }

    def describe(self, modules: Mapping[str, bytes]) -> dict[str, Any]:
        return json.loads(Guest(self, modules).call(CONTRACT, "describe"))


@dataclass
class Guest:
    """One instance; `sent` and `logged` hold what it said."""

    interpreter: Interpreter
    modules: Mapping[str, bytes]
    run: Callable[[Sequence[str]], tuple[bytes, bytes, int]] = lambda argv: (b"", b"", 0)
    sent: list[tuple[str, Any]] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    stderr: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.commands: list[list[str]] = []
        linker = Linker(self.interpreter.engine)
        linker.allow_shadowing = True
        linker.define_unknown_imports_as_traps(self.interpreter.component)
        with linker.root() as root:
            for name, (functions, resources) in {**self._wasi(), **self._wasmind()}.items():
                with root.add_instance(name) as instance:
                    for resource, tag in resources.items():
                        instance.add_resource(resource, ResourceType.host(tag), lambda s, rep: None)
                    for function, body in functions.items():
                        instance.add_func(function, body)
        self.store = Store(self.interpreter.engine)
        self.instance = linker.instantiate(self.store, self.interpreter.component)
        self.actor: Any = None

    def call(self, interface: str, function: str, *arguments: Any) -> Any:
        index = self.instance.get_export_index(self.store, interface)
        found = self.instance.get_func(
            self.store, self.instance.get_export_index(self.store, function, index)
        )
        assert found is not None
        try:
            return found(self.store, *arguments)
        except (Trap, WasmtimeError) as error:
            raise GuestFailedError(self.stderr.decode() or str(error)) from None

    def construct(self, scope: str = "000000", config: str = "") -> None:
        self.actor = self.call(ACTOR, "[constructor]actor", scope, config)

    def deliver(self, message_type: str, payload: Any, scope: str = "000000") -> None:
        record = Record()
        for key, value in {
            "id": "root:abcdef",
            "message-type": message_type,
            "from-actor-id": "test",
            "from-scope": scope,
            "payload": json.dumps(payload).encode(),
        }.items():
            setattr(record, key, value)
        self.call(ACTOR, "[method]actor.handle-message", self.actor, record)

    def stop(self) -> None:
        self.call(ACTOR, "[method]actor.destructor", self.actor)

    def _wasmind(self) -> dict[str, Any]:
        def os_info(store: Any) -> Record:
            record = Record()
            record.os, record.arch = "linux", "x86_64"
            return record

        def broadcast(store: Any, kind: str, body: bytes) -> None:
            self.sent.append((kind, json.loads(bytes(body))))

        return {
            "wasmind:actor/messaging@0.1.0": ({"broadcast": broadcast}, {}),
            "wasmind:actor/logger@0.1.0": (
                {"log": lambda s, level, text: self.logged.append(f"{level}: {text}")},
                {},
            ),
            "wasmind:actor/host-info@0.1.0": (
                {"get-host-working-directory": lambda s: "/work", "get-host-os-info": os_info},
                {},
            ),
            "wasmind:ext/package@0.1.0": ({"modules": lambda s: list(self.modules.items())}, {}),
            "wasmind:actor/command@0.1.0": (self._command(), {"cmd": COMMAND}),
        }

    def _command(self) -> dict[str, Any]:
        def handle(store: Any, number: int) -> Any:
            return ResourceHost.own(number, COMMAND).to_any(store)

        def create(store: Any, program: str) -> Any:
            self.commands.append([program])
            return handle(store, len(self.commands))

        def arguments(store: Any, command: Any, values: list[str]) -> Any:
            number = command.to_host(store).rep
            self.commands[number - 1].extend(values)
            return handle(store, number)

        def same(store: Any, command: Any, *_: Any) -> Any:
            return handle(store, command.to_host(store).rep)

        def run(store: Any, command: Any) -> Any:
            argv = self.commands[command.to_host(store).rep - 1]
            stdout, stderr, code = self.run(argv)
            record = Record()
            for key, value in {
                "stdout": stdout,
                "stderr": stderr,
                "status": Variant("exited", code),
                "stdout-truncated": False,
                "stderr-truncated": False,
            }.items():
                setattr(record, key, value)
            return record

        methods = ("current-dir", "timeout", "max-output-bytes", "env", "env-clear")
        return {
            "[constructor]cmd": create,
            "[method]cmd.args": arguments,
            "[method]cmd.run": run,
            **{f"[method]cmd.{name}": same for name in methods},
        }

    def _wasi(self) -> dict[str, Any]:
        def drop(value: Any) -> Callable[..., Any]:
            def consume(store: Any, handle: Any, *_: Any) -> Any:
                handle.to_host(store)  # a borrowed handle must be consumed
                return value

            return consume

        def write(store: Any, stream: Any, data: bytes) -> Variant:
            stream.to_host(store)
            self.stderr.extend(data)
            return Variant("ok")

        def closed(*_: Any) -> Any:
            raise RuntimeError("closed stream")

        def now(store: Any) -> Record:
            record = Record()
            record.seconds, record.nanoseconds = 1_700_000_000, 0
            return record

        reads = ("read", "blocking-read", "skip", "blocking-skip", "subscribe")
        writes = ("write-zeroes", "blocking-write-zeroes-and-flush", "splice", "blocking-splice")
        streams = {f"[method]input-stream.{name}": closed for name in reads}
        streams |= {f"[method]output-stream.{name}": closed for name in (*writes, "subscribe")}
        streams |= {
            "[method]output-stream.check-write": drop(65536),
            "[method]output-stream.write": write,
            "[method]output-stream.blocking-write-and-flush": write,
            "[method]output-stream.flush": drop(Variant("ok")),
            "[method]output-stream.blocking-flush": drop(Variant("ok")),
        }
        table: dict[str, Any] = {
            "random/random": {
                "get-random-bytes": lambda s, n: b"\x07" * n,
                "get-random-u64": lambda s: 7,
            },
            "cli/environment": {
                "get-environment": lambda s: [],
                "get-arguments": lambda s: [],
                "initial-cwd": lambda s: None,
            },
            "clocks/monotonic-clock": {
                "now": lambda s: 1,
                "resolution": lambda s: 1,
                "subscribe-instant": closed,
                "subscribe-duration": closed,
            },
            "clocks/wall-clock": {"now": now, "resolution": now},
            "filesystem/preopens": {"get-directories": lambda s: []},
        }
        for name in ("stdout", "stderr"):
            table[f"cli/{name}"] = {f"get-{name}": lambda s: ResourceHost.own(1, OUTPUT).to_any(s)}
            table[f"cli/terminal-{name}"] = {f"get-terminal-{name}": lambda s: None}
        found: dict[str, Any] = {
            f"wasi:{name}@{WASI}": (functions, {}) for name, functions in table.items()
        }
        found[f"wasi:io/poll@{WASI}"] = (
            {
                "[method]pollable.ready": drop(True),
                "[method]pollable.block": drop(None),
                "poll": lambda s, pollables: list(range(len(pollables))),
            },
            {"pollable": POLLABLE},
        )
        found[f"wasi:io/error@{WASI}"] = (
            {"[method]error.to-debug-string": drop("error")},
            {"error": ERROR},
        )
        found[f"wasi:io/streams@{WASI}"] = (
            streams,
            {"input-stream": INPUT, "output-stream": OUTPUT},
        )
        return found
