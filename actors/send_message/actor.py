"""A tool with which a manager writes to an agent it has spawned."""

from __future__ import annotations

from typing import Annotated, Final

from wasmind_actor import Call, Contribution, FlexibleBool, Param, ToolError, ToolResult, tool
from wasmind_actor.chat import SystemMessage
from wasmind_actor.library import ManagerTool
from wasmind_actor.messages import AddMessage

GUIDE: Final = """
Writes to an agent you have spawned, while it works.

Use it to correct its course, to pass on new facts or changed requirements, to answer its question,
or to ask how a long job stands. Do not use it right after spawning (the task says it all), to ask
for results (they come by themselves when the agent is done), or to steer each step.

Say what you know, what you want and by when. With `wait: true` you pause until a message comes for
you, from this agent or another one; without it you go on at once.

- answer a question: `{"agent_id": "A1B2C3", "message": "Use the branch `main`.", "wait": true}`
- change the goal: `{"agent_id": "A1B2C3", "message": "Leave the CLI alone; only the API changes."}`
"""


class SendMessage(ManagerTool):
    """Carries a manager's words to a subordinate."""

    contributions = (Contribution.guide("send_message", GUIDE, priority=900),)

    @tool
    def send_message(
        self,
        call: Call,
        agent_id: Annotated[str, Param("The agent, by the id that spawning it returned.")],
        message: Annotated[str, Param("What to tell it.")],
        wait: Annotated[FlexibleBool, Param("Pause until a message comes for you.")] = False,
    ) -> ToolResult:
        """Sends a message to an agent you have spawned; it reads it before its next step."""
        working = self.working.get(agent_id)
        if working is None:
            known = ", ".join(self.working) or "none yet"
            raise ToolError(
                f"There is no agent `{agent_id}` of yours. You can write only to agents you have "
                f"spawned yourself: {known}."
            )
        if not working:
            raise ToolError(f"The agent `{agent_id}` has finished or was ended; it reads no more.")
        text = f"Message from your manager:\n\n{message}\n\nReact to it in your next step."
        self.broadcast(AddMessage(agent=agent_id, message=SystemMessage(content=text)))
        if wait:
            call.pause_agent()
        return ToolResult(
            f"The message was sent to agent {agent_id}. Give it time to react.",
            f"Message to {agent_id} delivered" + (", waiting" if wait else ""),
            f"To: {agent_id}\nWait: {'yes' if wait else 'no'}\n\n{message}",
        )
