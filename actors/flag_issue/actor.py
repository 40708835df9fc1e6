"""A tool with which a health analyzer stops an agent that is in trouble."""

from __future__ import annotations

from typing import Annotated

from wasmind_actor import Actor, Call, Param, ToolResult, agents, shorten, tool
from wasmind_actor.chat import SystemMessage
from wasmind_actor.messages import AddMessage, QueueStatusChange
from wasmind_actor.status import Wait, WaitingForSystemInput


class FlagIssue(Actor):
    """Holds the agent that is being watched and alerts its manager."""

    @tool
    def flag_issue(
        self,
        call: Call,
        issue_summary: Annotated[
            str, Param("What goes wrong, with the evidence: which action, how often, since when.")
        ],
    ) -> ToolResult:
        """Reports that the agent is stuck: it is held until its manager has given guidance."""
        watched = agents.parent()
        manager = None if watched is None else agents.parent_of(watched)
        if watched is not None and manager is not None:
            self._hold(watched, manager)
            self._alert(watched, manager, issue_summary)
        call.end_agent(f"An issue was flagged: {issue_summary}")
        return ToolResult(
            f"Flagged: {issue_summary}",
            f"Flagged: {shorten(issue_summary, 40)}",
            issue_summary,
        )

    def _hold(self, watched: str, manager: str) -> None:
        reason = WaitingForSystemInput(required_scope=manager, interruptible_by_user=True)
        self.broadcast(QueueStatusChange(agent=watched, status=Wait(reason=reason)))

    def _alert(self, watched: str, manager: str, issue: str) -> None:
        text = (
            f"Health alert for your agent {watched}: {issue}\n\n"
            "The agent pauses until you give it guidance with `send_message`."
        )
        self.broadcast(AddMessage(agent=manager, message=SystemMessage(content=text)))
