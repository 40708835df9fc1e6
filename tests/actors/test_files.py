"""Both file actors, and the panels of experts, against a host that only pretends."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasmind_actor.chat import SystemMessage, UserMessage
from wasmind_actor.library import ApprovalResponse, Approved, PlanReviewResponse, RequestChanges
from wasmind_actor.messages import (
    AddMessage,
    Exit,
    QueueStatusChange,
    Received,
    StatusUpdate,
    SystemPromptContribution,
    ToolCallStatusUpdate,
    ToolsAvailable,
)
from wasmind_actor.status import IDLE, CompactingConversation, Processing, Wait
from wasmind_actor.testing import FakeHost, Stage, load
from wasmind_actor.wire import Err, Ok
from wasmind_actor.workspace.cache import Slice, clean_path, merged
from wasmind_actor.workspace.edits import Edit, EditError, apply_edits, unified_diff
from wasmind_actor.workspace.lines import lines_of

ACTORS = Path(__file__).parents[2] / "actors"
EXPERTS = {"typing": ["typing_assistant"], "style": ["style_assistant", "reader"]}
LONG = "x = 1\n" * 60


def files(contents: dict[str, bytes] | None = None, config: dict | None = None) -> Stage:
    host = FakeHost(contents=contents or {})
    return Stage(load(ACTORS / "file_interaction"), config=config or {}, host=host)


def reviewed(contents: dict[str, bytes] | None = None, **config) -> Stage:
    host = FakeHost(contents=contents or {})
    settings = {"approvers": EXPERTS, **config}
    folder = ACTORS / "file_interaction_with_approval"
    return Stage(load(folder), config=settings, host=host)


def shown(actor: Stage) -> dict[str, str]:
    """What the prompt shows of each file."""
    last = [
        each
        for each in actor.sent(SystemPromptContribution)
        if each.key == "file_interaction:files_read_and_edited"
    ][-1]
    assert (last.priority, last.section) == (500, "FilesReadAndEdited")
    return {each["path"]: each["content"] for each in last.content.data["files"]}


def edit(old: str, new: str, **more: bool) -> dict:
    return {"old_string": old, "new_string": new, **more}


class TestReading:
    def test_the_content_is_in_the_prompt_and_not_in_the_answer(self):
        actor = files({"/work/a.txt": b"one\r\ntwo\n"})
        answer = actor.call("read_file", path="a.txt")
        assert "one" not in answer.content
        assert "FilesReadAndEdited" in answer.content
        assert shown(actor) == {"/work/a.txt": "1:one\n2:two"}
        kinds = [each.message_type for each in actor.host.bus]
        assert kinds[-2:] == [
            SystemPromptContribution.message_type,
            ToolCallStatusUpdate.message_type,
        ]

    def test_ranges_grow_together(self):
        text = "".join(f"{number}\n" for number in range(1, 11)).encode()
        actor = files({"/work/a.txt": text})
        actor.call("read_file", path="a.txt", start_line=2, end_line=3)
        actor.call("read_file", path="./b/../a.txt", start_line=7, end_line=7)
        assert shown(actor)["/work/a.txt"] == (
            "[... 1 lines omitted ...]\n2:2\n3:3\n[... 3 lines omitted ...]\n7:7\n"
            "[... 3 lines omitted ...]"
        )
        answer = actor.call("read_file", path="a.txt", start_line=4, end_line=99)
        assert "the file has 10" in answer.content
        answer = actor.call("read_file", path="a.txt")
        assert "complete file" in answer.content
        assert shown(actor)["/work/a.txt"].startswith("1:1\n2:2")

    def test_a_file_that_has_changed_is_shown_as_it_is(self):
        actor = files({"/work/a.txt": b"old\n"})
        actor.call("read_file", path="a.txt")
        actor.host.contents["/work/a.txt"] = b"new\n"  # same size, same clock
        actor.call("read_file", path="a.txt")
        assert shown(actor) == {"/work/a.txt": "1:new"}

    def test_a_file_that_has_vanished_is_not_shown(self):
        actor = files({"/work/a.txt": b"a\n", "/work/b.txt": b"b\n"})
        actor.call("read_file", path="a.txt")
        del actor.host.contents["/work/a.txt"]
        actor.call("read_file", path="b.txt")
        assert shown(actor) == {"/work/b.txt": "1:b"}

    @pytest.mark.parametrize(
        ("content", "arguments", "reason"),
        [
            (b"a\n", {"path": "nope.txt"}, "does not exist"),
            (b"a\n", {"path": "a.txt", "start_line": 1}, "both"),
            (b"a\n", {"path": "a.txt", "start_line": -1, "end_line": 2}, "`start_line` is -1"),
            (b"a\n", {"path": "a.txt", "start_line": 0, "end_line": 2}, "counted from 1"),
            (b"a\n", {"path": "a.txt", "start_line": 2, "end_line": 3}, "1 lines"),
            (b"a\nb\n", {"path": "a.txt", "start_line": 2, "end_line": 1}, "no range"),
            (b"\xff\xfe", {"path": "a.txt"}, "not text in UTF-8"),
            (b"a\0b", {"path": "a.txt"}, "binary"),
            (b"a\n" * 40_000, {"path": "a.txt"}, '"total_lines": 40000'),
            (b"a" * (11 << 20), {"path": "a.txt"}, "can be read"),
            (b"a\n", {"path": ""}, "is a directory"),
        ],
    )
    def test_what_cannot_be_read_is_said(self, content, arguments, reason):
        actor = files({"/work/a.txt": content, "/work": None})
        assert reason in actor.call_error("read_file", **arguments).content

    def test_an_empty_file(self):
        actor = files({"/work/a.txt": b""})
        assert "0 lines" in actor.call("read_file", path="a.txt").content
        assert shown(actor) == {"/work/a.txt": ""}

    def test_compaction_forgets_what_was_read(self):
        actor = files({"/work/a.txt": b"a\n"})
        actor.call("read_file", path="a.txt")
        actor.deliver(StatusUpdate(status=Wait(reason=CompactingConversation())))
        assert shown(actor) == {}
        error = actor.call_error("edit_file", path="a.txt", edits=[edit("a", "b")])
        assert "must be read" in error.content

    def test_too_much_is_not_shown_for_ever(self):
        big = ("x" * 99 + "\n") * 600
        actor = files({f"/work/{name}.txt": big.encode() for name in "abcdefghijkl"})
        for name in "abcdefghijkl":
            actor.call("read_file", path=f"{name}.txt")
        paths = list(shown(actor))
        assert "/work/a.txt" not in paths
        assert "/work/l.txt" in paths


class TestEditing:
    def test_replaces_and_shows_the_result(self):
        actor = files({"/work/a.py": b"def f():\n    return 1\n"})
        actor.call("read_file", path="a.py")
        answer = actor.call("edit_file", path="a.py", edits=[edit("return 1", "return 2")])
        assert actor.host.contents["/work/a.py"] == b"def f():\n    return 2\n"
        assert "-    return 1\n+    return 2" in answer.content
        assert shown(actor) == {"/work/a.py": "1:def f():\n2:    return 2"}
        actor.call("edit_file", path="a.py", edits=[edit("return 2", "return 3")])

    def test_makes_a_file(self):
        actor = files()
        actor.call("edit_file", path="new/a.txt", edits=[edit("", "hello\n"), edit("hello", "bye")])
        assert actor.host.contents["/work/new/a.txt"] == b"bye\n"
        assert actor.host.contents["/work/new"] is None
        assert shown(actor) == {"/work/new/a.txt": "1:bye"}

    def test_keeps_crlf(self):
        actor = files({"/work/a.txt": b"one\r\ntwo\r\nthree\r\n"})
        actor.call("read_file", path="a.txt")
        actor.call("edit_file", path="a.txt", edits=[edit("one\ntwo", "1\n2\n2b")])
        assert actor.host.contents["/work/a.txt"] == b"1\r\n2\r\n2b\r\nthree\r\n"

    @pytest.mark.parametrize(
        ("edits", "reason"),
        [
            ([edit("nope", "x")], "was not found"),
            ([edit("a", "x")], "occurs 3 times"),
            ([edit("", "x")], "only for new files"),
            ([edit("b", "c"), edit("b", "d")], "edit 2 of 2"),
            ([edit("ü" * 300, "x")], "300 characters in all"),
        ],
    )
    def test_all_or_nothing(self, edits, reason):
        actor = files({"/work/a.txt": b"a a b a\n"})
        actor.call("read_file", path="a.txt")
        assert reason in actor.call_error("edit_file", path="a.txt", edits=edits).content
        assert actor.host.contents["/work/a.txt"] == b"a a b a\n"

    def test_replaces_all(self):
        actor = files({"/work/a.txt": b"a a b a\n"})
        actor.call("read_file", path="a.txt")
        actor.call("edit_file", path="a.txt", edits=[edit("a", "x", replace_all=True)])
        assert actor.host.contents["/work/a.txt"] == b"x x b x\n"

    def test_needs_to_have_read(self):
        actor = files({"/work/a.txt": b"a\n"})
        error = actor.call_error("edit_file", path="a.txt", edits=[edit("a", "b")])
        assert "must be read" in error.content

    def test_never_overwrites_what_somebody_else_wrote(self):
        actor = files({"/work/a.txt": b"abc\n"})
        actor.call("read_file", path="a.txt")
        actor.host.contents["/work/a.txt"] = b"xbc\n"
        error = actor.call_error("edit_file", path="a.txt", edits=[edit("b", "B")])
        assert "changed since" in error.content
        assert actor.host.contents["/work/a.txt"] == b"xbc\n"

    def test_a_failed_creation_leaves_no_folder(self):
        actor = files()
        actor.call_error("edit_file", path="new/a.txt", edits=[edit("", "x"), edit("nope", "y")])
        assert actor.host.contents == {}

    def test_can_be_forbidden(self):
        actor = files({"/work/a.txt": b"a\n"}, {"allow_edits": False})
        (offer,) = actor.sent(ToolsAvailable)
        assert [each.function.name for each in offer.tools] == ["read_file"]
        keys = [each.key for each in actor.sent(SystemPromptContribution)]
        assert keys == ["file_interaction:read_file_usage_guide"]


class TestExperts:
    def start(self, actor: Stage, path: str = "a.py", text: str = LONG) -> str:
        return actor.start_call("edit_file", path=path, edits=[edit("", text)])

    def progress(self, actor: Stage) -> list[str]:
        return [
            each.status.display_info.collapsed
            for each in actor.sent(ToolCallStatusUpdate)
            if isinstance(each.status, Received)
        ]

    def test_see_the_change_before_it_is_made(self):
        actor = reviewed()
        user = AddMessage(agent="000000", message=UserMessage(content="make a.py"))
        actor.deliver(user)
        call = self.start(actor)
        verdicts = ("hcwe_approve", "hcwe_request_changes")
        assert actor.host.spawned == [
            (("typing_assistant", *verdicts), "typing"),
            (("style_assistant", "reader", *verdicts), "style"),
        ]
        assert "/work/a.py" not in actor.host.contents
        asked = [each for each in actor.sent(AddMessage) if each.agent != "000000"]
        assert [each.agent for each in asked] == ["agent1", "agent2"]
        for each in asked:
            assert isinstance(each.message, SystemMessage)
            assert "+x = 1" in each.message.content
            assert "make a.py" in each.message.content
        changes = RequestChanges(changes="add a docstring")
        actor.deliver(ApprovalResponse(value=changes), from_scope="agent2")
        assert actor.outcome(call) is None
        actor.deliver(ApprovalResponse(value=Approved()), from_scope="agent1")
        outcome = actor.outcome(call)
        assert isinstance(outcome, Ok)
        assert "style:\nadd a docstring" in outcome.value.content
        assert actor.host.contents["/work/a.py"] == LONG.encode()
        assert self.progress(actor) == ["waiting for experts: 0/2", "waiting for experts: 1/2"]

    def test_all_agree(self):
        actor = reviewed()
        call = self.start(actor)
        for scope in ("agent1", "agent2"):
            actor.deliver(ApprovalResponse(value=Approved()), from_scope=scope)
        assert "The experts approve." in actor.outcome(call).value.content

    def test_are_not_asked_about_trifles(self):
        actor = reviewed(min_diff_size=10_000)
        answer = actor.call("edit_file", path="a.py", edits=[edit("", "x\n")])
        assert "too small for a review" in answer.content
        assert not actor.host.spawned

    def test_may_be_none(self):
        actor = reviewed(approvers={})
        answer = actor.call("edit_file", path="a.py", edits=[edit("", LONG)])
        assert "nobody reviewed it" in answer.content

    def test_are_not_asked_about_what_does_not_fit(self):
        actor = reviewed({"/work/a.py": b"a\n"})
        error = actor.call_error("edit_file", path="a.py", edits=[edit("a", LONG)])
        assert "must be read" in error.content
        assert not actor.host.spawned

    def test_that_end_or_rest_without_a_word_hold_up_nobody(self):
        actor = reviewed()
        call = self.start(actor)
        actor.deliver(Exit(), from_scope="agent1")
        actor.deliver(StatusUpdate(status=IDLE), from_scope="agent2")
        assert actor.outcome(call) is None, "it has not begun to work"
        actor.deliver(StatusUpdate(status=Processing(request_id="r")), from_scope="agent2")
        actor.deliver(StatusUpdate(status=IDLE), from_scope="agent2")
        outcome = actor.outcome(call)
        assert "No expert gave an opinion" in outcome.value.content
        assert [each.agent for each in actor.sent(QueueStatusChange)] == ["agent2"]

    def test_that_cannot_be_made_are_an_error(self):
        actor = reviewed()
        actor.host.refuse_spawn = "too many agents"
        error = actor.call_error("edit_file", path="a.py", edits=[edit("", LONG)])
        assert "`typing` could not be spawned: too many agents" in error.content

    def test_judge_several_edits_at_once(self):
        actor = reviewed()
        first, second = self.start(actor, "a.py"), self.start(actor, "b.py")
        for scope in ("agent3", "agent4"):
            actor.deliver(ApprovalResponse(value=Approved()), from_scope=scope)
        assert isinstance(actor.outcome(second), Ok)
        assert actor.outcome(first) is None
        for scope in ("agent1", "agent2"):
            actor.deliver(ApprovalResponse(value=Approved()), from_scope=scope)
        assert isinstance(actor.outcome(first), Ok)

    def test_edits_of_one_file_are_made_in_order(self):
        actor = reviewed({"/work/a.py": LONG.encode()})
        actor.call("read_file", path="a.py")
        text = "y = 2\n" * 60
        first = actor.start_call("edit_file", path="a.py", edits=[edit(LONG, text)])
        second = actor.start_call(
            "edit_file", path="a.py", edits=[edit("x = 1", "z = 3", replace_all=True)]
        )
        for scope in ("agent3", "agent4"):
            actor.deliver(ApprovalResponse(value=Approved()), from_scope=scope)
        assert actor.outcome(second) is None
        for scope in ("agent1", "agent2"):
            actor.deliver(ApprovalResponse(value=Approved()), from_scope=scope)
        assert isinstance(actor.outcome(first), Ok)
        assert isinstance(actor.outcome(second), Err), "its text is gone by then"
        assert actor.host.contents["/work/a.py"] == text.encode()

    def test_a_file_that_changes_meanwhile_is_left_alone(self):
        actor = reviewed({"/work/a.py": LONG.encode()})
        actor.call("read_file", path="a.py")
        call = actor.start_call("edit_file", path="a.py", edits=[edit(LONG, "y\n" * 100)])
        actor.host.contents["/work/a.py"] = b"mine\n"
        for scope in ("agent1", "agent2"):
            actor.deliver(ApprovalResponse(value=Approved()), from_scope=scope)
        assert "changed since" in actor.outcome(call).value.content
        assert actor.host.contents["/work/a.py"] == b"mine\n"


class TestPlanReview:
    def start(self, actor: Stage) -> str:
        return actor.start_call("request_plan_review", task="fix login", plan="1. look")

    def stage(self, reviewers: dict | None = None) -> Stage:
        config = {"reviewers": EXPERTS if reviewers is None else reviewers}
        return Stage(load(ACTORS / "request_plan_review"), config=config)

    def test_joins_what_the_reviewers_say(self):
        actor = self.stage()
        call = self.start(actor)
        assert [each[0][-1] for each in actor.host.spawned] == ["rpr__review_plan"] * 2
        for each in actor.sent(AddMessage):
            assert isinstance(each.message, UserMessage)
            assert "fix login" in each.message.content
            assert "1. look" in each.message.content
        actor.deliver(PlanReviewResponse(feedback="too short"), from_scope="agent2")
        actor.deliver(PlanReviewResponse(feedback="stranger"), from_scope="agent9")
        actor.deliver(PlanReviewResponse(feedback="who does it?"), from_scope="agent1")
        outcome = actor.outcome(call)
        expected = "typing:\nwho does it?\n\n--------\n\nstyle:\ntoo short"
        assert outcome.value.ui_display_info.expanded == expected
        assert expected in outcome.value.content

    def test_silent_reviewers_are_named(self):
        actor = self.stage()
        call = self.start(actor)
        actor.deliver(Exit(), from_scope="agent1")
        actor.deliver(PlanReviewResponse(feedback="fine"), from_scope="agent2")
        assert "No feedback came from: typing." in actor.outcome(call).value.content

    def test_without_any_feedback_it_is_an_error(self):
        actor = self.stage()
        call = self.start(actor)
        for scope in ("agent1", "agent2"):
            actor.deliver(Exit(), from_scope=scope)
        assert "No reviewer gave feedback" in actor.outcome(call).value.content

    def test_without_reviewers_too(self):
        assert (
            "No reviewers"
            in self.stage({}).call_error("request_plan_review", task="a", plan="b").content
        )


@pytest.mark.parametrize(
    ("name", "arguments", "response"),
    [
        ("approve", {}, ApprovalResponse(value=Approved())),
        (
            "request_changes",
            {"changes_requested": "no"},
            ApprovalResponse(value=RequestChanges(changes="no")),
        ),
        ("review_plan", {"feedback": "no"}, PlanReviewResponse(feedback="no")),
    ],
)
def test_a_verdict_is_given_before_the_agent_ends(name, arguments, response):
    actor = Stage(load(ACTORS / name))
    kinds = [each.message_type for each in actor.host.bus]
    assert kinds == [ToolsAvailable.message_type, SystemPromptContribution.message_type]
    assert actor.sent(SystemPromptContribution)[0].key == f"{name}:usage"
    actor.call(name, **arguments)
    assert actor.sent(type(response)) == [response]
    assert actor.host.bus[2].message_type == response.message_type


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a.txt", "/work/a.txt"),
        ("../a.txt", "/a.txt"),
        ("/../../x//y/./z", "/x/y/z"),
        ("//x", "/x"),
        (".", "/work"),
    ],
)
def test_paths_are_cleaned(given, expected):
    assert clean_path(given, "/work") == expected


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 10))), st.integers(0, 30))
def test_merged_ranges_cover_exactly_what_was_read(pairs, total):
    ranges = [Slice(start=start, end=start + length) for start, length in pairs]
    wanted = {line for each in ranges for line in range(each.start, each.end + 1) if line <= total}
    joined = merged(ranges, total)
    covered = [line for each in joined for line in range(each.start, each.end + 1)]
    assert covered == sorted(wanted)
    assert all(one.end + 1 < other.start for one, other in pairwise(joined))


@given(st.text(alphabet="ab\n\r\u2028", max_size=30))
def test_lines_are_those_of_the_file(text):
    assert len(lines_of(text)) == text.count("\n") + (not text.endswith("\n") and text != "")


@given(st.text(alphabet="ab\n", max_size=20), st.text(alphabet="ab\n", max_size=4), st.text("xy"))
def test_an_edit_replaces_the_only_occurrence_or_fails(text, old, new):
    edits = [Edit(old_string=old, new_string=new)]
    try:
        after = apply_edits(text, edits)
    except EditError:
        assert (text.count(old) != 1) if old else text
    else:
        assert after == text.replace(old, new, 1) if old else after == new
        assert (unified_diff("a", text, after) == "") == (text == after)
