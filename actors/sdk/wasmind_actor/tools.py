"""Tools: methods of an actor that a model can call."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias, TypeVar, overload

from wasmind_actor import log
from wasmind_actor.chat import (
    Display,
    FunctionDefinition,
    Scope,
    Tool,
    ToolCall,
    ToolCallResult,
    ToolOutcome,
)
from wasmind_actor.codec import DecodeError, Object, Schema, written_number
from wasmind_actor.json_form import for_models
from wasmind_actor.messages import (
    CallDone,
    ExecuteToolCall,
    Received,
    RequestStatusUpdate,
    ToolCallStatus,
    ToolCallStatusUpdate,
)
from wasmind_actor.nesting import require_shallow
from wasmind_actor.signatures import parameters_of
from wasmind_actor.status import Done, Status, TaskResponse, Wait, WaitingForAgentCoordination
from wasmind_actor.wire import BroadcastError, Err, Message, Ok, Record, whole_characters

if TYPE_CHECKING:
    from wasmind_actor.actor import Actor

F = TypeVar("F", bound=Callable[..., Any])

_SHORT: Final = 80
#: A long list with one mistake in every item does not have to be told item by item.
_MOST_FAULTS: Final = 20


class ToolResult(Record, kw_only=False):
    """What a tool answers.

    Attributes:
        content: for the model.
        collapsed: one short line for people; the first of `content` by default.
        expanded: the longer text for people; `content` by default if it is longer than the line.
    """

    content: str
    collapsed: str | None = None
    expanded: str | None = None

    def wire(self) -> ToolCallResult:
        """The form it has in messages."""
        collapsed = self.collapsed or shorten(self.content)
        expanded = self.expanded
        if expanded is None and self.collapsed is None and collapsed != self.content:
            expanded = self.content
        display = Display(collapsed=collapsed, expanded=expanded)
        return ToolCallResult(content=self.content, ui_display_info=display)


class ToolError(Exception):
    """Raised by a tool to answer with an error; the arguments are those of `ToolResult`."""

    def __init__(
        self, content: str, collapsed: str | None = None, expanded: str | None = None
    ) -> None:
        super().__init__(content)
        self.result = ToolResult(content, collapsed, expanded)


class Deferred:
    """What a tool returns to answer later; made by `Call.defer`."""


def shorten(text: str, length: int = _SHORT) -> str:
    """The first line of a text, cut to `length` characters, the last three of them `...`."""
    line = text.strip().partition("\n")[0].rstrip()
    return line if len(line) <= length else line[: length - 3] + "..."


class Call:
    """A call of a tool that is being worked on: a tool method asks for it by annotation.

    Attributes:
        id: names the call within one answer of the model.
        tool: name of the tool that was called.
        originating_request_id: that answer.
    """

    def __init__(self, actor: Actor[Any], message: ExecuteToolCall) -> None:
        self.id = message.tool_call.id
        self.tool = message.tool_call.function.name
        self.originating_request_id = message.originating_request_id
        self.answered = False
        self._actor = actor

    @property
    def scope(self) -> Scope:
        """The agent whose model made the call."""
        return self._actor.scope

    def progress(self, collapsed: str, expanded: str | None = None) -> None:
        """Show people how far the work is; as often as you like, until the answer."""
        self._update(Received(display_info=Display(collapsed=collapsed, expanded=expanded)))

    def request_status(self, status: Status) -> None:
        """Ask the assistant to take a status, such as `Done`, once the call is answered."""
        self._actor.broadcast(
            RequestStatusUpdate(
                agent=self.scope,
                status=status,
                originating_request_id=self.originating_request_id,
            )
        )

    def end_agent(self, summary: str, *, success: bool = True) -> None:
        """Ask the assistant to end the agent with this result once the call is answered."""
        self.request_status(Done(result=Ok(TaskResponse(summary=summary, success=success))))

    def pause_agent(self, target: Scope | None = None) -> None:
        """Ask the assistant to pause after this call until a message comes.

        Args:
            target: the agent it must come from; any by default. The user may always interrupt.
        """
        reason = WaitingForAgentCoordination(
            originating_request_id=self.originating_request_id,
            coordinating_tool_name=self.tool,
            target_agent_scope=target,
            user_can_interrupt=True,
        )
        self.request_status(Wait(reason=reason))

    def defer(self) -> Deferred:
        """Answer later: return this from the tool, keep the call, use `answer` or `fail`."""
        return Deferred()

    def answer(self, result: str | ToolResult) -> None:
        """Give the result of a deferred call."""
        self._done(Ok(_result(result).wire()))

    def fail(self, error: ToolError) -> None:
        """Answer a deferred call with an error."""
        self._done(Err(error.result.wire()))

    def _done(self, outcome: ToolOutcome) -> None:
        if self.answered:
            log.warn(f"tool call `{self.id}` was answered twice; the second answer is dropped")
            return
        try:
            self._update(CallDone(result=outcome))
        except BroadcastError as error:
            # Whoever waits must hear something.
            reason = ToolError(f"the answer could not be sent: {error}", "answer not sent")
            self._update(CallDone(result=Err(reason.result.wire())))
        self.answered = True
        self._actor.close_call(self)

    def _update(self, status: ToolCallStatus) -> None:
        self._actor.broadcast(
            ToolCallStatusUpdate(
                status=status,
                id=self.id,
                originating_request_id=self.originating_request_id,
            )
        )


#: What a tool method may return.
Answer: TypeAlias = str | ToolResult | Deferred


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolMethod:
    """A method declared with `@tool`."""

    name: str
    description: str
    parameters: Object
    method: str
    call_parameter: str | None
    when: str | None

    def offered(self, config: Any) -> bool:
        """Whether an actor with this configuration has the tool."""
        return self.when is None or bool(getattr(config, self.when))

    def schema(self) -> Schema:
        """JSON Schema of the parameters."""
        schema: Schema = for_models(self.parameters.schema())
        return schema

    def definition(self) -> Tool:
        """What models are told."""
        return Tool(
            function=FunctionDefinition(
                name=self.name, description=self.description, parameters=self.schema()
            )
        )

    def run(self, actor: Actor[Any], call: Call, request: ToolCall) -> None:
        """Decode the arguments, run the method and answer, unless it answers later itself.

        Raises:
            Exception: the method's, when it is not a `ToolError`.
        """
        try:
            arguments = self._decode(request.function.arguments)
            if self.call_parameter:
                arguments[self.call_parameter] = call
            answer: Answer = getattr(actor, self.method)(**arguments)
        except ToolError as error:
            call.fail(error)
        else:
            if not isinstance(answer, Deferred):
                call.answer(answer)

    def _decode(self, arguments: str) -> dict[str, Any]:
        try:
            given = _parse(arguments)
            faults = self.parameters.faults(given, "")
        except DecodeError as error:
            faults = [str(error)]
        if not faults:
            decoded: dict[str, Any] = self.parameters.decode(given, "")
            return decoded
        reason = _listed(faults)
        raise ToolError(
            f"the parameters of `{self.name}` are invalid:{reason}",
            "Parameters: invalid",
            f"Parameters: {arguments}\n\nReason:{reason}",
        )


def _listed(faults: list[str]) -> str:
    if len(faults) == 1:
        return f" {faults[0]}"
    shown, more = faults[:_MOST_FAULTS], len(faults) - _MOST_FAULTS
    return "".join(f"\n- {each}" for each in [*shown, *([f"and {more} more"] if more > 0 else [])])


def _parse(arguments: str) -> Any:
    try:
        # Models send nothing at all for a tool without parameters, and bare line breaks in texts.
        text = arguments if arguments.strip() else "{}"
        require_shallow(text)
        decoded = json.loads(text, strict=False, parse_constant=_refuse, parse_float=_finite)
        return whole_characters(decoded, text)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"invalid JSON: {error}") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")


def _finite(text: str) -> int | float:
    number = written_number(text)
    return number if math.isfinite(number) else _refuse(text)


def _result(answer: str | ToolResult) -> ToolResult:
    if isinstance(answer, ToolResult):
        return answer
    if isinstance(answer, str):
        return ToolResult(answer)
    raise TypeError(f"a tool returns text, `ToolResult` or `call.defer()`, not {answer!r}")


@overload
def tool(method: F) -> F: ...
@overload
def tool(*, name: str = ..., when: str | None = ...) -> Callable[[F], F]: ...
def tool(
    method: F | None = None, *, name: str = "", when: str | None = None
) -> F | Callable[[F], F]:
    """Make a method a tool.

    The docstring is the description, the annotations are the parameters: what has a default is
    optional, `Annotated[int, Param("text", minimum=1)]` says more, and a parameter annotated `Call`
    receives the call itself. The method returns text, a `ToolResult` or `call.defer()`, and raises
    `ToolError` to answer with an error.

    Args:
        method: the method, when used without parentheses.
        name: what models call it; the method's name by default.
        when: name of a configuration key; the tool is offered only where that is true.
    """

    def mark(function: F) -> F:
        function.__tool__ = {"name": name or function.__name__, "when": when}  # type: ignore[attr-defined]
        return function

    return mark(method) if method else mark


def tools_of(cls: type) -> Iterator[ToolMethod]:
    """The tools of an actor class, in the order they are written in, base classes first."""
    found = {
        attribute: getattr(cls, attribute)
        for base in reversed(cls.__mro__)
        for attribute, value in vars(base).items()
        if hasattr(value, "__tool__")
    }
    for attribute, function in found.items():
        name = function.__tool__["name"]
        parameters, call = parameters_of(function, name, Call)
        yield ToolMethod(
            name=name,
            description=inspect.cleandoc(function.__doc__ or ""),
            parameters=parameters,
            method=attribute,
            call_parameter=call,
            when=function.__tool__["when"],
        )


#: What the methods of this library send on behalf of an actor that uses them, by name.
SENT_BY_METHOD: Final[dict[str, type[Message]]] = {
    "request_status": RequestStatusUpdate,
    "end_agent": RequestStatusUpdate,
    "pause_agent": RequestStatusUpdate,
}
