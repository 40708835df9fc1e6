"""What is said in a conversation: chat messages, tool calls and tool results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, TypeAlias

from wasmind_actor.wire import I32, REST, Err, Ok, Record

#: Names the agent a message belongs to: six letters or digits, `000000` for the root agent.
Scope: TypeAlias = str


class Function(Record):
    """The function part of a tool call; `arguments` is a JSON document as text."""

    name: str
    arguments: str


class ToolCall(Record, omit_none=True):
    """A model's wish to use a tool. `id` is unique within one answer only."""

    id: str
    type: str = "function"
    function: Function
    index: I32 | None = None


class ThinkingBlock(Record, omit_none=True):
    """A piece of a model's reasoning, signed by some providers."""

    type: str
    thinking: str
    signature: str | None = None


class SystemMessage(Record, tag=("role", "system")):
    """Instructions; in the middle of a conversation, word from another agent."""

    content: str


class UserMessage(Record, tag=("role", "user")):
    """What the user said."""

    content: str


class ToolMessage(Record, tag=("role", "tool")):
    """The result of a tool call, for the model."""

    tool_call_id: str
    name: str
    content: str


class AssistantMessage(Record, tag=("role", "assistant"), omit_none=True):
    """What a model answered."""

    content: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    reasoning_content: str | None = None
    thinking_blocks: tuple[ThinkingBlock, ...] | None = None
    provider_specific_fields: Any = None


class AssistantReply(AssistantMessage):
    """What a model answered, and to which request."""

    originating_request_id: str


ChatMessage: TypeAlias = SystemMessage | UserMessage | AssistantMessage | ToolMessage
HistoryMessage: TypeAlias = SystemMessage | UserMessage | AssistantReply | ToolMessage


class FunctionDefinition(Record):
    """A function offered to a model; `parameters` is a JSON Schema."""

    name: str
    description: str
    parameters: Any


class Tool(Record):
    """A tool offered to a model."""

    type: str = "function"
    function: FunctionDefinition


class Usage(Record):
    """What an answer cost, in tokens; `details` keeps whatever else the provider counted."""

    prompt_tokens: I32 = 0
    completion_tokens: I32 = 0
    total_tokens: I32 = 0
    details: Annotated[Mapping[str, Any], REST] = field(default_factory=dict)


class SystemPrompt(Record):
    """The rendered system prompt."""

    content: str


class ChatState(Record):
    """A conversation as it stands."""

    system: SystemPrompt
    tools: tuple[Tool, ...]
    messages: tuple[HistoryMessage, ...]


class Display(Record):
    """What people see of a tool call: one short line, and a longer text if there is one."""

    collapsed: str
    expanded: str | None = None


class ToolCallResult(Record):
    """The end of a tool call: `content` for the model, the rest for people."""

    content: str
    ui_display_info: Display


ToolOutcome: TypeAlias = Ok[ToolCallResult] | Err[ToolCallResult]
