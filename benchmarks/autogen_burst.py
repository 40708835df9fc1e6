"""A burst of messages to N agents on AutoGen core.

Handlers are found by their annotations at run time, so these must not be postponed.
"""

import time
from dataclasses import dataclass

from autogen_core import (
    AgentId,
    DefaultTopicId,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    default_subscription,
    message_handler,
)


@dataclass
class Note:
    """Two bytes of text."""

    text: str


@default_subscription
class Listener(RoutedAgent):
    """Ignores what it hears."""

    @message_handler
    async def heard(self, message: Note, ctx: MessageContext) -> None:
        """Do nothing."""


async def burst(agents: int, messages: int) -> float:
    """Seconds a delivery."""
    runtime = SingleThreadedAgentRuntime()
    for number in range(agents):
        name = f"listener{number}"
        await Listener.register(runtime, name, lambda: Listener("listens"))
        await runtime.try_get_underlying_agent_instance(AgentId(name, "default"))
    runtime.start()
    started = time.perf_counter()
    for _ in range(messages):
        await runtime.publish_message(Note(text="xx"), topic_id=DefaultTopicId())
    await runtime.stop_when_idle()
    return (time.perf_counter() - started) / messages / agents
