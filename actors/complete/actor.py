"""A tool that ends its agent and reports to the manager."""

from __future__ import annotations

from typing import Annotated

from wasmind_actor import Actor, Call, Param, ToolResult, agents, shorten, tool
from wasmind_actor.chat import SystemMessage
from wasmind_actor.messages import AddMessage


class Complete(Actor):
    """Ends its agent."""

    @tool
    def complete(
        self,
        call: Call,
        summary: Annotated[str, Param("What was achieved, or what was tried and why it failed.")],
        success: Annotated[bool, Param("Whether the task is done.")],
    ) -> ToolResult:
        """Ends your work: your manager gets the summary, and you take no further step.

        Call it exactly once, when the task is done and verified, or when it cannot be done. Write
        the summary for somebody who has seen nothing of your work: results, changed files, proof.
        """
        call.end_agent(summary, success=success)
        outcome = "success" if success else "failure"
        if (manager := agents.parent()) is not None:
            text = f"Agent {self.scope} has finished with {outcome}:\n\n{summary}"
            self.broadcast(AddMessage(agent=manager, message=SystemMessage(content=text)))
        return ToolResult(
            "The task was completed." if success else "The task was ended as failed.",
            f"{'Completed' if success else 'Failed'}: {shorten(summary, 50)}",
            f"Outcome: {outcome}\n\n{summary}",
        )
