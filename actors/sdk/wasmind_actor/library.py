"""What actors of the library share: the messages between them, and who works for whom."""

from __future__ import annotations

from typing import Literal, TypeAlias

from wasmind_actor.actor import Actor
from wasmind_actor.chat import Scope
from wasmind_actor.handlers import Envelope, on
from wasmind_actor.messages import Exit, RequestStatusUpdate
from wasmind_actor.status import Done
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


class ManagerTool(Actor):
    """Base of tools with which a manager deals with the agents it has spawned.

    Attributes:
        working: agent to whether it still works, for every subordinate of the own agent.
    """

    working: dict[Scope, bool]

    def start(self) -> None:
        """Nobody has been spawned yet."""
        self.working = {}

    @on(DelegatedAgentSpawned)
    def subordinate_spawned(self, message: DelegatedAgentSpawned) -> None:
        """A new subordinate of the own agent."""
        self.working[message.agent_id] = True

    @on(RequestStatusUpdate, reach="any")
    def status_requested(self, message: RequestStatusUpdate, envelope: Envelope) -> None:
        """A subordinate that asks to be done has reported already: nothing more will come."""
        if isinstance(message.status, Done) and message.agent == envelope.from_scope:
            self._finished(envelope.from_scope)

    @on(Exit, reach="any")
    def agent_ended(self, message: Exit, envelope: Envelope) -> None:
        """A subordinate has ended, however it came to that."""
        self._finished(envelope.from_scope)

    def _finished(self, scope: Scope) -> None:
        if scope in self.working:
            self.working[scope] = False
