"""The conversation and its status: what happens when, without doing any of it.

A `Conversation` is told what happened and leaves what follows in its `outbox`, in order. It knows
neither the host nor HTTP; the clock and the ids are handed in.

Three rules hold it together:

* a request is made only when every tool call of the last answer has an answer in the history;
* nothing that was said to the agent is lost: what cannot be used yet stays pending, in order;
* whatever ends the agent passes `_enter`, which says `Exit` before it says `Done`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from calls import OpenCalls, failure

from wasmind_actor import Message, Scope, Struct
from wasmind_actor.chat import (
    AssistantReply,
    HistoryMessage,
    SystemMessage,
    Tool,
    ToolCall,
    ToolOutcome,
    Usage,
    UserMessage,
)
from wasmind_actor.messages import (
    AddMessage,
    CallDone,
    ExecuteToolCall,
    Exit,
    Response,
    StatusUpdate,
    ToolCallStatusUpdate,
    UserNotification,
)
from wasmind_actor.status import (
    IDLE,
    CompactingConversation,
    Done,
    Processing,
    Status,
    Wait,
    WaitingForAgentCoordination,
    WaitingForAllActorsReady,
    WaitingForLiteLLM,
    WaitingForSystemInput,
    WaitingForTools,
    WaitingForUserInput,
)

MAX_CORRECTIONS: Final = 3
COMPACTION_SECONDS: Final = 600.0

EMPTY_ANSWER: Final = (
    "Protocol error: your answer was empty. Answer with text or with a tool call. Think about your "
    "role and your goal, then go on."
)
NO_TOOL_CALL: Final = (
    "Protocol error: your answer contained no tool call, and here every answer must contain one. "
    "Think about your role, then answer with a valid tool call."
)
INTERRUPTED: Final = "the user interrupted before there was a result"

_COMPACTING: Final = Wait(reason=CompactingConversation())
_INTERRUPT: Final = Wait(reason=WaitingForUserInput())


class HistoryChanged(Struct):
    """The history is no longer what others know."""


class AskModel(Struct):
    """Make a request; then call `replied` or `failed`."""

    request_id: str


class Warn(Struct):
    """Something worth a line in the log."""

    text: str


Effect: TypeAlias = Message | HistoryChanged | AskModel | Warn


class Rules(Struct):
    """The part of the configuration that matters here."""

    require_tool_call: bool = False
    allow_empty_responses: bool = False
    tool_timeout_seconds: float = 3600.0


class Pending(Struct):
    """Input that no request has contained yet, and the agent it came from."""

    message: SystemMessage | UserMessage
    source: Scope


class Conversation:
    """One agent's conversation; every public method is something that happened."""

    def __init__(
        self,
        scope: Scope,
        rules: Rules,
        *,
        new_request_id: Callable[[], str],
        clock: Callable[[], float],
        endpoint_known: bool = False,
    ) -> None:
        self.outbox: deque[Effect] = deque()
        self.status: Status = Wait(reason=WaitingForAllActorsReady())
        self.history: list[HistoryMessage] = []
        self.parent: Scope | None = None
        self._scope = scope
        self._rules = rules
        self._new_request_id = new_request_id
        self._clock = clock
        self._endpoint_known = endpoint_known
        self._queued: Status | None = None
        self._pending: list[Pending] = []
        self._calls: OpenCalls | None = None
        self._tools: dict[str, tuple[str, Tool]] = {}
        self._corrections = 0
        self._compacting_since = 0.0

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools on offer."""
        return tuple(tool for _, tool in self._tools.values())

    # --- the agent comes to life ---

    def all_actors_ready(self) -> None:
        """The agent is complete."""
        if self._waits_for(WaitingForAllActorsReady):
            if self._endpoint_known:
                self._proceed()
            else:
                self._enter(Wait(reason=WaitingForLiteLLM()))

    def endpoint_found(self) -> None:
        """There is a model to ask, perhaps another one than before."""
        self._endpoint_known = True
        if self._waits_for(WaitingForLiteLLM):
            self._proceed()

    def tools_available(self, provider: str, tools: Sequence[Tool]) -> None:
        """An actor offers tools; it may offer them again, but not those of another."""
        for tool in tools:
            name = tool.function.name
            owner, _ = self._tools.get(name, (provider, tool))
            if owner == provider:
                self._tools[name] = (provider, tool)
            else:
                self._say(Warn(text=f"tool `{name}` of {provider} ignored: {owner} offers it too"))

    # --- input ---

    def message_added(self, message: SystemMessage | UserMessage, source: Scope) -> None:
        """Somebody said something."""
        pending = Pending(message=message, source=source)
        self._pending.append(pending)
        if not _wakes(self.status, pending):
            return
        if self._waits_for(WaitingForUserInput):
            self._give_up_calls(INTERRUPTED)  # of the answer that the user interrupted
        self._submit()

    # --- the model ---

    def replied(self, reply: AssistantReply, usage: Usage) -> None:
        """The model answered the request under way."""
        self.history.append(reply)
        self._say(HistoryChanged(), Response(message=reply, usage=usage))

    def failed(self, title: str, reason: str) -> None:
        """The request under way brought nothing usable."""
        self._say(UserNotification(level="Error", title=title, message=reason, source="Assistant"))
        if self.parent is not None:  # who would wait for an answer for ever
            text = f"Agent {self._scope} could not go on: {title}: {reason}"
            self._say(AddMessage(agent=self.parent, message=SystemMessage(content=text)))
        self._corrections = 0
        self._proceed()

    def response_seen(self, reply: AssistantReply) -> None:
        """The own `Response` came back over the bus: everything sent before has been handled."""
        if self.status != Processing(request_id=reply.originating_request_id):
            return
        if reply.tool_calls:
            self._corrections = 0
            self._dispatch(reply.originating_request_id, reply.tool_calls)
        elif not reply.content and not self._rules.allow_empty_responses:
            self._correct(EMPTY_ANSWER)
        elif self._rules.require_tool_call:
            self._correct(NO_TOOL_CALL)
        else:
            self._corrections = 0
            self._proceed()

    # --- tools ---

    def tool_answered(self, request_id: str, call_id: str, outcome: ToolOutcome) -> None:
        """A tool call has a result."""
        calls = self._calls
        if isinstance(self.status, Done) or calls is None or calls.request_id != request_id:
            return
        if not calls.answer(call_id, outcome):
            return
        if self._waits_for(WaitingForTools):
            self.status = _waiting_for(calls)  # silently: partial progress is no news
        if calls.complete:
            self._close_calls()

    def status_requested(self, status: Status, request_id: str | None) -> None:
        """A tool, while it is being called, wants another status."""
        if self._calls is None or self._calls.request_id != request_id:
            return
        if isinstance(self.status, Done) or not _may_be_requested(status):
            return
        self._enter(status)

    # --- interruptions ---

    def status_queued(self, status: Status) -> None:
        """Somebody wants a status to be taken instead of going on."""
        if isinstance(self.status, Done) or isinstance(status, Processing):
            return
        if status == IDLE and _COMPACTING in (self.status, self._queued):
            self._compaction_over()
        elif status == self.status:
            self._queued = None
        elif self.status == IDLE or (status == _INTERRUPT and self._can_be_interrupted()):
            self._queued = None
            self._enter(status)
        else:
            self._queued = status

    def compacted(self, messages: Sequence[HistoryMessage], compacted_to: str) -> None:
        """The history before the answer to `compacted_to` was summarised to `messages`."""
        boundary = next(
            (
                index
                for index, each in enumerate(self.history)
                if isinstance(each, AssistantReply) and each.originating_request_id == compacted_to
            ),
            None,
        )
        if boundary is None:
            self._say(Warn(text=f"compaction ignored: no answer to request {compacted_to}"))
        else:
            self.history[:boundary] = messages
            self._say(HistoryChanged())
        self._compaction_over()

    def time_passes(self) -> None:
        """Enforce the deadlines; called whenever the actor is awake."""
        now = self._clock()
        timeout = self._rules.tool_timeout_seconds
        if self._calls and now - self._calls.opened > timeout:
            self._give_up_calls(f"the tool did not answer within {timeout:.0f} seconds")
            self._resume_after_calls()
        if self.status == _COMPACTING and now - self._compacting_since > COMPACTION_SECONDS:
            self._say(Warn(text="compaction took too long, going on without it"))
            self._compaction_over()

    # --- inner works ---

    def _say(self, *effects: Effect) -> None:
        self.outbox.extend(effects)

    def _enter(self, status: Status) -> None:
        if isinstance(status, Done):
            self._say(Exit())
        if status == _COMPACTING:
            self._compacting_since = self._clock()
        self.status = status
        self._say(StatusUpdate(status=status))

    def _waits_for(self, reason: type) -> bool:
        return isinstance(self.status, Wait) and isinstance(self.status.reason, reason)

    def _can_be_interrupted(self) -> bool:
        # Starting up and asking the model end by themselves; they look at the queue then.
        return not (
            isinstance(self.status, Processing)
            or self._waits_for(WaitingForAllActorsReady)
            or self._waits_for(WaitingForLiteLLM)
        )

    def _proceed(self) -> None:
        """Go on with what is pending; rest if nothing is."""
        if self._pending:
            self._submit()
        else:
            queued, self._queued = self._queued, None
            self._enter(queued or IDLE)

    def _submit(self) -> None:
        """Move what is pending into the history and ask the model, or take the queued status.

        Does nothing while tool calls are unanswered; the last answer comes back here.
        """
        if self._calls is not None:
            return
        queued, self._queued = self._queued, None
        # The agent must not fall asleep waiting for what has already arrived.
        if queued is not None and any(_wakes(queued, each) for each in self._pending):
            queued = None
        if self._pending:
            self.history.extend(each.message for each in self._pending)
            self._pending.clear()
            self._say(HistoryChanged())
        if queued is not None:
            self._enter(queued)
            return
        request_id = self._new_request_id()
        self._enter(Processing(request_id=request_id))
        self._say(AskModel(request_id=request_id))

    def _correct(self, text: str) -> None:
        self._corrections += 1
        if self._corrections > MAX_CORRECTIONS:
            self.failed(
                "Unusable answers",
                f"the model kept giving unusable answers after {MAX_CORRECTIONS} corrections",
            )
            return
        self._pending.append(Pending(message=SystemMessage(content=text), source=self._scope))
        self._submit()

    def _dispatch(self, request_id: str, tool_calls: Sequence[ToolCall]) -> None:
        self._calls = calls = OpenCalls(request_id, tool_calls, self._clock())
        if self._queued == _INTERRUPT:
            self._give_up_calls(INTERRUPTED)
            self._submit()
            return
        self._enter(_waiting_for(calls))
        for call in tool_calls:
            if call.function.name in self._tools:
                self._say(ExecuteToolCall(tool_call=call, originating_request_id=request_id))
            else:
                self._fail_call(calls, call, f"there is no tool `{call.function.name}`")
        if calls.complete:
            self._close_calls()

    def _fail_call(self, calls: OpenCalls, call: ToolCall, reason: str) -> None:
        """Answer a call ourselves, for the model and, over the bus, for people."""
        outcome = failure(reason)
        calls.answer(call.id, outcome)
        self._say(
            ToolCallStatusUpdate(
                status=CallDone(result=outcome),
                id=call.id,
                originating_request_id=calls.request_id,
            )
        )

    def _give_up_calls(self, reason: str) -> None:
        """Answer all open calls ourselves and write the results down."""
        if self._calls is not None:
            for call in self._calls.unanswered():
                self._fail_call(self._calls, call, reason)
            self._record_calls(self._calls)

    def _close_calls(self) -> None:
        if self._calls is not None:
            self._record_calls(self._calls)
            self._resume_after_calls()

    def _record_calls(self, calls: OpenCalls) -> None:
        self._calls = None
        self.history.extend(calls.messages())
        self._say(HistoryChanged())

    def _resume_after_calls(self) -> None:
        """Go on, unless a tool put the agent to sleep and nothing has come to wake it."""
        if self._waits_for(WaitingForTools) or any(
            _wakes(self.status, each) for each in self._pending
        ):
            self._submit()

    def _compaction_over(self) -> None:
        if self._queued == _COMPACTING:
            self._queued = None
        if self.status != _COMPACTING:
            return
        unanswered = bool(self.history) and not isinstance(self.history[-1], AssistantReply)
        if self._pending or unanswered:
            self._submit()
        else:
            self._proceed()


def _wakes(status: Status, pending: Pending) -> bool:
    """Whether a status ends when this is said."""
    if not isinstance(status, Wait):
        return False
    from_user = isinstance(pending.message, UserMessage)
    match status.reason:
        case WaitingForUserInput():
            return from_user
        case WaitingForSystemInput(required_scope=scope, interruptible_by_user=user):
            return user if from_user else scope in (None, pending.source)
        case WaitingForAgentCoordination(target_agent_scope=scope, user_can_interrupt=user):
            return user if from_user else scope in (None, pending.source)
        case _:
            return False


def _may_be_requested(status: Status) -> bool:
    match status:
        case Done():
            return True
        case Wait(
            reason=WaitingForUserInput() | WaitingForSystemInput() | WaitingForAgentCoordination()
        ):
            return True
        case _:
            return False


def _waiting_for(calls: OpenCalls) -> Wait:
    return Wait(
        reason=WaitingForTools(originating_request_id=calls.request_id, tool_calls=calls.pending())
    )
