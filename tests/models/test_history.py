"""Histories that strict providers accept, whatever came before."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.zoo import faults, tool_call
from wasmind.models.history import json_object, valid_history

TEXT = st.text(max_size=5) | st.sampled_from(["", " ", "hi", "\ud83d", "\x00"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
PART = st.fixed_dictionaries({"type": st.just("text"), "text": TEXT})
CONTENT = st.none() | TEXT | st.lists(PART, max_size=2)
IDS = st.sampled_from(["a", "b", "", None])
ARGUMENTS = st.sampled_from(["{}", "", "[]", '{"a": 1', "null", "{'a': 1}", '{"a": NaN}']) | JSON
CALL = st.fixed_dictionaries(
    {
        "function": st.fixed_dictionaries(
            {"name": st.sampled_from(["run", "read"]), "arguments": ARGUMENTS}
        )
    },
    optional={"id": IDS, "type": st.just("function"), "extra_content": JSON},
)
MESSAGES = st.lists(
    st.one_of(
        st.fixed_dictionaries({"role": st.just("user"), "content": CONTENT}),
        st.fixed_dictionaries({"role": st.just("system"), "content": CONTENT}),
        st.fixed_dictionaries(
            {"role": st.just("assistant")},
            optional={
                "content": CONTENT,
                "tool_calls": st.none() | st.lists(CALL, max_size=3),
                "reasoning_content": TEXT,
            },
        ),
        st.fixed_dictionaries(
            {"role": st.just("tool"), "content": CONTENT}, optional={"tool_call_id": IDS}
        ),
        st.fixed_dictionaries({}, optional={"role": JSON, "content": JSON}),
    ),
    max_size=8,
)


@settings(max_examples=600)
@given(MESSAGES, st.booleans())
def test_whatever_came_before_is_made_valid(messages: list[Any], alternates: bool) -> None:
    late = "user" if alternates else "system"
    history = valid_history(messages, alternates=alternates, late_system=late)
    assert list(faults(history, alternates=alternates)) == []


@settings(max_examples=200)
@given(MESSAGES)
def test_what_is_valid_already_stays_as_it_is(messages: list[Any]) -> None:
    once = valid_history(messages)
    assert valid_history(once) == once


def test_the_callers_messages_are_not_changed() -> None:
    messages = [{"role": "assistant", "content": "", "tool_calls": [tool_call("run", "")]}]
    before = json.dumps(messages)
    valid_history(messages)
    assert json.dumps(messages) == before


@pytest.mark.parametrize("empty", [None, "", [], "  "])
def test_empty_assistant_messages_are_left_out(empty: Any) -> None:
    said = {"role": "assistant", "content": empty, "reasoning_content": "hm"}
    assert valid_history([{"role": "user", "content": "x"}, said]) == [
        {"role": "user", "content": "x"}
    ]


def test_content_is_there_beside_calls_and_unknown_fields_stay() -> None:
    call = tool_call("run", "{}", extra_content={"google": {"thought_signature": "abc"}})
    said = {"role": "assistant", "tool_calls": [call], "reasoning_details": [{"id": 1}]}
    answer = {"role": "tool", "tool_call_id": "call_1", "content": "done"}
    assert valid_history([said, answer]) == [{**said, "content": None}, answer]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ("", "{}"),
        (None, "{}"),
        ({"a": 1}, '{"a": 1}'),
        ("[1]", '{"arguments": [1]}'),
        ('{"a": ', '{"arguments": "{\\"a\\": "}'),
        ("{'a': 1}", '{"arguments": "{\'a\': 1}"}'),
        ('{"a": NaN}', '{"a": null}'),
    ],
)
def test_arguments_are_objects(given: Any, sent: str) -> None:
    assert json_object(given) == sent


def test_calls_are_answered_and_answers_have_calls() -> None:
    messages = [
        {"role": "tool", "tool_call_id": "gone", "content": "of a compacted turn"},
        {"role": "assistant", "content": None, "tool_calls": [
            tool_call("run", "{}", "a"), tool_call("run", "{}", "b"),
        ]},
        {"role": "user", "content": "meanwhile"},
        {"role": "tool", "tool_call_id": "b", "content": "b is done"},
    ]  # fmt: skip
    history = valid_history(messages)
    assert [(each["role"], each["content"]) for each in history] == [
        ("user", "[result of an earlier tool call]\nof a compacted turn"),
        ("assistant", None),
        ("tool", "no result: the call was not carried out"),
        ("tool", "b is done"),
        ("user", "meanwhile"),
    ]


def test_roles_alternate_where_that_is_wanted() -> None:
    messages = [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "one"},
        {"role": "system", "content": "news"},
        {"role": "user", "content": [{"type": "text", "text": "two"}]},
    ]
    history = valid_history(messages, alternates=True, late_system="user")
    assert [each["role"] for each in history] == ["system", "user"]
    texts = [part["text"] for part in history[1]["content"]]
    assert texts == ["one\n\n[message from the system]\nnews", "two"]
