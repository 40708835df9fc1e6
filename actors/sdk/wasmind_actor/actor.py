"""The base class of all actors."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, get_args, get_origin

from wasmind_actor import door, log
from wasmind_actor.chat import Scope
from wasmind_actor.codec import DecodeError, written_number
from wasmind_actor.faults import named, report
from wasmind_actor.handlers import Envelope, Handler, handlers_of
from wasmind_actor.messages import (
    ExecuteToolCall,
    Section,
    SystemPromptContribution,
    Text,
    ToolsAvailable,
    UserNotification,
)
from wasmind_actor.signatures import judge_plain
from wasmind_actor.tools import Call, ToolError, ToolMethod, shorten, tools_of
from wasmind_actor.wire import BroadcastError, Config, Message, from_json, text_of

if TYPE_CHECKING:
    # An actor without configuration is `class X(Actor)`; type checkers know defaults from here.
    from typing_extensions import TypeVar

    ConfigT = TypeVar("ConfigT", default=None)
else:
    from typing import TypeVar

    ConfigT = TypeVar("ConfigT")


class ConfigError(Exception):
    """The configuration does not fit the actor; the text names the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """A piece of system prompt that an actor contributes when it starts.

    Attributes:
        key: `<actor>:<name>`.
        text: as it shall stand in the prompt.
        priority: higher comes first within the section.
        section: a `Section`, or any other text for a section of that name.
        after_tools: send it after the tools have been announced, not before.
        when: name of a configuration key; sent only where that is true.
    """

    key: str
    text: str
    priority: int
    section: str | None = None
    after_tools: bool = False
    when: str | None = None

    @classmethod
    def guide(
        cls,
        tool: str,
        text: str,
        *,
        priority: int,
        key: str = "",
        after_tools: bool = False,
        when: str | None = None,
    ) -> Contribution:
        """How to use a tool, in the section about tools; the key is `<tool>:usage_guide`."""
        return cls(
            key=key or f"{tool}:usage_guide",
            text=f'<tool name="{tool}">\n{text.strip()}\n</tool>',
            priority=priority,
            section=Section.TOOLS,
            after_tools=after_tools,
            when=when,
        )


class Actor(Generic[ConfigT]):
    """An actor: subclass it in module `actor`, add `@tool` and `@on` methods.

        class Greeter(Actor):
            @tool
            def greet(self, name: str) -> str:
                '''Greets somebody.'''
                return f"Hello {name}"

    With `class Greeter(Actor[GreeterConfig])`, `self.config` is a `GreeterConfig`, a `Config`
    decoded from what the user wrote. State belongs into `start`.

    Attributes:
        scope: the agent this instance is part of.
        config: the configuration; None for an actor that takes none.
        contributions: class attribute, what it adds to the system prompt of its agent.
        spawns: class attribute, logical names of the actors it puts into new agents, where that is
            not said by its configuration.
    """

    scope: Scope
    config: ConfigT

    contributions: ClassVar[Sequence[Contribution]] = ()
    spawns: ClassVar[Sequence[str] | None] = None

    config_class: ClassVar[type[Config] | None] = None
    tool_methods: ClassVar[dict[str, ToolMethod]] = {}
    handlers: ClassVar[dict[str, list[Handler]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.config_class = _config_class(cls)
        cls.tool_methods = {method.name: method for method in tools_of(cls)}
        for name in ("start", "stop"):
            judge_plain(getattr(cls, name), f"`{name}`")
        cls.handlers = {}
        for handler in handlers_of(cls):
            cls.handlers.setdefault(handler.message.message_type, []).append(handler)

    def __init__(self, scope: Scope, config: str = "") -> None:
        self.scope = scope
        self.config = self._read_config(config)
        self._open_calls: list[Call] = []
        self._tools = {
            name: method
            for name, method in self.tool_methods.items()
            if method.offered(self.config)
        }
        self.start()
        self._announce()

    # --- to override ---

    def start(self) -> None:
        """Called once, before anything else; an exception means that the actor cannot be."""

    def stop(self) -> None:
        """Called once, at the end."""

    # --- to use ---

    def broadcast(self, message: Message) -> None:
        """Send a message to everybody who handles it, this actor included.

        Raises:
            BroadcastError: it is too large, or of a type that this actor may not send.
        """
        door.host().broadcast(message.message_type, text_of(message))

    # --- for the host ---

    def handle(self, envelope: Envelope) -> None:
        """Deliver a message. Exceptions of handlers are reported and go no further."""
        if self._tools and envelope.message_type == ExecuteToolCall.message_type:
            self._deliver(_TOOL_CALLS, envelope)
        for handler in self.handlers.get(envelope.message_type, ()):
            self._deliver(handler, envelope)

    def shut_down(self) -> None:
        """Stop. Whoever still waits for a tool learns that nothing will come."""
        try:
            self.stop()
        except BaseException as error:  # noqa: BLE001 - as for handlers
            self._report("stopping failed", error)
        for call in list(self._open_calls):
            with suppress(BroadcastError):
                call.fail(ToolError("the actor stopped before it could answer"))

    # --- inner works ---

    def _deliver(self, handler: Handler, envelope: Envelope) -> None:
        try:
            handler.deliver(self, envelope)
        except BaseException as error:  # noqa: BLE001 - none of a handler's ends an actor
            self._report(f"handling `{envelope.message_type}` failed", error)

    def run_tool(self, message: ExecuteToolCall) -> None:
        """Run the tool a model called, if it is one of this actor."""
        method = self._tools.get(message.tool_call.function.name)
        if method is None:
            return
        call = Call(self, message)
        self._open_calls.append(call)
        try:
            method.run(self, call, message.tool_call)
        except BaseException as error:  # noqa: BLE001 - the model must get an answer
            log.error(f"tool `{method.name}` failed\n{report(error)}")
            reason = _shown(error)
            call.fail(ToolError(f"`{method.name}` failed unexpectedly: {reason}"))

    def close_call(self, call: Call) -> None:
        """Forget a call that has been answered."""
        self._open_calls.remove(call)

    def _read_config(self, text: str) -> Any:
        if self.config_class is None:
            return None
        try:
            return from_json(self.config_class, tomllib.loads(text, parse_float=written_number))
        except (tomllib.TOMLDecodeError, DecodeError) as error:
            raise ConfigError(
                f"the configuration of {type(self).__name__} is wrong: {error}"
            ) from None

    def _announce(self) -> None:
        self._contribute(after_tools=False)
        if self._tools:
            tools = tuple(method.definition() for method in self._tools.values())
            self.broadcast(ToolsAvailable(tools=tools))
        self._contribute(after_tools=True)

    def _contribute(self, *, after_tools: bool) -> None:
        for each in self.contributions:
            if each.after_tools != after_tools:
                continue
            if each.when and not getattr(self.config, each.when):
                continue
            self.broadcast(
                SystemPromptContribution(
                    agent=self.scope,
                    key=each.key,
                    content=Text(each.text),
                    priority=each.priority,
                    section=each.section,
                )
            )

    def _report(self, what: str, error: BaseException) -> None:
        log.error(f"{what}\n{report(error)}")
        notice = UserNotification(
            level="Error",
            title=f"{type(self).__name__}: {what}",
            message=shorten(_shown(error), 300),
            source=type(self).__name__,
        )
        with suppress(BroadcastError):  # it stands in the log
            self.broadcast(notice)


def _shown(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"SystemExit: it called `sys.exit({error.code!r})`, but actors end with their agent"
    return named(error)


_TOOL_CALLS: Final = Handler(message=ExecuteToolCall, reach="own", method="run_tool")


def _config_class(cls: type) -> type[Config] | None:
    for base in getattr(cls, "__orig_bases__", ()):
        origin = get_origin(base)
        if isinstance(origin, type) and issubclass(origin, Actor):
            (argument,) = get_args(base)
            return argument if isinstance(argument, type) and issubclass(argument, Config) else None
    inherited: type[Config] | None = getattr(cls, "config_class", None)
    return inherited
