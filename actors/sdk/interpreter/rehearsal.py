"""Plays a small actor before the snapshot is taken.

What happens only the first time (codecs and caches that are filled, bytecode that CPython adapts to
what it meets, attributes that are looked up) would otherwise happen in every instance, and copy
the pages it writes to.
"""

from __future__ import annotations

import marshal
import sys
from typing import Final

from wasmind_actor import chat, contract, door, messages, wire
from wasmind_actor.guest_host import GuestHost
from wasmind_actor.modules import ENTRY, ActorModules
from wasmind_actor.testing import Stage

_SOURCE: Final = '''
from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from wasmind_actor import U32, Actor, Config, Contribution, Message, Param, Record, ToolError
from wasmind_actor import Struct, ToolResult, on, tool
from wasmind_actor.chat import UserMessage
from wasmind_actor.messages import AddMessage, AllActorsReady, BaseUrlUpdate, ToolsAvailable


class Place(Record):
    """Where something is."""

    name: str
    line: int | None = None


class Settings(Config):
    """How to play."""

    title: str = "Sample"
    limit: U32 = 3
    mode: Literal["one", "two"] = "one"
    places: tuple[Place, ...] = ()


class Played(Message, type="rehearsal.Played"):
    """It was played."""

    text: str
    places: list[Place] = field(default_factory=list)


class State(Struct):
    """What is remembered."""

    count: int = 0


class Sample(Actor[Settings]):
    """Plays."""

    contributions = (Contribution.guide("play", "Play.", priority=900),)

    def start(self) -> None:
        self.state = State()

    @tool
    def play(
        self,
        text: Annotated[str, Param("What to play.")],
        times: Annotated[U32, Param("How often.", minimum=1, clamp=True)] = 1,
        places: tuple[str, ...] = (),
    ) -> ToolResult:
        """Plays a text."""
        if not text:
            raise ToolError("There is nothing to play.", "nothing to play")
        self.state = State(count=self.state.count + times)
        self.broadcast(Played(text=text, places=[Place(name=each) for each in places]))
        return ToolResult(text * times, self.config.title)

    @on(AllActorsReady)
    def ready(self) -> None:
        self.state = State(count=0)

    @on(BaseUrlUpdate, reach="any")
    def announced(self, message: BaseUrlUpdate) -> None:
        self.url = message.base_url

    @on(ToolsAvailable)
    def offered(self, message: ToolsAvailable) -> None:
        self.offered_tools = message.tools

    @on(AddMessage)
    def added(self, message: AddMessage) -> None:
        self.last = message.message
        self.broadcast(AddMessage(agent="000001", message=UserMessage(content="Heard.")))
'''
#: A second time, CPython adapts the bytecode of what it has seen before.
_TIMES: Final = 3


def rehearse() -> None:
    """Describe the sample, bring it to life and talk to it."""
    for each in vars(messages).values():
        if isinstance(each, type) and issubclass(each, wire.Message):
            wire.codec_of(each)
    exported = sys.modules[ENTRY]
    try:
        for _ in range(_TIMES):
            _play()
    finally:
        sys.modules[ENTRY] = exported
        door.install(GuestHost())


def _play() -> None:
    code = compile(_SOURCE, "<actor>/actor.py", "exec", dont_inherit=True, optimize=0)
    modules = ActorModules({ENTRY: marshal.dumps(code)})
    modules.install()
    try:
        contract.describe(modules)
        stage = Stage(modules.entry(), config='title = "A"\nplaces = [{ name = "b", line = 1 }]')
        stage.deliver(messages.AllActorsReady())
        stage.deliver(messages.BaseUrlUpdate(base_url="http://127.0.0.1:1", models_available=()))
        stage.deliver(messages.AddMessage(agent=stage.scope, message=chat.UserMessage(content="?")))
        stage.call("play", text="la", times=2, places=["here"])
        stage.call_error("play", text="")
        stage.stop()
    finally:
        modules.uninstall()
