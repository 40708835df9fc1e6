"""Owns one conversation with a language model.

What happens when is decided in `conversation`; here messages go in and effects come out.
"""

from __future__ import annotations

import secrets
import string
import time
from datetime import UTC, datetime
from typing import Final

from conversation import AskModel, Conversation, Effect, HistoryChanged, Rules, Warn
from model import Model, ModelError
from prompt import Piece, SystemPrompt
from settings import AssistantConfig

from wasmind_actor import Actor, Envelope, host, log, on
from wasmind_actor.chat import ChatState, SystemMessage, UserMessage
from wasmind_actor.chat import SystemPrompt as RenderedPrompt
from wasmind_actor.messages import (
    AddMessage,
    AgentSpawned,
    AllActorsReady,
    BaseUrlUpdate,
    CallDone,
    ChatStateUpdated,
    CompactedConversation,
    QueueStatusChange,
    Request,
    RequestStatusUpdate,
    Response,
    SystemPromptContribution,
    ToolCallStatusUpdate,
    ToolsAvailable,
)

_ALPHABET: Final = string.ascii_letters + string.digits


class Assistant(Actor[AssistantConfig]):
    """Owns one conversation with a language model and hands its tool calls to other actors."""

    def start(self) -> None:
        """Read the configuration and look around."""
        # Empty until it is known; nothing is asked before that.
        self.base_url = self.config.base_url or ""
        self.model = Model(self.config.model_name, self.config.system_messages_as)
        self.prompt = SystemPrompt(self.config.system_prompt)
        os = host.os_info()
        self.prompt.put_fact("current_directory", f"Working directory: {host.working_directory()}")
        self.prompt.put_fact("os_info", f"Operating system: {os.os} {os.arch}")
        self.prompt.put_time(datetime.now(UTC))
        self.conversation = Conversation(
            self.scope,
            Rules(
                require_tool_call=self.config.require_tool_call,
                allow_empty_responses=self.config.allow_empty_responses,
                tool_timeout_seconds=self.config.tool_timeout_seconds,
            ),
            new_request_id=new_request_id,
            clock=time.monotonic,
            endpoint_known=bool(self.base_url),
        )

    # --- the agent comes to life ---

    @on(BaseUrlUpdate)
    def endpoint_found(self, message: BaseUrlUpdate) -> None:
        """There is a model to ask."""
        if not self.config.base_url:  # what the user configured wins
            self.base_url = message.base_url
            self.conversation.endpoint_found()
        self.act()

    @on(AllActorsReady)
    def all_actors_ready(self) -> None:
        """The agent is complete."""
        self.conversation.all_actors_ready()
        self.act()

    @on(AgentSpawned)
    def agent_spawned(self, message: AgentSpawned) -> None:
        """Remember whose agent this is."""
        if message.agent_id == self.scope:
            self.conversation.parent = message.parent_agent

    @on(ToolsAvailable)
    def tools_available(self, message: ToolsAvailable, envelope: Envelope) -> None:
        """Offer another actor's tools to the model."""
        self.conversation.tools_available(envelope.from_actor_id, message.tools)
        self.act()

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
        if isinstance(message.message, SystemMessage | UserMessage):
            # Once per input and not per request, so that a turn's prompt stays the same.
            self.prompt.put_time(datetime.now(UTC))
            self.conversation.message_added(message.message, envelope.from_scope)
        self.act()

    @on(Response)
    def response_seen(self, message: Response) -> None:
        """The own answer came back, behind everything that was sent before it."""
        self.conversation.response_seen(message.message)
        self.act()

    @on(ToolCallStatusUpdate)
    def tool_reported(self, message: ToolCallStatusUpdate) -> None:
        """A tool has a result."""
        if isinstance(message.status, CallDone):
            self.conversation.tool_answered(
                message.originating_request_id, message.id, message.status.result
            )
        self.act()

    @on(RequestStatusUpdate)
    def status_requested(self, message: RequestStatusUpdate) -> None:
        """A tool wants another status."""
        self.conversation.status_requested(message.status, message.originating_request_id)
        self.act()

    @on(QueueStatusChange)
    def status_queued(self, message: QueueStatusChange) -> None:
        """Somebody wants the agent to pause or stop."""
        self.conversation.status_queued(message.status)
        self.act()

    @on(CompactedConversation)
    def compacted(self, message: CompactedConversation) -> None:
        """The beginning of the history was summarised."""
        self.conversation.compacted(message.messages, message.compacted_to)
        self.act()

    # --- effects ---

    def act(self) -> None:
        """Do what the conversation wants done, until it wants nothing more."""
        self.conversation.time_passes()
        while self.conversation.outbox:
            self.perform(self.conversation.outbox.popleft())

    def perform(self, effect: Effect) -> None:
        """Do one thing."""
        match effect:
            case HistoryChanged():
                self.broadcast(ChatStateUpdated(chat_state=self.chat_state()))
            case AskModel(request_id=request_id):
                self.ask(request_id)
            case Warn(text=text):
                log.warn(text)
            case _:
                self.broadcast(effect)

    def ask(self, request_id: str) -> None:
        """Make a request and tell the conversation how it went."""
        state = self.chat_state()
        self.broadcast(Request(chat_state=state))
        try:
            answer = self.model.ask(
                self.base_url, request_id, state.system.content, state.messages, state.tools
            )
        except ModelError as error:
            log.error(f"{error.title}: {error}")
            self.conversation.failed(error.title, str(error))
        else:
            self.conversation.replied(answer.reply, answer.usage)

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
