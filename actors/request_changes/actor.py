"""A tool with which an expert objects to an edit."""

from __future__ import annotations

from typing import Annotated

from wasmind_actor import Actor, Call, Contribution, Param, ToolResult, tool
from wasmind_actor.library import ApprovalResponse, RequestChanges

_GUIDE = """
Call this when the change must not stay as it is. Name the place, say what is wrong there and what
to write instead; the author sees your text and nothing else of your review.
"""


class RequestChangesTool(Actor):
    """An expert's no, with reasons."""

    contributions = (
        Contribution.guide(
            "request_changes",
            _GUIDE,
            key="request_changes:usage",
            priority=900,
            after_tools=True,
        ),
    )

    @tool
    def request_changes(
        self,
        call: Call,
        changes_requested: Annotated[
            str, Param("The changes, as short instructions: where, what, and why if not obvious.")
        ],
    ) -> ToolResult:
        """Asks for changes to the proposed edit and ends your review."""
        self.broadcast(ApprovalResponse(value=RequestChanges(changes=changes_requested)))
        call.end_agent("Changes were requested.")
        return ToolResult(
            f"Changes were requested: {changes_requested}", "Changes requested", changes_requested
        )
