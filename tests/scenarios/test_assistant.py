"""One agent and its model."""

from __future__ import annotations

import pytest

from tests.scenarios.harness import calls, kind, once, payload, says, status

EXAMPLE = "assistant"


def test_a_prompt_is_answered(start):
    run = start(EXAMPLE, [says("hello", role="user")])
    run.say("hi")
    run.until_answer("hello")
    run.until_rest()
    root = [each for each in run.seen if getattr(each, "from_scope", "") == "000000"]
    order = [status(each) or kind(each) for each in root if hasattr(each, "message_type")]
    answered = order[order.index("Processing") :]
    assert answered == ["Processing", "Request", "ChatStateUpdated", "Response", "Idle"]
    (request,) = run.requests("Root Agent")
    assert request["tools"] == []
    assert [each["role"] for each in request["messages"]] == ["user"]
    for part in ("working directory", "linux"):
        assert part in request["system"]["content"].lower()


def test_messages_while_it_is_busy_are_answered_too(start):
    slow = {"when": {"contains": "first"}, "answer": {"text": "one", "delay_seconds": 1}}
    run = start(EXAMPLE, [slow, says("two", contains="third")])
    run.say("first")
    run.until(lambda each: kind(each) == "Request")
    run.say("second")
    run.say("third")
    run.until_answer("two")
    said = [each["content"] for each in run.requests("Root Agent")[-1]["messages"]]
    assert said == ["first", "one", "second", "third"]


def test_a_tool_that_does_not_exist(start):
    rules = [calls("nope", role="user"), says("sorry", tool="nope", contains="nope")]
    run = start(EXAMPLE, rules)
    run.say("do it")
    run.until_answer("sorry")
    run.until_rest()
    assert not run.messages("ExecuteToolCall")


@pytest.mark.parametrize("allowed", [True, False])
def test_an_empty_answer(start, allowed):
    empty = once({"when": {"role": "user"}, "answer": {"text": ""}})
    rules = [empty, says("now", role="system")]
    run = start(EXAMPLE, rules, {"assistant": {"allow_empty_responses": allowed}})
    run.say("go")
    run.until_rest()
    assert len(run.requests("Root Agent")) == (1 if allowed else 2)


def test_a_failure_is_told_once(start):
    run = start(EXAMPLE, [{"when": {}, "answer": {"status": 400, "text": "no such model"}}])
    run.say("go")
    run.until_rest()
    told = [payload(each) for each in run.messages("UserNotification")]
    assert [each["level"] for each in told] == ["Error"]
    assert "no such model" in told[0]["message"]


def test_exit_ends_the_run(start):
    run = start(EXAMPLE, [says("hello")])
    run.system.send("wasmind.common.actors.Exit", None)
    assert run.system.wait(timeout=120)
