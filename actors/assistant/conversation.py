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
from typing import Final

from calls import OpenCalls, failure
from compaction import COMPACTION_SECONDS, Compaction, advice
from effects import AskModel, Effect, Finish, HistoryChanged, Pending, Rules, Warn
from repeats import NOTICED, Repeats
from statuses import COMPACTING, INTERRUPT, may_be_requested, waiting_for, wakes

from wasmind_actor import Scope, closest
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
    Done,
    Processing,
    Status,
    Wait,
    WaitingForAllActorsReady,
    WaitingForLiteLLM,
    WaitingForTools,
    WaitingForUserInput,
)

MAX_CORRECTIONS: Final = 3

EMPTY_ANSWER: Final = (
    "Protocol error: your answer was empty. Answer with text or with a tool call. Think about your "
    "role and your goal, then go on."
)
NO_TOOL_CALL: Final = (
    "Protocol error: your answer contained no tool call, and here every answer must contain one. "
    "Think about your role, then answer with a valid tool call."
)
CUT_EMPTY: Final = (
    "Your answer was cut off at the largest length before it contained text or a tool call. Answer "
    "again, with less reasoning."
)
INTERRUPTED: Final = "the user interrupted before there was a result"
HALTED: Final = "the agent was stopped at its limit of turns; the call was not made"


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
        self._finish = Finish.COMPLETE
        self._tokens = 0
        self._repeats = Repeats()
        self._halted = False
        self.compaction = Compaction()

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
        if isinstance(message, UserMessage):
            self._halted = False
            self._repeats.forget()
            self.compaction.try_again()
        if not wakes(self.status, pending):
            return
        if self._waits_for(WaitingForUserInput):
            self._give_up_calls(INTERRUPTED)  # of the answer that the user interrupted
        self._submit()

    # --- the model ---

    def replied(
        self, reply: AssistantReply, usage: Usage, finish: Finish = Finish.COMPLETE
    ) -> None:
        """The model answered the request under way."""
        self._finish, self._tokens = finish, usage.completion_tokens
        self.compaction.try_again()
        self.history.append(reply)
        self._say(HistoryChanged(), Response(message=reply, usage=usage))

    def failed(self, title: str, reason: str) -> None:
        """The request under way brought nothing usable."""
        self._tell_failure(title, reason)
        self._corrections = 0
        self._proceed()

    def cancelled(self) -> None:
        """The request under way was given up on purpose; who did so needs no notice."""
        self._tell_parent("its request was cancelled")
        self._corrections = 0
        self._proceed()

    def too_long(self, reason: str) -> None:
        """The request under way is too long, for what is said."""
        request = self.compaction.ask(self.history, reason)
        if request is None:
            self.failed("Conversation too long", advice(reason))
            return
        self._say(Warn(text=f"to be compacted, since it is too long {reason}"), request)
        self._enter(COMPACTING)

    def lost(self, reply: AssistantReply, reason: str) -> None:
        """An answer could not be handed on, so it will not come back."""
        if self.history and self.history[-1] == reply:
            self.history.pop()
        self.failed("Answer lost", reason)

    def broke_down(self, reason: str) -> None:
        """Something went wrong that should not: end what is under way with a failure."""
        if isinstance(self.status, Done):
            return
        self._give_up_calls(reason)
        if isinstance(self.status, Processing) or self._waits_for(WaitingForTools):
            self.failed("Assistant failed", reason)

    def response_seen(self, reply: AssistantReply) -> None:
        """The own `Response` came back over the bus: everything sent before has been handled."""
        if self.status != Processing(request_id=reply.originating_request_id):
            return
        if self._finish is Finish.STOPPED:  # the provider's words are the answer
            self._corrections = 0
            self._proceed()
        elif self._finish is Finish.CUT:
            self._go_on_after_cut(reply)
        elif reply.tool_calls:
            self._corrections = 0
            self._dispatch(reply.originating_request_id, reply.tool_calls)
        else:
            self._judge(reply, EMPTY_ANSWER)

    def _judge(self, reply: AssistantReply, empty: str) -> None:
        """An answer without tool calls: is it one?"""
        if not (reply.content or "").strip() and not self._rules.allow_empty_responses:
            self._correct(empty)
        elif self._rules.require_tool_call:
            self._correct(NO_TOOL_CALL)
        else:
            self._corrections = 0
            self._proceed()

    def _go_on_after_cut(self, reply: AssistantReply) -> None:
        at = f" at {self._tokens} tokens" if self._tokens else ""
        if reply.tool_calls:  # their arguments may be those of something else
            reason = (
                f"your answer was cut off{at}, so this call was not made: its arguments may be "
                "incomplete. Make it again, shorter or in several steps"
            )
            self._refuse_calls(reply, reason)
            self._correct(None)
            return
        if (reply.content or "").strip():
            text = f"the model's answer was cut off{at}; its end is missing"
            self._say(
                UserNotification(
                    level="Warning", title="Answer cut off", message=text, source="Assistant"
                )
            )
        self._judge(reply, CUT_EMPTY)

    # --- tools ---

    def tool_answered(self, request_id: str, call_id: str, outcome: ToolOutcome) -> None:
        """A tool call has a result."""
        calls = self._calls
        if isinstance(self.status, Done) or calls is None or calls.request_id != request_id:
            return
        if not calls.answer(call_id, outcome):
            return
        if self._waits_for(WaitingForTools):
            self.status = waiting_for(calls)  # silently: partial progress is no news
        if calls.complete:
            self._close_calls()

    def status_requested(self, status: Status, request_id: str | None) -> None:
        """A tool, while it is being called, wants another status."""
        if self._calls is None or self._calls.request_id != request_id:
            return
        if isinstance(self.status, Done) or not may_be_requested(status):
            return
        self._enter(status)

    # --- interruptions ---

    def status_queued(self, status: Status, *, halted: bool = False) -> None:
        """Somebody wants a status to be taken instead of going on.

        Args:
            status: the status.
            halted: the host wants it, since the agent is at its limit: no tool runs before that.
        """
        if isinstance(self.status, Done) or isinstance(status, Processing):
            return
        self._halted = halted or self._halted
        if status == IDLE and COMPACTING in (self.status, self._queued):
            self._compaction_over()
        elif status == self.status:
            self._queued = None
        elif self.status == IDLE or (status == INTERRUPT and self._can_be_interrupted()):
            self._queued = None
            if self.status == COMPACTING and (reason := self.compaction.take_reason()):
                self._tell_failure("Conversation too long", advice(reason))
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

    def compactor_failed(self, reason: str) -> None:
        """The actor that compacts has died, so there will be no summary."""
        if self.status == COMPACTING:
            self._say(Warn(text=f"compaction failed, going on without it: {reason}"))
            self._compaction_over()

    def time_passes(self) -> None:
        """Enforce the deadlines; called whenever the actor is awake."""
        now = self._clock()
        timeout = self._rules.tool_timeout_seconds
        if self._calls and now - self._calls.opened > timeout:
            self._give_up_calls(f"the tool did not answer within {timeout:.0f} seconds")
            self._resume_after_calls()
        if self.status == COMPACTING and now - self.compaction.since > COMPACTION_SECONDS:
            self._say(Warn(text="compaction took too long, going on without it"))
            self._compaction_over()

    # --- inner works ---

    def _say(self, *effects: Effect) -> None:
        self.outbox.extend(effects)

    def _tell_failure(self, title: str, reason: str) -> None:
        """Tell people, and the agent above, which would wait for an answer for ever."""
        self._say(UserNotification(level="Error", title=title, message=reason, source="Assistant"))
        self._tell_parent(f"{title}: {reason}")

    def _tell_parent(self, reason: str) -> None:
        if self.parent is not None:
            text = f"Agent {self._scope} could not go on: {reason}"
            self._say(AddMessage(agent=self.parent, message=SystemMessage(content=text)))

    def _enter(self, status: Status) -> None:
        if isinstance(status, Done):
            self._say(Exit())
        if status == COMPACTING:
            self.compaction.since = self._clock()
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
        if queued is not None and any(wakes(queued, each) for each in self._pending):
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

    def _correct(self, text: str | None) -> None:
        """Ask once more after an answer that was of no use, unless there were too many.

        Args:
            text: what the model is told; None if the results of its calls say it already.
        """
        self._corrections += 1
        if self._corrections > MAX_CORRECTIONS:
            self.failed(
                "Unusable answers",
                f"the model kept giving unusable answers after {MAX_CORRECTIONS} corrections",
            )
            return
        if text is not None:
            self._pending.append(Pending(message=SystemMessage(content=text), source=self._scope))
        self._submit()

    def _dispatch(self, request_id: str, tool_calls: Sequence[ToolCall]) -> None:
        repeated = self._repeats.made(tool_calls)
        self._calls = calls = OpenCalls(request_id, tool_calls, self._clock(), repeated)
        if self._halted or self._queued == INTERRUPT:
            self._give_up_calls(HALTED if self._halted else INTERRUPTED)
            self._halted = False
            self._submit()
            return
        for call in tool_calls:
            if repeated.get(call.id) == NOTICED:
                text = f"the model made the same call of `{call.function.name}` {NOTICED} times"
                self._say(Warn(text=f"{text} in a row; it has been told"))
        self._enter(waiting_for(calls))
        for call in tool_calls:
            if call.function.name in self._tools:
                self._say(ExecuteToolCall(tool_call=call, originating_request_id=request_id))
            else:
                self._fail_call(calls, call, self._no_such_tool(call.function.name))
        if calls.complete:
            self._close_calls()

    def _no_such_tool(self, name: str) -> str:
        meant = closest(name, self._tools)
        return f"there is no tool `{name}`" + (f"; did you mean `{meant}`?" if meant else "")

    def _refuse_calls(self, reply: AssistantReply, reason: str) -> None:
        """Answer all calls of an answer ourselves, without making any."""
        calls = reply.tool_calls or ()
        self._calls = OpenCalls(reply.originating_request_id, calls, self._clock())
        self._give_up_calls(reason)

    def call_failed(self, request_id: str, call: ToolCall, reason: str) -> None:
        """A call could not be handed to its tool."""
        calls = self._calls
        if calls is not None and calls.request_id == request_id:
            self._fail_call(calls, call, reason)
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
            wakes(self.status, each) for each in self._pending
        ):
            self._submit()

    def _compaction_over(self) -> None:
        self.compaction.take_reason()
        if self._queued == COMPACTING:
            self._queued = None
        if self.status != COMPACTING:
            return
        unanswered = bool(self.history) and not isinstance(self.history[-1], AssistantReply)
        if self._pending or unanswered:
            self._submit()
        else:
            self._proceed()
