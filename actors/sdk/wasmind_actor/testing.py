"""Runs actors on plain CPython, in ordinary tests, against a host that only pretends.

def test_greets():
    greeter = Stage(load("actors/greeter"), config={"greeting": "Hi"})
    result = greeter.call("greet", name="Ada")
    assert result.content == "Hi Ada"
    assert greeter.sent(UserNotification) == []
"""

# ruff: noqa: D102 - the fake keeps the contracts of `door.Host`; tests assert

from __future__ import annotations

import json
import marshal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from wasmind_actor import contract, door
from wasmind_actor.actor import Actor
from wasmind_actor.agents import SpawnError
from wasmind_actor.chat import Function, Scope, ToolCall, ToolCallResult
from wasmind_actor.command import Command, FailedToStart, Output
from wasmind_actor.files import Entry, NotFoundError, Stat, TooLargeError
from wasmind_actor.handlers import Envelope
from wasmind_actor.host import OsInfo
from wasmind_actor.http import NetworkError, Request, Response
from wasmind_actor.log import Level
from wasmind_actor.messages import CallDone, ExecuteToolCall, ToolCallStatusUpdate
from wasmind_actor.modules import SOURCE, ActorModules
from wasmind_actor.wire import BroadcastError, Err, Message, Ok, dumps, loads

M = TypeVar("M", bound=Message)

#: What one call reads of a file at most.
_LARGEST: Final = 16 << 20
_SKIPPED: Final = {"__pycache__", "tests"}
_installed: list[ActorModules] = []


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on the fake bus."""

    message_type: str
    payload: bytes

    @property
    def json(self) -> Any:
        """The payload, decoded."""
        return json.loads(self.payload)


def no_network(request: Request) -> Response:
    """The default answer to HTTP requests."""
    raise NetworkError(f"the fake host has no network: {request.method} {request.url}")


def no_commands(command: Command) -> Output:
    """The default answer to commands."""
    return Output(status=FailedToStart(f"the fake host has no `{command.program}`"))


@dataclass
class FakeHost:
    """A host that records what it is asked and answers as it was told.

    Attributes:
        http, commands: what answers requests and commands; they may raise the module's errors.
        contents: the files, by path, and the folders, as None.
        parents: scope to parent.
        own: scope of the actor.
        spawned: actors and name of every agent made; the first has scope `agent1`.
        refuse_spawn: reason to refuse every spawn.
        bus: everything broadcast.
        lines: everything logged.
        payload_mib: how large a message may be, as the limit of that name says.
    """

    http: Callable[[Request], Response] = no_network
    commands: Callable[[Command], Output] = no_commands
    contents: dict[str, bytes | None] = field(default_factory=dict)
    parents: dict[Scope, Scope | None] = field(default_factory=dict)
    own: Scope = "000000"
    spawned: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    refuse_spawn: str = ""
    folder: str = "/work"
    os: OsInfo = field(default_factory=lambda: OsInfo("linux", "x86_64"))
    bus: list[Sent] = field(default_factory=list)
    lines: list[tuple[Level, str]] = field(default_factory=list)
    clock_ms: int = 0
    payload_mib: int = 16

    def broadcast(self, message_type: str, payload: str | bytes) -> None:
        data = payload.encode() if isinstance(payload, str) else payload
        if len(data) > self.payload_mib << 20:
            size = f"{len(data) / (1 << 20):.2f} MiB"
            raise BroadcastError(f"a message of {size}; at most {self.payload_mib} MiB")
        self.bus.append(Sent(message_type, data))

    def log(self, level: Level, text: str) -> None:
        self.lines.append((level, text))

    def send(self, request: Request) -> Response:
        return self.http(request)

    def run(self, command: Command) -> Output:
        return self.commands(command)

    def spawn(self, actors: Sequence[str], name: str) -> Scope:
        if self.refuse_spawn:
            raise SpawnError(self.refuse_spawn)
        self.spawned.append((tuple(actors), name))
        scope = f"agent{len(self.spawned)}"
        self.parents[scope] = self.own
        return scope

    def parent(self) -> Scope | None:
        return self.parents.get(self.own)

    def parent_of(self, scope: Scope) -> Scope | None:
        return self.parents.get(scope)

    def working_directory(self) -> str:
        return self.folder

    def os_info(self) -> OsInfo:
        return self.os

    def read(self, path: str) -> bytes:
        content = self.contents.get(path)
        if content is None:
            raise NotFoundError(path)
        if len(content) > _LARGEST:
            raise TooLargeError(f"`{path}` is larger than {_LARGEST >> 20} MiB; read it in ranges")
        return content

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        if length > _LARGEST:
            raise TooLargeError(f"at most {_LARGEST >> 20} MiB can be read at once")
        content = self.contents.get(path)
        if content is None:
            raise NotFoundError(path)
        return content[offset : offset + length]

    def write(self, path: str, content: bytes) -> None:
        self.clock_ms += 1
        self.contents[path] = content

    def stat(self, path: str) -> Stat:
        if path not in self.contents:
            raise NotFoundError(path)
        content = self.contents[path]
        kind: Any = "directory" if content is None else "file"
        return Stat(kind=kind, size=len(content or b""), modified_ms=self.clock_ms)

    def entries(self, path: str) -> tuple[Entry, ...]:
        prefix = path.rstrip("/") + "/"
        names = {
            key.removeprefix(prefix).partition("/")[0]
            for key in self.contents
            if key.startswith(prefix)
        }
        return tuple(Entry(name, self.stat(prefix + name).kind) for name in sorted(names))

    def make_folder(self, path: str) -> None:
        self.contents.setdefault(path, None)

    def remove(self, path: str) -> None:
        self.stat(path)
        del self.contents[path]


class Stage:
    """An actor on stage: hand it messages and tool calls, look at what it sends.

    As on the real bus, an actor receives what it sends itself.
    """

    def __init__(
        self,
        actor: type[Actor[Any]],
        *,
        config: Mapping[str, Any] | str = "",
        scope: Scope = "000000",
        host: FakeHost | None = None,
    ) -> None:
        self.scope = scope
        self.host = host or FakeHost()
        self.host.own = scope
        self._delivered = 0
        self._calls = 0
        text = config if isinstance(config, str) else _toml(config)
        with self._on_stage():
            self.actor = actor(scope, text)
        self._settle()

    def deliver(
        self, message: Message | tuple[str, Any], *, from_scope: Scope = "", sender: str = "test"
    ) -> None:
        """Hand over a message, or the type and JSON of one, and wait until all is quiet."""
        if isinstance(message, Message):
            kind, payload = message.message_type, dumps(message)
        else:
            kind, payload = message[0], json.dumps(message[1]).encode()
        self._hand_over(kind, payload, from_scope or self.scope, sender)
        self._settle()

    def start_call(self, tool: str, arguments: str | None = None, /, **values: Any) -> str:
        """Call a tool that may answer later; returns the id of the call.

        Args:
            tool: its name.
            arguments: the JSON text, to send what no model should.
            values: the arguments, otherwise.
        """
        self._calls += 1
        call = f"call_{self._calls}"
        text = json.dumps(values) if arguments is None else arguments
        self.deliver(
            ExecuteToolCall(
                tool_call=ToolCall(id=call, function=Function(name=tool, arguments=text)),
                originating_request_id="req_000001",
            )
        )
        return call

    def call(self, tool: str, arguments: str | None = None, /, **values: Any) -> ToolCallResult:
        """Call a tool and return its answer; AssertionError if it is an error or still to come."""
        outcome = self._answer(tool, self.start_call(tool, arguments, **values))
        assert isinstance(outcome, Ok), f"`{tool}` answered with an error: {outcome}"
        return outcome.value

    def call_error(
        self, tool: str, arguments: str | None = None, /, **values: Any
    ) -> ToolCallResult:
        """Call a tool and return the error it answers with; AssertionError if there is none."""
        outcome = self._answer(tool, self.start_call(tool, arguments, **values))
        assert isinstance(outcome, Err), f"`{tool}` succeeded: {outcome}"
        return outcome.value

    def _answer(self, tool: str, call: str) -> Ok[ToolCallResult] | Err[ToolCallResult]:
        outcome = self.outcome(call)
        assert outcome is not None, (
            f"`{tool}` has not answered the call `{call}` yet: use `start_call`, and `outcome` once"
            " it has what it waits for"
            if tool in self.actor.tool_methods
            else f"there is no tool `{tool}`; the actor has: {', '.join(self.actor.tool_methods)}"
        )
        return outcome

    def outcome(self, call: str) -> Ok[ToolCallResult] | Err[ToolCallResult] | None:
        """The answer to a call, None if there is none yet; AssertionError if there are several."""
        outcomes = [
            update.status.result
            for update in self.sent(ToolCallStatusUpdate)
            if update.id == call and isinstance(update.status, CallDone)
        ]
        assert len(outcomes) <= 1, f"call `{call}` was answered {len(outcomes)} times"
        return outcomes[0] if outcomes else None

    def sent(self, message: type[M]) -> list[M]:
        """All messages of a type that were sent."""
        return [
            loads(message, sent.payload)
            for sent in self.host.bus
            if sent.message_type == message.message_type
        ]

    def take(self) -> list[Sent]:
        """What was sent since the last time; it is forgotten then."""
        taken = list(self.host.bus)
        self.host.bus.clear()
        self._delivered = 0
        return taken

    def stop(self) -> None:
        """End the actor as the host would."""
        with self._on_stage():
            self.actor.shut_down()

    def _hand_over(self, kind: str, payload: bytes, scope: Scope, sender: str) -> None:
        with self._on_stage():
            self.actor.handle(
                Envelope(
                    id="root:test00",
                    message_type=kind,
                    from_actor_id=sender,
                    from_scope=scope,
                    content=payload,
                )
            )

    def _settle(self) -> None:
        while self._delivered < len(self.host.bus):
            sent = self.host.bus[self._delivered]
            self._delivered += 1
            self._hand_over(sent.message_type, sent.payload, self.scope, "self")

    @contextmanager
    def _on_stage(self) -> Iterator[None]:
        door.install(self.host)
        try:
            yield
        finally:
            door.install(None)


def load(folder: str | Path) -> type[Actor[Any]]:
    """The actor class in a folder, imported as in a component.

    Only the actor loaded last can import modules of its folder while it runs.
    """
    return _install(Path(folder)).entry()


def describe(folder: str | Path) -> dict[str, Any]:
    """The contract of the actor in a folder."""
    document: dict[str, Any] = json.loads(contract.describe(_install(Path(folder))))
    return document


def _install(folder: Path) -> ActorModules:
    while _installed:
        _installed.pop().uninstall()
    handed_over: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*.py")):
        inner = path.relative_to(folder)
        if not _SKIPPED.intersection(inner.parts) and not any(x[0] == "." for x in inner.parts):
            name, text = ".".join(inner.with_suffix("").parts), path.read_text("utf-8")
            code = compile(text, str(path), "exec", dont_inherit=True)
            handed_over |= {name: marshal.dumps(code), SOURCE + name: text.encode()}
    modules = ActorModules(handed_over)
    modules.install()
    _installed.append(modules)
    return modules


def _toml(table: Mapping[str, Any]) -> str:
    """A table as TOML text: one key per line, everything else inline."""
    return "".join(f"{json.dumps(key)} = {_value(value)}\n" for key, value in table.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{json.dumps(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
