"""A tool that has a plan reviewed by agents made for that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from guide import GUIDE

from wasmind_actor import (
    Call,
    Config,
    Contribution,
    Deferred,
    Envelope,
    Param,
    ToolError,
    ToolResult,
    on,
    tool,
)
from wasmind_actor.chat import UserMessage
from wasmind_actor.library import PlanReviewResponse
from wasmind_actor.panel import SEPARATOR, Panel, PanelActor

_VERDICT = "rpr__review_plan"


class RequestPlanReviewConfig(Config):
    """Who reviews."""

    reviewers: Annotated[
        Mapping[str, tuple[str, ...]],
        Param("Name of each reviewer and the actors it is made of.", refers="actors"),
    ]


class RequestPlanReview(PanelActor[RequestPlanReviewConfig]):
    """Collects feedback on plans."""

    contributions = (Contribution.guide("request_plan_review", GUIDE, priority=900),)
    spawns = (_VERDICT,)
    waiting_for = "waiting for reviews:"

    @tool
    def request_plan_review(
        self,
        call: Call,
        task: Annotated[str, Param("The task, for readers who know nothing of it.")],
        plan: Annotated[str, Param("The plan, step by step.")],
    ) -> Deferred:
        """Has a plan reviewed and returns the feedback of all reviewers."""
        if not self.config.reviewers:
            raise ToolError("No reviewers are configured; go on without a review.")
        text = (
            "Review this plan before anybody starts on it.\n\n"
            f"<task>\n{task}\n</task>\n\n<plan>\n{plan}\n</plan>\n\n"
            "Give your feedback with `review_plan`."
        )
        self.convene(call, self.config.reviewers, [_VERDICT], UserMessage(content=text))
        return call.defer()

    @on(PlanReviewResponse)
    def reviewed(self, message: PlanReviewResponse, envelope: Envelope) -> None:
        """A reviewer has spoken."""
        self.give_opinion(envelope.from_scope, message.feedback)

    def concluded(self, panel: Panel) -> None:
        """Answer with all feedback there is."""
        feedback = [
            f"{member.name}:\n{member.opinion}"
            for member in panel.members.values()
            if member.opinion is not None
        ]
        if not feedback:
            names = ", ".join(panel.silent)
            panel.call.fail(ToolError(f"No reviewer gave feedback ({names}); go on without it."))
            return
        text = SEPARATOR.join(feedback)
        if panel.silent:
            text += f"\n\nNo feedback came from: {', '.join(panel.silent)}."
        panel.call.answer(
            ToolResult(f"The plan was reviewed:\n\n{text}", "Plan review completed", text)
        )
