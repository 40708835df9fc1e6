"""Messages have exactly the JSON of the reference implementation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasmind_actor import I32, Config, Err, FlexibleBool, Message, Ok, Param, Record, replace
from wasmind_actor.chat import AssistantReply, Function, ToolCall, Usage, UserMessage
from wasmind_actor.codec import DecodeError, Number
from wasmind_actor.library import (
    ApprovalResponse,
    Approved,
    DelegatedAgentSpawned,
    PlanReviewResponse,
)
from wasmind_actor.messages import *  # noqa: F403 - every message class, found by type below
from wasmind_actor.messages import AddMessage, BaseUrlUpdate, Exit, Response, StatusUpdate
from wasmind_actor.status import IDLE, Done, TaskResponse
from wasmind_actor.wire import dumps, from_json, loads, schema_of, to_json

EXAMPLES = json.loads((Path(__file__).parent / "wire_examples.json").read_text())
CLASSES = {cls.message_type: cls for cls in Message.__subclasses__() if cls.message_type}


def test_every_message_of_the_catalogue_has_an_example():
    assert {each["type"] for each in EXAMPLES} == {
        kind for kind in CLASSES if not kind.startswith("test.")
    }
    assert CLASSES[DelegatedAgentSpawned.message_type] is DelegatedAgentSpawned
    assert CLASSES[PlanReviewResponse.message_type] is PlanReviewResponse


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each["type"].rpartition(".")[2])
def test_examples_round_trip(example):
    cls = CLASSES[example["type"]]
    assert json.loads(dumps(loads(cls, example["json"]))) == json.loads(example["json"])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each["type"].rpartition(".")[2])
def test_examples_fit_their_schema(example):
    schema = schema_of(CLASSES[example["type"]])
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(example["json"]), schema)


class Sample(Message, type="test.Sample"):
    """For the tables below."""

    agent: str
    count: I32 = 7
    note: str | None = None
    inner: Ok[int] | Err[str] = Ok(1)


@pytest.mark.parametrize(
    ("cls", "document", "reason"),
    [
        (Exit, {}, "expected null, found an object"),
        (AddMessage, {"agent": "a"}, "message: missing"),
        (
            AddMessage,
            {"agent": "a", "message": {"role": "User", "content": ""}},
            "message.role: expected one of `system`, `user`, `assistant`, `tool`, found `User`",
        ),
        (
            AddMessage,
            {"agent": "a", "message": {"role": "user", "content": []}},
            "message.content: expected a string, found an array",
        ),
        (StatusUpdate, {"status": "Waiting"}, "status: expected one of `Processing`, `Wait`, `Do"),
        (
            StatusUpdate,
            {"status": {"Wait": {"reason": {}}}},
            "status.Wait.reason: expected a",
        ),
        (StatusUpdate, {"status": {"Wait": {"reason": "Processing"}}}, "status.Wait.reason: expe"),
        (StatusUpdate, {"status": {"Done": {}}}, "status.Done.result: missing"),
        (Sample, {"agent": "a", "count": 1.0}, "count: expected an integer, found a number"),
        (Sample, {"agent": "a", "count": True}, "count: expected an integer, found a boolean"),
        (Sample, {"agent": "a", "count": 2**31}, "count: expected at most 2147483647"),
        (Sample, {"agent": "a", "inner": {"Ok": 1, "Err": ""}}, "inner: expected a single case"),
        (Sample, [], "expected an object, found an array"),
    ],
)
def test_refuses_what_serde_refuses(cls, document, reason):
    with pytest.raises(DecodeError) as caught:
        from_json(cls, document)
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "expected a finite number, found nan"),
        (float("-inf"), "expected a finite number, found -inf"),
        (10**400, "expected a finite number, found inf"),
        ("1", "expected a number, found a string"),
    ],
)
def test_numbers_are_finite(value, reason):
    with pytest.raises(DecodeError) as caught:
        Number().decode(value, "ratio")
    assert str(caught.value) == f"ratio: {reason}"


@pytest.mark.parametrize("text", ["", "{", "\xff", "[" * 100_000])
def test_refuses_what_is_not_json(text):
    with pytest.raises(DecodeError, match="invalid JSON"):
        loads(Sample, text)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"agent": "a"}, Sample(agent="a")),
        ({"agent": "a", "note": None, "more": 1}, Sample(agent="a")),
        ({"agent": "a", "inner": {"Err": "x"}}, Sample(agent="a", inner=Err("x"))),
    ],
)
def test_takes_what_serde_takes(document, expected):
    assert from_json(Sample, document) == expected


def test_a_case_without_fields_may_carry_null():
    document = {"status": {"Wait": {"reason": {"WaitingForLiteLLM": None}}}}
    again = to_json(from_json(StatusUpdate, document))
    assert again == {"status": {"Wait": {"reason": "WaitingForLiteLLM"}}}


def test_enums_as_whole_messages():
    assert dumps(ApprovalResponse(value=Approved())) == b'"Approved"'


def test_flattened_keys_are_kept():
    usage = from_json(Usage, {"prompt_tokens": 1, "cost": 0.5})
    assert usage == Usage(prompt_tokens=1, details={"cost": 0.5})
    assert to_json(usage)["cost"] == 0.5


def test_a_reply_carries_its_role_in_histories_only():
    reply = AssistantReply(content="x", originating_request_id="r")
    assert to_json(reply)["role"] == "assistant"
    assert "role" not in to_json(Response(message=reply, usage=Usage()))["message"]


def test_absent_parts_are_left_out_of_chat_messages_only():
    call = ToolCall(id="c", function=Function(name="f", arguments="{}"))
    assert "index" not in to_json(call)
    assert to_json(Sample(agent="a"))["note"] is None


def test_lone_surrogates_do_not_stop_a_message():
    assert loads(AddMessage, dumps(AddMessage(agent="a", message=UserMessage(content="\ud83d"))))


@pytest.mark.parametrize("as_text", [str, str.encode])
def test_half_a_surrogate_pair_is_a_question_mark_when_it_arrives(as_text):
    content = r"\ud83d \uD83D\uDE00 \uDC00"
    written = f'{{"agent": "a", "message": {{"role": "user", "content": "{content}"}}}}'
    message = loads(AddMessage, as_text(written)).message
    assert message.content == "? \N{GRINNING FACE} ?"


@given(st.text(), st.lists(st.text()))
def test_any_text_survives(url, models):
    message = BaseUrlUpdate(base_url=url, models_available=tuple(models))
    assert loads(BaseUrlUpdate, dumps(message)) == message


def test_records_are_values():
    done = Done(result=Ok(TaskResponse(summary="s", success=True)))
    assert done == Done(result=Ok(TaskResponse(summary="s", success=True)))
    assert hash(done) == hash(Done(result=Ok(TaskResponse(summary="s", success=True))))
    assert done != IDLE
    assert replace(Sample(agent="a"), count=1).count == 1
    with pytest.raises(AttributeError, match="frozen"):
        done.result = None  # type: ignore[misc]
    with pytest.raises(TypeError, match="Sample needs `agent`"):
        Sample()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Sample has no `other`"):
        Sample(agent="a", other=1)  # type: ignore[call-arg]


class Limits(Config):
    """For the test below."""

    seconds: Annotated[int, Param("how long", minimum=1, maximum=9)] = 5
    model: Annotated[str, Param(refers="model")]
    patient: FlexibleBool = False
    helpers: Annotated[tuple[str, ...] | None, Param(refers="actors", min_items=1)] = None
    headers: Annotated[
        Mapping[Annotated[str, Param(pattern="^x-")], Annotated[str, Param(pattern="^[a-z]+$")]],
        Param("what is sent along"),
    ] = field(default_factory=dict)


def test_schema_of_a_configuration():
    assert schema_of(Limits) == {
        "type": "object",
        "properties": {
            "seconds": {
                "type": "integer",
                "minimum": 1,
                "maximum": 9,
                "description": "how long",
                "default": 5,
            },
            "model": {"type": "string", "x-wasmind": "model"},
            "patient": {"type": "boolean", "default": False},
            "helpers": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "x-wasmind": "actors",
            },
            "headers": {
                "type": "object",
                "propertyNames": {"type": "string", "pattern": "^x-"},
                "additionalProperties": {"type": "string", "pattern": "^[a-z]+$"},
                "description": "what is sent along",
                "default": {},
            },
        },
        "required": ["model"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({}, "model: missing"),
        ({"model": "m", "second": 1}, "second: unknown key"),
        ({"model": "m", "seconds": 0}, "seconds: expected at least 1, found 0"),
        ({"model": "m", "helpers": []}, "helpers: expected at least 1 item"),
        ({"model": "m", "headers": {"y": "a"}}, "headers: expected a match of `.x-`, found `y`"),
        ({"model": "m", "headers": {"x-y": "1"}}, "headers.x-y: expected a match of .* found `1`"),
        ({"model": "m", "patient": "maybe"}, "patient: expected a boolean, found a string"),
    ],
)
def test_configurations_are_closed(table, reason):
    with pytest.raises(DecodeError, match=reason):
        from_json(Limits, table)


def test_types_without_a_json_form_are_refused_when_declared():
    with pytest.raises(TypeError, match="has no JSON form"):

        class Wrong(Record):
            """For this test."""

            value: Annotated[Any, Param()] | complex
