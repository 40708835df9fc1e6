"""A tool with which a manager goes on waiting after an interruption."""

from __future__ import annotations

from typing import Annotated, Final

from wasmind_actor import Call, Contribution, Param, ToolError, ToolResult, tool
from wasmind_actor.library import ManagerTool

GUIDE: Final = """
Goes on waiting after something interrupted you: the user wrote, or one of several agents reported.

To begin with, wait by spawning with `wait: true`; never call this right after such a spawn, which
waits already. Always say what you wait for.

Example: you spawned two agents with `wait: true`; the first reports and you wake. You still need
the second: `{"reason": "the report of the agent that writes the tests"}`.
"""


class Wait(ManagerTool):
    """Pauses a manager until somebody writes to it."""

    contributions = (Contribution.guide("wait", GUIDE, priority=700),)

    @tool
    def wait(
        self,
        call: Call,
        reason: Annotated[str, Param("What you are waiting for.")] = "",
    ) -> ToolResult:
        """Pauses you until one of your agents reports or somebody writes to you."""
        if not any(self.working.values()):
            raise ToolError(
                "There is nothing to wait for: none of your agents is at work. Spawn one first, or "
                "finish with what has been reported."
            )
        call.pause_agent()
        reason = reason or "the next message"
        return ToolResult("You are waiting.", f"Waiting for {reason}", f"Waiting for {reason}")
