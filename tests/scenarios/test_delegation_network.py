"""The delegation network at work: managers, workers, reviewers and health checks."""

from __future__ import annotations

from pathlib import Path

from tests.scenarios.harness import called, calls, kind, once, payload, says, status

EXAMPLE = "delegation_network"
MANAGER = {"offers": ["planner"]}
WORKER = {"offers": ["execute_bash", "complete"]}
LEAD = {"offers": ["spawn_agent", "complete"]}


def spawn(*roles: str, kind: str = "Worker", wait: bool = True) -> dict:
    agents = [
        {"agent_role": role, "agent_type": kind, "task_description": f"Do what a {role} does."}
        for role in roles
    ]
    return {"agents_to_spawn": agents, "wait": wait}


def complete(summary: str) -> dict:
    return {"summary": summary, "success": True}


REPORT = says("Reported: ${text}", role="system", matches="(?s)success:\\s+(?P<text>.*)", **MANAGER)
#: A command that ends when a test makes the file `go`.
UNTIL_GO = "while [ ! -e go ]; do sleep 0.05; done"
COUNT = calls("execute_bash", {"command": "echo 7"}, role="user", **WORKER)
COMPLETE = calls("complete", complete("7 files"), tool="execute_bash", **WORKER)


def test_a_worker_counts_and_reports(start):
    run = start(
        EXAMPLE,
        [calls("spawn_agent", spawn("Counter"), role="user", **MANAGER), COUNT, COMPLETE, REPORT],
    )
    run.say("how many files are here?")
    run.until_answer("7 files")
    run.until_rest()
    tools = {each["function"]["name"] for each in run.requests("Root Agent")[0]["tools"]}
    assert tools == {"spawn_agent", "send_message", "request_plan_review", "planner", "wait"}
    tools = {each["function"]["name"] for each in run.requests("Counter")[0]["tools"]}
    assert tools == {
        "execute_bash",
        "read_file",
        "edit_file",
        "complete",
        "send_manager_message",
        "request_plan_review",
    }
    assert "Do what a Counter does." in run.requests("Counter")[0]["system"]["content"]
    history = run.requests("Root Agent")[-1]["messages"]
    assert [each["role"] for each in history] == ["user", "assistant", "tool", "system"]
    run.until_ended("Counter")
    waited = [status(each) for each in run.messages("StatusUpdate", "Root Agent")]
    assert "WaitingForAgentCoordination" in waited


def test_a_worker_that_forgets_to_call_a_tool_is_reminded(start):
    talk = once(says("I think there are 7.", role="user", **WORKER))
    go_on = calls("execute_bash", {"command": "echo 7"}, role="system", **WORKER)
    manager = calls("spawn_agent", spawn("Counter"), role="user", **MANAGER)
    run = start(EXAMPLE, [manager, talk, go_on, COMPLETE, REPORT])
    run.say("how many files are here?")
    run.until_answer("7 files")
    assert "no tool call" in run.requests("Counter")[1]["messages"][-1]["content"]


def test_a_worker_asks_its_manager(start):
    rules = [
        calls("spawn_agent", spawn("Counter"), role="user", **MANAGER),
        calls(
            "send_manager_message",
            {"message": "which branch?", "wait": True},
            role="user",
            **WORKER,
        ),
        REPORT,
        calls(
            "send_message",
            {"agent_id": "${agent}", "message": "main", "wait": True},
            role="system",
            matches="agent (?P<agent>\\w+):\\s+which branch",
            **MANAGER,
        ),
        calls("complete", complete("on main"), role="system", contains="main", **WORKER),
    ]
    run = start(EXAMPLE, rules)
    run.say("count on the right branch")
    run.until_answer("on main")
    worker = run.scope_of("Counter")
    waits = [
        payload(each)["status"]["Wait"]["reason"]["WaitingForAgentCoordination"]
        for each in run.messages("StatusUpdate", "Counter")
        if status(each) == "WaitingForAgentCoordination"
    ]
    assert [each["target_agent_scope"] for each in waits] == ["000000"]
    answer = run.requests("Counter")[-1]["messages"][-1]["content"]
    assert "main" in answer
    assert worker in run.requests("Root Agent")[1]["messages"][-1]["content"]


def test_two_workers_and_wait(start):
    rules = [
        calls("spawn_agent", spawn("First", "Second"), role="user", **MANAGER),
        says(
            "Both: ${text}", role="system", matches="(?s)success:\\s+(?P<text>second.*)", **MANAGER
        ),
        calls("wait", {"reason": "the other report"}, role="system", **MANAGER),
        calls("complete", complete("first"), role="user", contains="First", **WORKER),
        calls("execute_bash", {"command": "sleep 1"}, role="user", contains="Second", **WORKER),
        calls("complete", complete("second"), tool="execute_bash", **WORKER),
    ]
    run = start(EXAMPLE, rules)
    run.say("do both")
    run.until_answer("Both: second")
    history = run.requests("Root Agent")[-1]["messages"]
    reports = [each["content"] for each in history if each["role"] == "system"]
    assert len(reports) == 2


def test_waiting_for_nobody_is_refused(start):
    rules = [
        calls("wait", {"reason": "nothing"}, role="user", **MANAGER),
        says("refused", tool="wait", contains="nothing to wait for", **MANAGER),
    ]
    run = start(EXAMPLE, rules)
    run.say("wait")
    run.until_answer("refused")


def test_a_plan_is_reviewed_by_two(start):
    rules = [
        calls(
            "request_plan_review", {"task": "move it", "plan": "1. move"}, role="user", **MANAGER
        ),
        says("done: ${text}", tool="request_plan_review", matches="(?s)(?P<text>.*)", **MANAGER),
        calls(
            "review_plan",
            {"feedback": "managers: fine"},
            contains="move it",
            offers=["review_plan"],
        ),
    ]
    run = start(EXAMPLE, rules)
    run.say("move it")
    run.until_answer("managers: fine")
    reviewers = {"manager_perspective_reviewer_assistant", "strategic_plan_advisor_assistant"}
    assert reviewers < set(run.names.values())
    (result,) = run.results()
    for name in reviewers:
        assert name in result["Ok"]["content"]
        run.until_ended(name)
        tools = {each["function"]["name"] for each in run.requests(name)[0]["tools"]}
        assert tools == {"read_file", "execute_bash", "review_plan"}, "a reviewer cannot edit"
        (question,) = run.requests(name)[0]["messages"]
        assert question["role"] == "user"


def test_an_edit_of_a_worker_is_reviewed_by_three(start, tmp_path):
    text = "def area(radius: float) -> float:\n    return 3.14159 * radius * radius\n" * 4
    rules = [
        calls("spawn_agent", spawn("Author"), role="user", **MANAGER),
        REPORT,
        calls(
            "edit_file",
            {"path": "area.py", "edits": [{"old_string": "", "new_string": text}]},
            role="user",
            **WORKER,
        ),
        calls("complete", complete("written"), tool="edit_file", **WORKER),
        once(
            calls(
                "request_changes", {"changes_requested": "use math.pi"}, offers=["request_changes"]
            )
        ),
        calls("approve", offers=["approve"]),
    ]
    run = start(EXAMPLE, rules)
    run.say("write area.py")
    run.until_answer("written")
    assert (tmp_path / "work" / "area.py").read_text() == text
    edit = run.results("Author")[0]["Ok"]["content"]
    assert "use math.pi" in edit
    experts = [name for name in run.names.values() if "approver" in name]
    assert len(experts) == 3
    for name in experts:
        assert run.parents[run.scope_of(name)] == run.scope_of("Author")
        run.until_ended(name)


def test_a_health_check_holds_a_worker_until_its_manager_answers(start):
    rules = [
        calls("spawn_agent", spawn("Looper"), role="user", contains="go", **MANAGER),
        REPORT,
        calls("wait", {"reason": "a word of the user"}, role="system", contains="alert", **MANAGER),
        calls(
            "send_message",
            {"agent_id": "${agent}", "message": "stop that", "wait": True},
            role="user",
            matches="help (?P<agent>\\w+)",
            **MANAGER,
        ),
        calls("execute_bash", {"command": UNTIL_GO}, role="user", **WORKER),
        calls("complete", complete("stopped"), role="system", contains="stop that", **WORKER),
        once(calls("flag_issue", {"issue_summary": "sleeps"}, offers=["flag_issue"])),
        calls("report_normal", offers=["report_normal"]),
    ]
    run = start(EXAMPLE, rules, {"check_health": {"check_interval": 0}})
    run.say("go")
    hold = run.until(lambda each: kind(each) == "QueueStatusChange")
    looper = run.scope_of("Looper")
    assert payload(hold)["agent"] == looper
    reason = payload(hold)["status"]["Wait"]["reason"]["WaitingForSystemInput"]
    assert reason["required_scope"] == "000000"
    assert run.parents[hold.from_scope] == looper
    assert run.names[hold.from_scope] == "Check Health"
    run.until(lambda each: called(each) == "wait")
    Path("go").touch()
    run.until(lambda each: each.from_scope == looper and status(each) == "WaitingForSystemInput")
    run.say(f"help {looper}")
    run.until_answer("stopped")


def test_a_sub_manager_has_its_own_workers(start):
    rules = [
        calls("spawn_agent", spawn("Lead", kind="SubManager"), role="user", **MANAGER),
        REPORT,
        calls("spawn_agent", spawn("Hand"), role="user", **LEAD),
        calls(
            "complete",
            complete("led: ${text}"),
            role="system",
            matches="(?s)success:\\s+(?P<text>.*)",
            **LEAD,
        ),
        calls("complete", complete("handled"), role="user", **WORKER),
    ]
    run = start(EXAMPLE, rules)
    run.say("do it")
    run.until_answer("led: handled")
    assert run.parents[run.scope_of("Hand")] == run.scope_of("Lead")
    assert run.parents[run.scope_of("Lead")] == "000000"
    reports = [payload(each)["agent"] for each in run.messages("AddMessage", "Hand")]
    assert reports == [run.scope_of("Lead")]


def test_a_type_that_does_not_exist_is_refused(start):
    rules = [
        calls("spawn_agent", spawn("Boss", kind="Manager"), role="user", **MANAGER),
        says("refused", tool="spawn_agent", contains="SubManager", **MANAGER),
    ]
    run = start(EXAMPLE, rules)
    run.say("spawn a manager")
    run.until_answer("refused")
    assert set(run.names.values()) == {"Root Agent"}


def test_the_user_interrupts_a_manager_that_waits(start):
    rules = [
        once(calls("spawn_agent", spawn("Counter"), role="user", **MANAGER)),
        calls("wait", {"reason": "the report"}, role="user", contains="how far", **MANAGER),
        REPORT,
        calls(
            "execute_bash",
            {"command": UNTIL_GO},
            role="user",
            **WORKER,
        ),
        COMPLETE,
    ]
    run = start(EXAMPLE, rules)
    run.say("count")
    run.until(
        lambda each: each.from_scope == "000000" and status(each) == "WaitingForAgentCoordination"
    )
    run.say("how far are you?")
    run.until(lambda each: called(each) == "wait")
    run.until(
        lambda each: each.from_scope == "000000" and status(each) == "WaitingForAgentCoordination"
    )
    Path("go").touch()
    run.until_answer("7 files")
