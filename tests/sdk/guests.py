"""Actor folders in the real interpreter, on the real runtime, without a system around them."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from wasmind.plan import CAPABILITIES, Actor, Limits
from wasmind.runtime import messages
from wasmind.runtime.guest import Guest
from wasmind.runtime.host.door import Host
from wasmind.runtime.host.launch import Launchers
from wasmind.runtime.interpreter import Interpreter


class Around:
    """Surroundings that keep what an actor says."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.logged: list[str] = []
        self._launchers = Launchers()

    def launchers(self) -> Launchers:
        return self._launchers

    def broadcast(self, host: Host, message_type: str, payload: bytes) -> None:
        self.sent.append((message_type, json.loads(payload)))

    def log(self, host: Host, level: str, text: str) -> None:
        self.logged.append(text)

    def blocked(self) -> Any:
        return nullcontext()

    def slot(self, limit: str) -> Any:
        return nullcontext(enter_result=True)


class Staged:
    """One actor instance that is talked to directly."""

    def __init__(self, interpreter: Interpreter, modules: list[tuple[str, bytes]]) -> None:
        actor = Actor(
            name="staged",
            actor_id="test:staged",
            component="0" * 64,
            capabilities=tuple(CAPABILITIES),
        )
        self._around = Around()
        host = Host(actor, "000000", self._around, modules=tuple(modules))
        self._guest = Guest(interpreter._engine, interpreter._linked, host, Limits())

    @property
    def sent(self) -> list[tuple[str, Any]]:
        """Type and decoded payload of everything it broadcast."""
        return self._around.sent

    @property
    def logged(self) -> list[str]:
        """What it logged."""
        return self._around.logged

    @property
    def own_bytes(self) -> int:
        """Memory it shares with no other instance."""
        return self._guest.private_bytes()

    def construct(self, config: str = "") -> None:
        """Run its constructor."""
        self._guest.construct("000000", config)

    def deliver(self, message_type: str, payload: Any, scope: str = "000000") -> None:
        """Hand it a message."""
        data = messages.encode(payload)
        self._guest.handle(messages.Envelope(1, "root:aaaaaa", message_type, "test", scope, data))

    def stop(self) -> None:
        """Run its destructor."""
        self._guest.destruct()
        self._around.launchers().close()


def modules_of(interpreter: Interpreter, folder: Path) -> list[tuple[str, bytes]]:
    """Names and code objects of an actor folder, and its source texts."""
    sources = {}
    for path in sorted(folder.rglob("*.py")):
        relative = path.relative_to(folder).with_suffix("")
        if relative.parts[0] != "tests":
            sources[".".join(relative.parts)] = path.read_text()
    with interpreter.session() as session:
        code = [(name, session.compile(name, source)) for name, source in sources.items()]
    return [*code, *((f"source:{name}", source.encode()) for name, source in sources.items())]


def contract_of(interpreter: Interpreter, modules: list[tuple[str, bytes]]) -> str:
    """What an actor of these modules says of itself."""
    with interpreter.session() as session:
        return session.describe(modules)
