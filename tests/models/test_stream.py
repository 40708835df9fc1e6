"""Streams put together to what would have come whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.zoo import USAGE, chunk, event, sse, tool_call, words
from wasmind.models.stream import Assembler, Events


def assembled(*chunks: Any, told: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    assembler = Assembler(None if told is None else lambda kind, text: told.append((kind, text)))
    for each in chunks:
        assembler.feed(json.dumps(each))
    return assembler.result()


def message(*deltas: Any) -> dict[str, Any]:
    found: dict[str, Any] = assembled(*(chunk(each) for each in deltas))["choices"][0]["message"]
    return found


def calls(*pieces: Any) -> list[tuple[Any, str, str]]:
    found = message(*({"tool_calls": [piece]} for piece in pieces))["tool_calls"]
    return [
        (each.get("id"), each["function"]["name"], each["function"]["arguments"]) for each in found
    ]


def piece(arguments: Any = None, **fields: Any) -> dict[str, Any]:
    name = fields.pop("name", None)
    function = {"name": name, "arguments": arguments}
    return {**fields, "function": {key: each for key, each in function.items() if each is not None}}


@given(st.lists(st.integers(1, 40), max_size=60), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_bytes_may_be_cut_anywhere(sizes: list[int], end: bytes) -> None:
    text = ["é", "日本", "😀", " x\n"]
    stream = b": comment\n\nevent: m\n" + sse(words(*text))
    stream = stream.replace(b"\n", end)
    events, assembler, start = Events(), Assembler(), 0
    for size in [*sizes, len(stream)]:
        for data in events.feed(stream[start : start + size]):
            assembler.feed(data)
        start += size
    for data in events.feed(b"", final=True):
        assembler.feed(data)
    assert assembler.complete
    result = assembler.result()
    assert result["choices"][0]["message"]["content"] == "".join(text)
    assert result["usage"] == USAGE


def test_data_may_have_several_lines_and_no_blank_line_at_the_end() -> None:
    assert list(Events().feed(b"data: {\ndata: }", final=True)) == ["{\n}"]


def test_a_result_looks_like_a_whole_answer() -> None:
    result = assembled(*words("hello ", "you"), told=(told := []))
    assert result == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "fake",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "hello you"},
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
    }
    assert told == [("text", "hello "), ("text", "you")]


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "somebodys_own_field"])
def test_fields_that_come_in_pieces(key: str) -> None:
    assert message({key: "I ", "content": None}, {key: "think"}, {"content": "so"}) == {
        "role": "assistant",
        "content": "so",
        key: "I think",
    }


def test_reasoning_details_of_openrouter() -> None:
    text = {"type": "reasoning.text", "index": 0, "format": "anthropic-claude-v1"}
    sealed = {"type": "reasoning.encrypted", "data": "xyz", "index": 1}
    assert message(
        {"reasoning_details": [{**text, "text": "I "}]},
        {"reasoning_details": [{**text, "text": "think"}]},
        {"reasoning_details": [{"type": "reasoning.text", "index": 0, "signature": "sig"}]},
        {"reasoning_details": [sealed]},
    )["reasoning_details"] == [{**text, "text": "I think", "signature": "sig"}, sealed]


def test_thinking_parts_of_mistral() -> None:
    def thinking(text: str) -> dict[str, Any]:
        return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}

    told: list[tuple[str, str]] = []
    deltas = [{"content": [thinking("I ")]}, {"content": [thinking("think")]}, {"content": "so"}]
    result = assembled(*(chunk(each) for each in deltas), told=told)
    assert result["choices"][0]["message"]["content"] == [
        thinking("I think"),
        {"type": "text", "text": "so"},
    ]
    assert told == [("reasoning", "I "), ("reasoning", "think"), ("text", "so")]


@given(st.data())
def test_calls_may_be_split_anywhere(data: st.DataObject) -> None:
    arguments = '{"command": "ls \\"日本\\"", "n": [1, 2]}'
    cuts = data.draw(st.lists(st.integers(0, len(arguments)), max_size=6).map(sorted))
    bounds = list(zip([0, *cuts], [*cuts, len(arguments)], strict=True))
    pieces = [piece("", id="a", type="function", index=0, name="run")]
    pieces += [piece(arguments[start:end], index=0) for start, end in bounds]
    assert calls(*pieces) == [("a", "run", arguments)]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        # OpenAI: parallel calls by index, interleaved
        (
            [
                piece("", id="a", index=0, name="run"),
                piece("", id="b", index=1, name="read"),
                piece("{}", index=1),
                piece('{"x"', index=0),
                piece(":1}", index=0),
            ],
            [("a", "run", '{"x":1}'), ("b", "read", "{}")],
        ),
        # Without an index: by id, or what came last
        (
            [piece("{", id="a", name="run"), piece("}"), piece("{}", id="b", name="read")],
            [("a", "run", "{}"), ("b", "read", "{}")],
        ),
        # Gemini, Ollama: whole calls, all under index 0 or none
        (
            [piece("{}", id="a", index=0, name="run"), piece("{}", id="b", index=0, name="run")],
            [("a", "run", "{}"), ("b", "run", "{}")],
        ),
        (
            [piece("{}", name="run"), piece('{"a":1}', name="run")],
            [(None, "run", "{}"), (None, "run", '{"a":1}')],
        ),
        # Name, id and index repeated with every piece
        (
            [piece("{", id="a", index=0, name="run"), piece("}", id="a", index=0, name="run")],
            [("a", "run", "{}")],
        ),
        # An id of its own for every piece of one call
        (
            [piece("{", id="a", index=0, name="run"), piece("}", id="x", index=0)],
            [("a", "run", "{}")],
        ),
        # The name in pieces
        (
            [piece("", id="a", index=0, name="ru"), piece("{}", index=0, name="n")],
            [("a", "run", "{}")],
        ),
        # Arguments as an object
        ([piece({"x": 1}, id="a", index=0, name="run")], [("a", "run", '{"x": 1}')]),
        ([piece(id="a", index=0, name="run")], [("a", "run", "")]),
    ],
)  # fmt: skip
def test_calls_as_providers_stream_them(pieces: list[Any], expected: list[Any]) -> None:
    assert calls(*pieces) == expected


def test_unknown_fields_of_a_call_are_kept() -> None:
    signed = {"extra_content": {"google": {"thought_signature": "abc"}}}
    call = {**piece("{}", id="a", index=0, name="run"), **signed}
    assert message({"tool_calls": [call]})["tool_calls"] == [tool_call("run", "{}", "a", **signed)]


def test_a_message_that_comes_whole_at_the_end_replaces_its_pieces() -> None:
    whole = {
        "index": 0,
        "message": {"role": "assistant", "content": "hello"},
        "finish_reason": "stop",
    }
    last = {**chunk({}), "choices": [whole]}
    result = assembled(chunk({"content": "hel"}), chunk({"content": "lo"}), last)
    assert result["choices"][0]["message"]["content"] == "hello"


def test_null_content_stays_null_beside_calls() -> None:
    said = message(
        {"role": "assistant", "content": None}, {"tool_calls": [piece("{}", id="a", name="r")]}
    )
    assert said["content"] is None


def test_numbers_that_json_has_not_become_null() -> None:
    assembler = Assembler()
    assembler.feed('{"usage": {"cost": NaN}, "choices": []}')
    assert assembler.result()["usage"] == {"cost": None}


def test_events_are_separate() -> None:
    assert list(Events().feed(event({"a": 1}) + event({"b": 2}))) == ['{"a": 1}', '{"b": 2}']
