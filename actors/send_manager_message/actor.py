"""A tool with which an agent writes to its manager."""

from __future__ import annotations

from typing import Annotated, Final

from wasmind_actor import (
    Actor,
    Call,
    Contribution,
    FlexibleBool,
    Param,
    ToolError,
    ToolResult,
    agents,
    tool,
)
from wasmind_actor.chat import SystemMessage
from wasmind_actor.messages import AddMessage

GUIDE: Final = """
Writes to your manager while you work.

Use it when you are blocked, when something critical or surprising turns up, when the task can be
read in two ways, when a finding changes the plan, when you lack access or a tool, or when your
manager has asked you something. Do not use it for routine progress, trifles or permission: you own
the task, and `complete` carries the result.

Say what happened, what you have tried, which options you see and which you would take, and how
urgent it is. With `wait: true` you pause until your manager answers; without it you go on.

- blocked: `{"message": "The tests need a database and none answers on port 5432. `make db` fails
  with `no docker`. Shall I use SQLite for them, or stop?", "wait": true}`
- a finding: `{"message": "The parser is used by two other services; changing its signature breaks
  both. I keep the old one as a wrapper."}`
"""


class SendManagerMessage(Actor):
    """Carries an agent's words to its manager."""

    contributions = (Contribution.guide("send_manager_message", GUIDE, priority=900),)

    @tool
    def send_manager_message(
        self,
        call: Call,
        message: Annotated[str, Param("What your manager must know.")],
        wait: Annotated[FlexibleBool, Param("Pause until your manager answers.")] = False,
    ) -> ToolResult:
        """Sends a message to your manager, who can answer with guidance."""
        manager = agents.parent()
        if manager is None:
            raise ToolError("You have no manager: nobody spawned you. Answer the user instead.")
        text = f"Message from your agent {self.scope}:\n\n{message}"
        self.broadcast(AddMessage(agent=manager, message=SystemMessage(content=text)))
        if wait:
            call.pause_agent(manager)
        return ToolResult(
            "The message was sent to your manager. Give it time to answer.",
            "Message to the manager delivered" + (", waiting" if wait else ""),
            message,
        )
