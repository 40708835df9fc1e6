"""The tools of managers and workers, against a host that only pretends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from wasmind_actor.agents import SpawnError
from wasmind_actor.chat import ChatState, SystemMessage, SystemPrompt, UserMessage
from wasmind_actor.library import DelegatedAgentSpawned
from wasmind_actor.messages import (
    AddMessage,
    Exit,
    QueueStatusChange,
    Request,
    RequestStatusUpdate,
    SystemPromptContribution,
    ToolCallStatusUpdate,
    ToolsAvailable,
)
from wasmind_actor.status import (
    Done,
    TaskResponse,
    Wait,
    WaitingForAgentCoordination,
    WaitingForSystemInput,
)
from wasmind_actor.testing import FakeHost, Stage, load
from wasmind_actor.wire import Ok

ACTORS = Path(__file__).parents[2] / "actors"
TEAM = {"worker_actors": ["worker", "bash"], "sub_manager_actors": ["lead", "spawn"]}
DONE = Done(result=Ok(TaskResponse(summary="all good", success=True)))


def stage(
    name: str, config: Mapping[str, Any] | None = None, parents: Mapping[str, str] | None = None
) -> Stage:
    host = FakeHost(parents=dict(parents or {}))
    return Stage(load(ACTORS / name), config=config or {}, host=host, scope="WORKER")


def order(actor: Stage, *kinds: type) -> list[str]:
    wanted = {kind.message_type for kind in kinds}
    return [sent.message_type for sent in actor.host.bus if sent.message_type in wanted]


def definition(**changes: str) -> dict[str, str]:
    given = {"agent_role": "Counter", "task_description": "Count.", "agent_type": "Worker"}
    return {**given, **changes}


class TestSpawnAgent:
    def test_makes_an_agent_and_tells_it_its_task(self):
        actor = stage("spawn_agent", TEAM)
        answer = actor.call("spawn_agent", agents_to_spawn=[definition()])
        assert actor.host.spawned == [(("worker", "bash"), "Counter")]
        assert "agent1" in answer.content
        assert actor.sent(DelegatedAgentSpawned) == [
            DelegatedAgentSpawned(agent_type="Worker", agent_id="agent1")
        ]
        (task,) = actor.sent(AddMessage)
        assert isinstance(task.message, UserMessage)
        assert "Count." in task.message.content
        contribution = actor.sent(SystemPromptContribution)[-1]
        assert (contribution.agent, contribution.key) == ("agent1", "spawn_agent:task")
        assert (contribution.section, contribution.priority) == ("instructions", 100)
        assert not actor.sent(RequestStatusUpdate)

    def test_pauses_before_it_answers(self):
        actor = stage("spawn_agent", TEAM)
        actor.call("spawn_agent", agents_to_spawn=[definition()], wait="Yes")
        (request,) = actor.sent(RequestStatusUpdate)
        assert request.status == Wait(
            reason=WaitingForAgentCoordination(
                originating_request_id="req_000001",
                coordinating_tool_name="spawn_agent",
                target_agent_scope=None,
                user_can_interrupt=True,
            )
        )
        kinds = order(actor, RequestStatusUpdate, ToolCallStatusUpdate)
        assert kinds == [RequestStatusUpdate.message_type, ToolCallStatusUpdate.message_type]

    def test_makes_several_of_both_types(self):
        actor = stage("spawn_agent", TEAM)
        lead = definition(agent_type="SubManager", agent_role="Lead")
        answer = actor.call("spawn_agent", agents_to_spawn=[definition(), lead])
        assert [actors for actors, _ in actor.host.spawned] == [
            ("worker", "bash"),
            ("lead", "spawn"),
        ]
        assert "2 agents" in answer.content

    @pytest.mark.parametrize("kind", ["Manager", "MainManager", "worker"])
    def test_refuses_other_types(self, kind):
        actor = stage("spawn_agent", TEAM)
        error = actor.call_error("spawn_agent", agents_to_spawn=[definition(agent_type=kind)])
        assert "SubManager" in error.content
        assert not actor.host.spawned

    def test_refuses_to_make_none(self):
        error = stage("spawn_agent", TEAM).call_error("spawn_agent", agents_to_spawn=[])
        assert "At least one" in error.content

    def test_says_who_exists_when_a_later_one_fails(self):
        actor = stage("spawn_agent", TEAM)
        spawn = actor.host.spawn

        def only_the_first(actors, name):
            if name != "Counter":
                raise SpawnError("too many agents")
            return spawn(actors, name)

        actor.host.spawn = only_the_first
        error = actor.call_error(
            "spawn_agent", agents_to_spawn=[definition(), definition(agent_role="Tester")]
        )
        assert "`Tester` could not be spawned: too many agents" in error.content
        assert "Counter (agent1)" in error.content


class TestMessages:
    def test_reach_a_subordinate(self):
        actor = stage("send_message")
        actor.deliver(DelegatedAgentSpawned(agent_type="Worker", agent_id="CHILD1"))
        actor.call("send_message", agent_id="CHILD1", message="use main", wait=True)
        (sent,) = actor.sent(AddMessage)
        assert sent.agent == "CHILD1"
        assert isinstance(sent.message, SystemMessage)
        assert "use main" in sent.message.content
        (request,) = actor.sent(RequestStatusUpdate)
        assert request.status.reason.coordinating_tool_name == "send_message"

    def test_reach_nobody_else(self):
        actor = stage("send_message")
        other = DelegatedAgentSpawned(agent_type="Worker", agent_id="THEIRS")
        actor.deliver(other, from_scope="OTHER1")
        assert "spawned" in actor.call_error("send_message", agent_id="THEIRS", message="x").content

    def test_do_not_reach_one_that_has_ended(self):
        actor = stage("send_message")
        actor.deliver(DelegatedAgentSpawned(agent_type="Worker", agent_id="CHILD1"))
        actor.deliver(Exit(), from_scope="CHILD1")
        assert (
            "finished" in actor.call_error("send_message", agent_id="CHILD1", message="x").content
        )

    def test_reach_the_manager_with_the_name_of_the_sender(self):
        actor = stage("send_manager_message", parents={"WORKER": "BOSS00"})
        actor.call("send_manager_message", message="which branch?", wait=True)
        (sent,) = actor.sent(AddMessage)
        assert sent.agent == "BOSS00"
        assert "WORKER" in sent.message.content
        assert "which branch?" in sent.message.content
        (request,) = actor.sent(RequestStatusUpdate)
        assert request.status.reason.target_agent_scope == "BOSS00"

    def test_need_a_manager(self):
        error = stage("send_manager_message").call_error("send_manager_message", message="x")
        assert "no manager" in error.content


class TestWait:
    def test_pauses_while_somebody_works(self):
        actor = stage("wait")
        actor.deliver(DelegatedAgentSpawned(agent_type="Worker", agent_id="CHILD1"))
        answer = actor.call("wait", reason="the second report")
        assert answer.ui_display_info.collapsed == "Waiting for the second report"
        (request,) = actor.sent(RequestStatusUpdate)
        assert request.status.reason.coordinating_tool_name == "wait"

    def test_needs_no_reason(self):
        actor = stage("wait")
        actor.deliver(DelegatedAgentSpawned(agent_type="Worker", agent_id="CHILD1"))
        actor.call("wait")

    def test_refuses_when_nobody_works(self):
        assert "nothing to wait for" in stage("wait").call_error("wait", reason="x").content

    def test_knows_that_one_is_done_before_it_has_ended(self):
        actor = stage("wait")
        actor.deliver(DelegatedAgentSpawned(agent_type="Worker", agent_id="CHILD1"))
        done = RequestStatusUpdate(agent="CHILD1", status=DONE, originating_request_id="r")
        actor.deliver(done, from_scope="CHILD1")
        assert "nothing to wait for" in actor.call_error("wait", reason="x").content


class TestPlanner:
    def test_keeps_a_plan_in_the_prompt(self):
        actor = stage("planner")
        answer = actor.call("planner", action="create", title="Move", tasks=["list", "change"])
        assert answer.ui_display_info.expanded == "Move\n1. [ ] list\n2. [ ] change"
        actor.call("planner", action="update", task_number=1, status="inprogress")
        answer = actor.call("planner", action="update", task_number=2, status="skipped")
        assert answer.ui_display_info.expanded == "Move\n1. [~] list\n2. [>>] change"
        shown = actor.sent(SystemPromptContribution)[-1]
        assert (shown.key, shown.priority, shown.section) == (
            "planner:current_plan",
            600,
            "Current Plan",
        )
        assert shown.content.data["plan"]["tasks"][0] == {
            "number": 1,
            "description": "list",
            "status": "inprogress",
            "icon": "[~]",
        }

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            ({"action": "create", "title": "x", "tasks": []}, "empty"),
            ({"action": "create", "tasks": ["a"]}, "title"),
            ({"action": "update", "task_number": 1, "status": "completed"}, "no plan yet"),
            ({"action": "begin"}, "create"),
        ],
    )
    def test_says_what_is_missing(self, arguments, reason):
        assert reason in stage("planner").call_error("planner", **arguments).content

    @pytest.mark.parametrize("number", [0, 3])
    def test_knows_its_tasks(self, number):
        actor = stage("planner")
        actor.call("planner", action="create", title="x", tasks=["a", "b"])
        error = actor.call_error("planner", action="update", task_number=number, status="pending")
        assert "1 to 2" in error.content


class TestTheEndOfAnAgent:
    def test_complete_reports_to_the_manager(self):
        actor = stage("complete", parents={"WORKER": "BOSS00"})
        actor.call("complete", summary="7 files", success=True)
        (request,) = actor.sent(RequestStatusUpdate)
        result = Ok(TaskResponse(summary="7 files", success=True))
        assert request.status == Done(result=result)
        (report,) = actor.sent(AddMessage)
        assert report.agent == "BOSS00"
        for part in ("WORKER", "success", "7 files"):
            assert part in report.message.content
        kinds = order(actor, RequestStatusUpdate, AddMessage, ToolCallStatusUpdate)
        assert kinds == [
            RequestStatusUpdate.message_type,
            AddMessage.message_type,
            ToolCallStatusUpdate.message_type,
        ]

    def test_complete_without_a_manager(self):
        actor = stage("complete")
        actor.call("complete", summary="done", success=False)
        assert not actor.sent(AddMessage)

    def test_a_long_summary_is_cut_by_characters(self):
        answer = stage("complete").call("complete", summary="ü" * 60, success=True)
        assert answer.ui_display_info.collapsed == f"Completed: {'ü' * 47}..."

    @pytest.mark.parametrize("name", ["complete", "report_normal", "flag_issue"])
    def test_no_guide_is_needed(self, name):
        actor = stage(name)
        assert actor.sent(ToolsAvailable)
        assert not actor.sent(SystemPromptContribution)


class TestHealth:
    def conversation(self) -> Request:
        state = ChatState(
            system=SystemPrompt(content="be good"),
            tools=(),
            messages=(UserMessage(content="count"),),
        )
        return Request(chat_state=state)

    def test_an_agent_is_judged_by_another_one(self):
        actor = stage("check_health", {"check_interval": 0})
        actor.deliver(self.conversation())
        actor.deliver(("wasmind.common.assistant.Response", _response()))
        assert actor.host.spawned == [
            (("check_health_assistant", "flag_issue", "report_normal"), "Check Health")
        ]
        (question,) = actor.sent(AddMessage)
        assert question.agent == "agent1"
        for part in ("system: be good", "user: count", "assistant: I look", "report_normal"):
            assert part in question.message.content

    def test_not_before_its_time(self):
        actor = stage("check_health", {"check_interval": 3600})
        actor.deliver(self.conversation())
        actor.deliver(("wasmind.common.assistant.Response", _response()))
        assert not actor.host.spawned

    def test_an_issue_holds_the_agent_until_its_manager_answers(self):
        actor = stage("flag_issue", parents={"WORKER": "WATCH1", "WATCH1": "BOSS00"})
        actor.call("flag_issue", issue_summary="runs `make` again and again")
        (hold,) = actor.sent(QueueStatusChange)
        reason = WaitingForSystemInput(required_scope="BOSS00", interruptible_by_user=True)
        assert (hold.agent, hold.status) == ("WATCH1", Wait(reason=reason))
        (alert,) = actor.sent(AddMessage)
        assert alert.agent == "BOSS00"
        for part in ("WATCH1", "again and again"):
            assert part in alert.message.content
        assert isinstance(actor.sent(RequestStatusUpdate)[0].status, Done)

    def test_an_issue_of_an_agent_without_manager_holds_nobody(self):
        actor = stage("flag_issue", parents={"WORKER": "WATCH1"})
        actor.call("flag_issue", issue_summary="x")
        assert not actor.sent(QueueStatusChange)
        assert not actor.sent(AddMessage)

    def test_health_ends_the_check(self):
        actor = stage("report_normal")
        actor.call("report_normal")
        (request,) = actor.sent(RequestStatusUpdate)
        assert isinstance(request.status, Done)
        assert "healthy" in request.status.result.value.summary


def _response() -> dict[str, Any]:
    return {
        "message": {"content": "I look", "originating_request_id": "r"},
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
