"""Owns one conversation with a language model.

What happens when is decided in `conversation`; here messages go in and effects come out.
"""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from compaction import compacts
from conversation import Conversation
from effects import AskModel, Effect, HistoryChanged, Rules, Warn
from prompt import Piece, SystemPrompt
from settings import AssistantConfig

from wasmind_actor import Actor, Envelope, Message, faults, host, log, on
from wasmind_actor.chat import ChatState, SystemMessage, UserMessage
from wasmind_actor.chat import SystemPrompt as RenderedPrompt
from wasmind_actor.messages import (
    ActorReady,
    AddMessage,
    AgentSpawned,
    AllActorsReady,
    BaseUrlUpdate,
    CallDone,
    ChatStateUpdated,
    CompactedConversation,
    ExecuteToolCall,
    QueueStatusChange,
    Request,
    RequestStatusUpdate,
    Response,
    SystemPromptContribution,
    ToolCallStatusUpdate,
    ToolsAvailable,
    UserNotification,
)

if TYPE_CHECKING:
    from endpoint import Endpoint
    from model import Model

_ALPHABET: Final = string.ascii_letters + string.digits

#: The sender of what the host itself wants of an agent, for example that it stops at its limit.
_COORDINATOR: Final = "wasmind__coordinator"
#: The source of notifications in which the host tells that an actor failed.
_RUNTIME: Final = "Runtime"


class Assistant(Actor[AssistantConfig]):
    """Owns one conversation with a language model and hands its tool calls to other actors."""

    def start(self) -> None:
        """Read the configuration and look around."""
        # Empty until it is known; nothing is asked before that.
        self.base_url = self.config.base_url or ""
        self.prompt = SystemPrompt(self.config.system_prompt)
        os = host.os_info()
        self.prompt.put_fact("current_directory", f"Working directory: {host.working_directory()}")
        self.prompt.put_fact("os_info", f"Operating system: {os.os} {os.arch}")
        self.prompt.put_day(datetime.now(UTC))
        self.conversation = Conversation(
            self.scope,
            Rules(
                require_tool_call=self.config.require_tool_call,
                allow_empty_responses=self.config.allow_empty_responses,
                tool_timeout_seconds=self.config.tool_timeout_seconds,
            ),
            new_request_id=new_request_id,
            clock=time.monotonic,
            endpoint_known=bool(self.config.base_url),
        )

    # --- the agent comes to life ---

    @on(BaseUrlUpdate)
    def endpoint_found(self, message: BaseUrlUpdate) -> None:
        """There is a model to ask."""
        if not self.config.base_url:  # what the user configured wins
            self.base_url = message.base_url
            self.__dict__.pop("endpoint", None)
            self.tell(self.conversation.endpoint_found)

    @on(AllActorsReady)
    def all_actors_ready(self) -> None:
        """The agent is complete."""
        self.tell(self.conversation.all_actors_ready)

    @on(ActorReady)
    def actor_ready(self, message: ActorReady, envelope: Envelope) -> None:
        """Remember who can shorten the conversation."""
        if compacts(envelope.from_actor_id):
            self.conversation.compaction.compactor = envelope.from_actor_id

    @on(AgentSpawned)
    def agent_spawned(self, message: AgentSpawned) -> None:
        """Remember whose agent this is."""
        if message.agent_id == self.scope:
            self.conversation.parent = message.parent_agent

    @on(ToolsAvailable)
    def tools_available(self, message: ToolsAvailable, envelope: Envelope) -> None:
        """Offer another actor's tools to the model."""
        self.tell(lambda: self.conversation.tools_available(envelope.from_actor_id, message.tools))

    @on(SystemPromptContribution)
    def contributed(self, message: SystemPromptContribution, envelope: Envelope) -> None:
        """Put a piece into the system prompt."""
        piece = Piece(
            key=message.key,
            content=message.content,
            priority=message.priority,
            section=message.section,
        )
        if not self.prompt.accept(piece):
            sender = f"{envelope.from_actor_id} in {envelope.from_scope}"
            log.error(f"prompt contribution of {sender} dropped: bad key `{message.key}`")

    # --- the conversation ---

    @on(AddMessage)
    def message_added(self, message: AddMessage, envelope: Envelope) -> None:
        """Somebody spoke to the agent."""
        said = message.message
        if isinstance(said, SystemMessage | UserMessage):
            self.prompt.put_day(datetime.now(UTC))
            self.tell(lambda: self.conversation.message_added(said, envelope.from_scope))

    @on(Response)
    def response_seen(self, message: Response) -> None:
        """The own answer came back, behind everything that was sent before it."""
        self.tell(lambda: self.conversation.response_seen(message.message))

    @on(ToolCallStatusUpdate)
    def tool_reported(self, message: ToolCallStatusUpdate) -> None:
        """A tool has a result."""
        status, request = message.status, message.originating_request_id
        if isinstance(status, CallDone):
            self.tell(lambda: self.conversation.tool_answered(request, message.id, status.result))

    @on(RequestStatusUpdate)
    def status_requested(self, message: RequestStatusUpdate) -> None:
        """A tool wants another status."""
        status, request = message.status, message.originating_request_id
        self.tell(lambda: self.conversation.status_requested(status, request))

    @on(QueueStatusChange)
    def status_queued(self, message: QueueStatusChange, envelope: Envelope) -> None:
        """Somebody wants the agent to pause or stop."""
        halted = envelope.from_actor_id == _COORDINATOR
        self.tell(lambda: self.conversation.status_queued(message.status, halted=halted))

    @on(CompactedConversation)
    def compacted(self, message: CompactedConversation) -> None:
        """The beginning of the history was summarised."""
        self.tell(lambda: self.conversation.compacted(message.messages, message.compacted_to))

    @on(UserNotification)
    def notified(self, message: UserNotification, envelope: Envelope) -> None:
        """Perhaps the actor that was to shorten the conversation has failed."""
        compaction = self.conversation.compaction
        if message.source == _RUNTIME and envelope.from_actor_id == compaction.compactor:
            self.tell(lambda: self.conversation.compactor_failed(message.message))

    # --- effects ---

    def tell(self, happened: Callable[[], None]) -> None:
        """Tell the conversation what happened, and do what it wants done.

        Whatever goes wrong, the agent ends up in a status that somebody can get it out of.
        """
        try:
            happened()
            self.act()
        except Exception as error:  # noqa: BLE001 - nothing may leave the agent in mid-air
            log.error(f"the assistant failed\n{faults.report(error)}")
            self.conversation.broke_down(faults.named(error))
            self.act()

    def act(self) -> None:
        """Do what the conversation wants done, until it wants nothing more."""
        self.conversation.time_passes()
        while self.conversation.outbox:
            self.perform(self.conversation.outbox.popleft())

    def perform(self, effect: Effect) -> None:
        """Do one thing."""
        match effect:
            case HistoryChanged():
                self.inform(lambda: ChatStateUpdated(chat_state=self.chat_state()))
            case AskModel(request_id=request_id):
                self.ask(request_id)
            case Warn(text=text):
                log.warn(text)
            case Response(message=reply):
                if problem := self.could_not_send(effect):
                    self.conversation.lost(reply, problem)
            case ExecuteToolCall(tool_call=call, originating_request_id=request_id):
                if problem := self.could_not_send(effect):
                    self.conversation.call_failed(request_id, call, problem)
            case _:
                if problem := self.could_not_send(effect):
                    log.error(problem)

    def inform(self, message: Callable[[], Message]) -> None:
        """Send what others like to know but nothing depends on."""
        try:
            self.broadcast(message())
        except Exception as error:  # noqa: BLE001 - the conversation goes on without
            log.warn(f"others are not told of the conversation: {faults.named(error)}")

    def could_not_send(self, message: Message) -> str:
        """Send a message; returns why that was impossible, or nothing."""
        try:
            self.broadcast(message)
        except Exception as error:  # noqa: BLE001 - what it means depends on the message
            return f"`{type(message).__name__}` could not be sent: {faults.named(error)}"
        return ""

    def ask(self, request_id: str) -> None:
        """Make a request and tell the conversation how it went."""
        from failures import ModelError  # with the model, see `model`

        state = self.chat_state()
        self.inform(lambda: Request(chat_state=state))
        try:
            answer = self.model.ask(
                self.endpoint, request_id, state.system.content, state.messages, state.tools
            )
        except ModelError as error:
            log.info(f"{error.title}: {error}")  # people get a notification
            if error.code == "context_length_exceeded":
                self.conversation.too_long(f"for the model: {error}")
            elif error.code == "cancelled":
                self.conversation.cancelled()
            else:
                self.conversation.failed(error.title, str(error))
        except MemoryError:
            what = "for the memory the assistant has (`memory_mib` in its `limits`)"
            self.conversation.too_long(what)
        except Exception as error:  # noqa: BLE001 - whoever waits for the answer must be told
            log.error(f"asking the model failed\n{faults.report(error)}")
            self.conversation.failed("LLM Request Failed", faults.named(error))
        else:
            self.conversation.replied(answer.reply, answer.usage, answer.finish)

    @cached_property
    def model(self) -> Model:
        """The model; loaded with the first request, since it is half of this actor's code."""
        from model import Model

        return Model(self.config.model_name, self.config.system_messages_as)

    @cached_property
    def endpoint(self) -> Endpoint:
        """Where the model answers, as far as is known now."""
        from endpoint import Endpoint

        own, timeout = bool(self.config.base_url), self.config.timeout_seconds
        return Endpoint(self.base_url, own=own, timeout=timeout)

    def chat_state(self) -> ChatState:
        """The conversation as it stands, with the prompt rendered anew."""
        prompt = self.prompt.render()
        for problem in self.prompt.problems:
            log.error(f"system prompt: {problem}")
        return ChatState(
            system=RenderedPrompt(content=prompt),
            tools=self.conversation.tools,
            messages=tuple(self.conversation.history),
        )


def new_request_id() -> str:
    """`req_` and six letters or digits."""
    return "req_" + "".join(secrets.choice(_ALPHABET) for _ in range(6))
