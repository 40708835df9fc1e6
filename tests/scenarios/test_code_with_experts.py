"""A developer whose edits experts review."""

from __future__ import annotations

from pathlib import Path

from tests.scenarios.harness import calls, kind, once, payload, says

EXAMPLE = "code_with_experts"
ROOT = {"offers": ["edit_file", "execute_bash"]}
EXPERT = {"offers": ["approve"]}
EXPERTS = ["python_typechecker", "python_bestpractices", "repo_architect"]
LONG = "x = 1\n" * 60


def create(text: str = LONG, path: str = "hello.py") -> dict:
    return {"path": path, "edits": [{"old_string": "", "new_string": text}]}


def test_a_file_is_made_with_mixed_reviews(start):
    rules = [
        calls("edit_file", create(), role="user", **ROOT),
        says("done", tool="edit_file"),
        once(calls("request_changes", {"changes_requested": "add a docstring"}, **EXPERT)),
        calls("approve", **EXPERT),
    ]
    run = start(EXAMPLE, rules)
    run.say("create hello.py")
    run.until(lambda each: kind(each) == "ApprovalResponse")
    assert not Path("hello.py").exists()
    run.until_answer("done")
    assert Path("hello.py").read_text() == LONG
    tools = {each["function"]["name"] for each in run.requests("Root Agent")[0]["tools"]}
    assert tools == {"read_file", "edit_file", "execute_bash"}
    for name in EXPERTS:
        (request,) = run.requests(name)
        offered = {each["function"]["name"] for each in request["tools"]}
        assert {"read_file", "approve", "request_changes"} <= offered
        assert "edit_file" not in offered
        assert request["messages"][-1]["role"] == "system"
        assert "+x = 1" in request["messages"][-1]["content"]
        run.until_ended(name)
        assert run.parents[run.scope_of(name)] == "000000"
    shown = [
        payload(each)["status"]["Received"]["display_info"]["collapsed"]
        for each in run.messages("ToolCallStatusUpdate", "Root Agent")
        if "Received" in payload(each)["status"]
    ]
    assert shown == [f"waiting for experts: {count}/3" for count in range(3)]
    (result,) = run.results()
    assert "add a docstring" in result["Ok"]["content"]
    prompt = run.requests("Root Agent")[-1]["system"]["content"]
    assert "<filesreadandedited>" in prompt
    assert "1:x = 1" in prompt


def test_a_small_edit_is_made_at_once(start):
    rules = [
        calls("edit_file", create(), role="user", **ROOT),
        says("done", tool="edit_file", contains="too small for a review"),
    ]
    run = start(EXAMPLE, rules, {"file_interaction_with_approval": {"min_diff_size": 1_000_000}})
    run.say("create hello.py")
    run.until_answer("done")
    assert set(run.names.values()) == {"Root Agent"}


def test_read_then_edit(start):
    Path("a.txt").write_text("one\none\n" + "rest\n" * 60)
    edit = {"old_string": "one", "new_string": "two"}
    every = {**edit, "replace_all": True}
    rules = [
        calls("read_file", {"path": "a.txt"}, role="user", **ROOT),
        calls("edit_file", {"path": "a.txt", "edits": [edit]}, tool="read_file"),
        calls(
            "edit_file", {"path": "a.txt", "edits": [every]}, tool="edit_file", contains="2 times"
        ),
        says("done", tool="edit_file", contains="approve"),
        calls("approve", **EXPERT),
    ]
    run = start(EXAMPLE, rules, {"file_interaction_with_approval": {"min_diff_size": 0}})
    run.say("change a.txt")
    run.until_answer("done")
    read, refused, edited = run.results()
    assert "rest" not in read["Ok"]["content"]
    assert "rest" in run.requests("Root Agent")[1]["system"]["content"]
    assert "occurs 2 times" in refused["Err"]["content"]
    assert "Ok" in edited
    assert Path("a.txt").read_text().startswith("two\ntwo\n")


def test_a_file_that_changed_is_not_overwritten(start):
    Path("a.txt").write_text("one\n")
    edit = {"path": "a.txt", "edits": [{"old_string": "one", "new_string": "two"}]}
    rules = [
        calls("read_file", {"path": "a.txt"}, role="user", **ROOT),
        calls("execute_bash", {"command": "echo 'one and more' > a.txt"}, tool="read_file"),
        calls("edit_file", edit, tool="execute_bash"),
        says("refused", tool="edit_file", contains="read it again"),
    ]
    run = start(EXAMPLE, rules)
    run.say("change a.txt")
    run.until_answer("refused")
    assert Path("a.txt").read_text() == "one and more\n"


def test_a_long_conversation_is_compacted_and_goes_on(start):
    # The summariser is asked without tools; its transcript begins with the user's message.
    summary = says("# State\n**Goal:** count", role="user", contains="<user>")
    rules = [
        summary,
        calls("execute_bash", {"command": "echo 7"}, role="user", contains="count", **ROOT),
        says("there are seven", tool="execute_bash", **ROOT),
        says("still here", role="user", **ROOT),
    ]
    # Every answer passes the threshold, also the last one, whose agent rests by then.
    run = start(EXAMPLE, rules, {"conversation_compaction": {"token_threshold": 1}})
    run.say("please count")
    run.until(lambda each: kind(each) == "CompactedConversation")
    run.until_answer("there are seven")
    run.until(lambda each: kind(each) == "CompactedConversation")
    run.say("are you there?")
    run.until_answer("still here")
    first = payload(run.messages("CompactedConversation")[0])
    assert "please count" in first["messages"][0]["content"]
    for request in run.requests("Root Agent"):
        answered = {
            call["id"]
            for each in request["messages"]
            if each["role"] == "assistant"
            for call in each.get("tool_calls") or []
        }
        results = {each["tool_call_id"] for each in request["messages"] if each["role"] == "tool"}
        assert answered == results
