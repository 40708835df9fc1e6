"""Answers that no provider should send: whatever comes, there is an answer or a ModelError."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.zoo import answers, completion
from wasmind.models.errors import ModelError
from wasmind.models.refusal import refusal, refusal_inside
from wasmind.models.stream import Assembler
from wasmind.models.usage import tokens_of

NAMES = """
choices delta message index content tool_calls function name id arguments usage prompt_tokens
logprobs finish_reason error code type details metadata raw text thinking reasoning_details
prompt_tokens_details
"""
KEYS = st.sampled_from(NAMES.split())
ATOMS = st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | st.text(max_size=3)
ANYTHING = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
CALLS = st.lists(
    st.fixed_dictionaries(
        {}, optional={"index": ANYTHING, "id": ANYTHING, "function": ANYTHING, "x": ANYTHING}
    )
    | ANYTHING,
    max_size=3,
)
DELTAS = st.fixed_dictionaries(
    {}, optional={"content": ANYTHING, "tool_calls": CALLS | ANYTHING, "reasoning": ANYTHING}
)
CHOICES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "index": ANYTHING,
            "delta": DELTAS | ANYTHING,
            "message": DELTAS | ANYTHING,
            "logprobs": ANYTHING,
        },
    )
    | ANYTHING,
    max_size=2,
)
CHUNKS = st.lists(
    st.fixed_dictionaries({}, optional={"choices": CHOICES | ANYTHING, "usage": ANYTHING})
    | ANYTHING,
    max_size=4,
)


@settings(max_examples=500)
@given(CHUNKS)
def test_streams_of_anything(chunks: list[Any]) -> None:
    assembler = Assembler(lambda kind, text: None)
    for each in chunks:
        assembler.feed(json.dumps(each))
    result = assembler.result()
    tokens_of(result)
    json.dumps(result, allow_nan=False)


@settings(max_examples=500)
@given(ANYTHING, st.sampled_from([200, 400, 401, 404, 429, 500, 529]))
def test_errors_of_anything(document: Any, status: int) -> None:
    for each in (document, {"error": document}, [{"error": document}]):
        body = json.dumps(each).encode()
        assert isinstance(refusal(status, {}, body, lambda text: text), ModelError)
        refusal_inside(json.loads(body), {}, lambda text: text)


@given(ANYTHING)
def test_usage_of_anything(document: Any) -> None:
    tokens = tokens_of({"usage": document})
    assert tokens is None or (tokens.prompt >= tokens.cached >= 0 and tokens.completion >= 0)


def test_a_request_nested_as_deep_as_json_can_be_read(at: Any) -> None:
    _, gateway = at(answers(completion("hi")))
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    status, _ = gateway.ask([{"role": "user", "content": "x", "deep": deep}])
    assert status in (200, 400)
    endless = b"[" * 100_000 + b"]" * 100_000
    body = b'{"model": "m", "messages": [{"role": "user", "content": "x", "deep": %b}]}' % endless
    assert gateway.send(body).status == 400


def test_an_answer_nested_too_deeply_is_a_failure(at: Any) -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    body = b'{"choices": [{"message": {"content": "x", "deep": %b}}]}' % deep
    _, gateway = at(lambda visit: visit.raw(body), retries=0)
    assert gateway.error()[0] == 502
