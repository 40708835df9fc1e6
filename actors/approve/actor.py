"""A tool with which an expert agrees to an edit."""

from __future__ import annotations

from wasmind_actor import Actor, Call, Contribution, ToolResult, tool
from wasmind_actor.library import ApprovalResponse, Approved

_GUIDE = "Call this when you agree with the proposed change, or when it does not concern you."


class Approve(Actor):
    """An expert's yes."""

    contributions = (
        Contribution.guide("approve", _GUIDE, key="approve:usage", priority=900, after_tools=True),
    )

    @tool
    def approve(self, call: Call) -> ToolResult:
        """Approves the proposed change and ends your review."""
        self.broadcast(ApprovalResponse(value=Approved()))
        call.end_agent("Approved.")
        return ToolResult("The change is approved.", "Approved")
