"""A tool with which a reviewer gives feedback on a plan."""

from __future__ import annotations

from typing import Annotated

from wasmind_actor import Actor, Call, Contribution, Param, ToolResult, tool
from wasmind_actor.library import PlanReviewResponse

_GUIDE = """
Give your feedback on the plan with this tool. Be concrete: name the step, say what is wrong with it
and what to do instead. If the plan is sound, say so in a sentence.
"""


class ReviewPlan(Actor):
    """A reviewer's verdict."""

    contributions = (
        Contribution.guide(
            "review_plan", _GUIDE, key="review_plan:usage", priority=900, after_tools=True
        ),
    )

    @tool
    def review_plan(
        self,
        call: Call,
        feedback: Annotated[str, Param("What to change in the plan and why, or that it is sound.")],
    ) -> ToolResult:
        """Gives your feedback on the plan and ends your review."""
        self.broadcast(PlanReviewResponse(feedback=feedback))
        call.end_agent("Feedback was given.")
        return ToolResult(f"Your feedback: {feedback}", "Feedback given", feedback)
