"""The messages that actors, the host and the user interface share.

Each class says what it means, who sends it and, where that is not the obvious, whose a handler
sees. Fields and JSON are those of the reference implementation.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias

from wasmind_actor.chat import (
    AssistantReply,
    ChatMessage,
    ChatState,
    Display,
    HistoryMessage,
    Scope,
    Tool,
    ToolCall,
    ToolOutcome,
    Usage,
)
from wasmind_actor.status import Status
from wasmind_actor.wire import I32, UNTAGGED, Message, Record, Variant

# --- life of actors and agents ---


class ActorReady(Message, type="wasmind.common.actors.ActorReady"):
    """Sent by the host for every actor that has started."""


class AllActorsReady(Message, type="wasmind.common.actors.AllActorsReady"):
    """Sent by the host once all actors of a scope have started."""


class Exit(Message, type="wasmind.common.actors.Exit"):
    """Ends the sender's agent. An actor never sees its own agent's."""


class AgentSpawned(Message, type="wasmind.common.actors.AgentSpawned", reach="any"):
    """Sent by the host when an agent has come to life; `actors` are logical names."""

    agent_id: Scope
    name: str
    parent_agent: Scope | None = None
    actors: tuple[str, ...]


# --- the conversation ---


class StatusUpdate(Message, type="wasmind.common.assistant.StatusUpdate"):
    """The sender's assistant is in a new status."""

    status: Status


class RequestStatusUpdate(Message, type="wasmind.common.assistant.RequestStatusUpdate"):
    """A tool that is being called wants its assistant in another status."""

    agent: Scope
    status: Status
    originating_request_id: str | None = None


class QueueStatusChange(Message, type="wasmind.common.assistant.QueueStatusChange"):
    """The status an assistant shall take instead of going on."""

    agent: Scope
    status: Status


class AddMessage(Message, type="wasmind.common.assistant.AddMessage"):
    """Input for an agent's assistant: a user or a system message."""

    agent: Scope
    message: ChatMessage


class Request(Message, type="wasmind.common.assistant.Request"):
    """The assistant is about to ask its model this."""

    chat_state: ChatState


class Response(Message, type="wasmind.common.assistant.Response"):
    """The model has answered."""

    message: Annotated[AssistantReply, UNTAGGED]
    usage: Usage


class ChatStateUpdated(Message, type="wasmind.common.assistant.ChatStateUpdated"):
    """The assistant's history has changed."""

    chat_state: ChatState


class Text(Variant, newtype=True, kw_only=False):
    """Text as it is."""

    value: str


class Data(Variant):
    """Data and the Jinja template that shows it; the template sees it as `data`."""

    data: Any
    default_template: str


class Section(StrEnum):
    """The sections of a system prompt, in their order; any other text is a custom section."""

    IDENTITY = "identity"
    CONTEXT = "context"
    CAPABILITIES = "capabilities"
    GUIDELINES = "guidelines"
    TOOLS = "tools"
    INSTRUCTIONS = "instructions"
    SYSTEM_CONTEXT = "system_context"


class SystemPromptContribution(Message, type="wasmind.common.assistant.SystemPromptContribution"):
    """Adds a piece to an agent's system prompt, or replaces the one of the same key.

    The key is `<actor>:<name>`. Within a section, higher priorities come first.
    """

    agent: Scope
    key: str
    content: Text | Data
    priority: I32
    section: str | None = None


class CompactedConversation(Message, type="wasmind.common.assistant.CompactedConversation"):
    """Replaces everything before the answer to request `compacted_to` by `messages`."""

    agent: Scope
    messages: tuple[HistoryMessage, ...]
    compacted_to: str


# --- tools ---


class ToolsAvailable(Message, type="wasmind.common.tools.ToolsAvailable"):
    """Offers tools to the assistant of the same scope."""

    tools: tuple[Tool, ...]


class ExecuteToolCall(Message, type="wasmind.common.tools.ExecuteToolCall"):
    """The assistant wants a tool to run."""

    tool_call: ToolCall
    originating_request_id: str


class Received(Variant):
    """The tool is at work."""

    display_info: Display


class AwaitingDetails(Record):
    """Whom a tool call is waiting for."""

    required_scope: Scope | None = None
    ui_display_info: Display


class AwaitingSystem(Variant):
    """The tool waits for another agent."""

    details: AwaitingDetails


class CallDone(Variant, name="Done"):
    """The tool has finished."""

    result: ToolOutcome


ToolCallStatus: TypeAlias = Received | AwaitingSystem | CallDone


class ToolCallStatusUpdate(Message, type="wasmind.common.tools.ToolCallStatusUpdate"):
    """Progress or result of tool call `id`."""

    status: ToolCallStatus
    id: str
    originating_request_id: str


# --- the rest ---


class BaseUrlUpdate(Message, type="wasmind.common.litellm.BaseUrlUpdate", reach="any"):
    """Sent by the host: where models are to be had. May come again."""

    base_url: str
    models_available: tuple[str, ...]


Level: TypeAlias = Literal["Info", "Warning", "Error"]


class UserNotification(Message, type="wasmind.common.ui.UserNotification"):
    """A note for the user."""

    level: Level
    title: str
    message: str
    source: str | None = None
