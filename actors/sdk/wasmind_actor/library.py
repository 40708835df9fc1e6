"""Messages by which actors of the library talk to each other, beyond those all share."""

from __future__ import annotations

from typing import Literal, TypeAlias

from wasmind_actor.chat import Scope
from wasmind_actor.wire import Message, Variant

AgentType: TypeAlias = Literal["MainManager", "SubManager", "Worker"]


class DelegatedAgentSpawned(
    Message, type="delegation_network.delegation_network_coordinator.AgentSpawned"
):
    """By `spawn_agent`, from the manager's scope: it has a new subordinate."""

    agent_type: AgentType
    agent_id: Scope


class Approved(Variant):
    """The expert agrees."""


class RequestChanges(Variant):
    """The expert wants something else."""

    changes: str


class ApprovalResponse(
    Message, type="code_with_experts.common.ApprovalResponse", newtype=True, reach="any"
):
    """By `approve` and `request_changes`, from the expert's scope."""

    value: Approved | RequestChanges


class PlanReviewResponse(Message, type="review_plan.common.PlanReviewResponse", reach="any"):
    """By `review_plan`, from the reviewer's scope."""

    feedback: str
