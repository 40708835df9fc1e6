"""What actors get from providers, each a real server with one behaviour."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
import time
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from tests.models.conftest import HELLO, endpoint
from tests.models.zoo import (
    USAGE,
    Provider,
    Strict,
    Visit,
    answers,
    chunk,
    completion,
    dies_after,
    event,
    hangs,
    in_turn,
    refuses,
    says,
    sse,
    streams,
    tool_call,
    words,
)
from wasmind.models.refusal import wait_of
from wasmind.plan import Model
from wasmind.runtime.events import LogRecord, ModelCall

TLS = Path(__file__).parents[1] / "tls"
TOOLS = [{"type": "function", "function": {"name": "run", "parameters": {"type": "object"}}}]


def test_openai(monkeypatch, provider, run) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", " sk-test-0123456789\n")
    openai = provider(says("hello big world"))
    monkeypatch.setenv("OPENAI_BASE_URL", openai.url)
    model = Model(
        name="m",
        kind="endpoint",
        settings={"provider": "openai", "model": "gpt-5-mini", "params": {"temperature": 0.2}},
    )
    made = run(model, deltas=True)
    assert made.text(more={"max_tokens": 50, "tools": []}) == "hello big world"
    [visit] = openai.visits
    assert visit.path == "/v1/chat/completions"
    assert visit.headers["authorization"] == "Bearer sk-test-0123456789"
    assert visit.body == {
        "model": "gpt-5-mini",
        "messages": HELLO,
        "temperature": 0.2,
        "max_completion_tokens": 50,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    events = made.events()
    assert "".join(each.text for each in events if hasattr(each, "text")) == "hello big world"
    started, ended = (each for each in events if isinstance(each, ModelCall))
    assert (started.phase, started.model, started.attempt) == ("start", "m", 1)
    assert (ended.status, ended.prompt_tokens, ended.completion_tokens) == (200, 20, 5)
    assert ended.cost == pytest.approx((20 * 0.25 + 5 * 2.0) / 1e6)
    assert ended.final
    used = made.figures.models["m"]
    assert (used.calls, used.prompt_tokens, used.completion_tokens) == (1, 20, 5)
    assert used.cost == ended.cost
    assert list(made.figures.model_actors) == ["assistant"]
    assert list(made.figures.model_agents) == ["000000"]


def test_an_actors_choice_wins_over_params(at) -> None:
    made, gateway = at(says(), params={"temperature": 0.2, "top_p": 0.5})
    gateway.text(more={"temperature": 1})
    assert (made.asked[0]["temperature"], made.asked[0]["top_p"]) == (1, 0.5)


def test_anthropic_and_its_late_system_messages(monkeypatch, provider, run) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")
    made = provider(says("hi"))
    settings = {"provider": "anthropic", "model": "claude-sonnet-4-5", "base_url": made.url}
    gateway = run(Model(name="m", kind="endpoint", settings=settings))
    gateway.text([
        {"role": "system", "content": "be kind"}, *HELLO, {"role": "system", "content": "news"}
    ])  # fmt: skip
    assert [each["role"] for each in made.asked[0]["messages"]] == ["system", "user", "user"]
    assert "max_tokens" not in made.asked[0]


def test_gemini_wants_its_thought_signatures_back(at) -> None:
    signed = tool_call("run", "{}", extra_content={"google": {"thought_signature": "c2lnbmF0dXJl"}})

    def gemini(visit: Visit) -> None:
        history = visit.body["messages"]
        if history[-1]["role"] == "user":
            visit.json(completion(None, tool_calls=[signed], finish="tool_calls"))
        elif history[-2]["tool_calls"] == [signed]:
            visit.json(completion("thanks"))
        else:
            refuses(400, "Function call is missing a thought_signature")(visit)

    _, gateway = at(gemini)
    message = gateway.message(more={"tools": TOOLS})
    assert message["tool_calls"] == [signed]
    result = {"role": "tool", "tool_call_id": "call_1", "content": "ok"}
    assert gateway.text([*HELLO, message, result]) == "thanks"


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "reasoning_details"])
def test_reasoning_must_come_back(at, key: str) -> None:
    """DeepSeek's, Kimi's and OpenRouter's ways; streamed, and beside a tool call."""
    thought: Any = "I think"
    if key == "reasoning_details":
        thought = [{"type": "reasoning.text", "text": "I think", "index": 0}]

    def thinks(visit: Visit) -> None:
        history = visit.body["messages"]
        if history[-1]["role"] == "user":
            with visit.stream() as send:
                send(event(chunk({"role": "assistant", key: thought, "content": None})))
                send(event(chunk({"tool_calls": [{**tool_call("run", "{}"), "index": 0}]})))
                send(sse([chunk({}, finish="tool_calls")]))
        elif history[1].get(key) == thought:
            says("good")(visit)
        else:
            refuses(400, f"thinking is enabled but {key} is missing")(visit)

    _, gateway = at(thinks)
    message = gateway.message()
    assert message[key] == thought
    result = {"role": "tool", "tool_call_id": "call_1", "content": "ok"}
    assert gateway.text([*HELLO, message, result]) == "good"


def test_ollama_without_a_server_says_how_to_start_one(monkeypatch, provider, run) -> None:
    made = provider(says())
    made.close()
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{made.port}")
    gateway = run(Model(name="*", kind="endpoint", settings={"provider": "ollama"}))
    status, code, words_ = gateway.error(model="llama3.2")
    assert (status, code) == (502, "unavailable")
    assert words_.startswith(f"nothing answers at http://127.0.0.1:{made.port}/v1/chat/completions")
    assert words_.endswith("start it with `ollama serve`")
    assert [each.attempt for each in gateway.ended()] == [1]


def test_ollama_without_the_model_says_how_to_get_it(monkeypatch, provider, run) -> None:
    def ollama(visit: Visit) -> None:
        if visit.path == "/v1/models":
            visit.json({"data": [{"id": "qwen3:8b"}]})
        else:
            refuses(404, 'model "llama3.2" not found, try pulling it first')(visit)

    monkeypatch.setenv("OLLAMA_HOST", provider(ollama).url.removesuffix("/v1"))
    gateway = run()
    status, code, words_ = gateway.error(model="ollama/llama3.2")
    assert (status, code) == (404, "invalid_request")
    assert "not found, try pulling it first" in words_
    assert "`ollama pull llama3.2` gets it; there are: qwen3:8b" in words_


def test_an_unknown_model_is_told_with_what_there_is(at) -> None:
    def behave(visit: Visit) -> None:
        if visit.path == "/v1/models":
            return says()(visit)
        return refuses(404, "The model `fake` does not exist", code="model_not_found")(visit)

    made, gateway = at(behave)
    assert "the provider has: fake, fake-large" in gateway.error()[2]
    gateway.error()
    assert [visit.path for visit in made.visits].count("/v1/models") == 1


def test_azure(monkeypatch, provider, run) -> None:
    made = provider(says("hi"))
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "azure-key-123")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", made.url.removesuffix("/v1") + "/")
    settings = {"provider": "azure", "deployment": "mine", "api_version": "2024-10-21"}
    gateway = run(Model(name="m", kind="endpoint", settings=settings))
    assert gateway.text() == "hi"
    [visit] = made.visits
    assert visit.path == "/openai/deployments/mine/chat/completions?api-version=2024-10-21"
    assert visit.headers["api-key"] == "azure-key-123"
    assert "authorization" not in visit.headers


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/", "/v1/chat/completions"])
def test_base_urls_as_people_paste_them(provider, run, tail: str) -> None:
    made = provider(says("hi"))
    gateway = run(endpoint(made, base_url=made.url.removesuffix("/v1") + tail))
    assert gateway.text() == "hi"
    assert made.visits[0].path == "/v1/chat/completions"


def test_a_base_url_with_a_version_of_its_own(provider, run) -> None:
    made = provider(says("hi"))
    gateway = run(endpoint(made, base_url=made.url.removesuffix("/v1") + "/v1beta/openai/"))
    gateway.text()
    assert made.visits[0].path == "/v1beta/openai/chat/completions"


# Errors


def test_an_error_inside_a_200_is_tried_again(at) -> None:
    """OpenRouter's way of saying that the provider behind it failed."""
    metadata = {"raw": "upstream is tired", "provider_name": "X"}
    inside = {"error": {"message": "Provider returned error", "code": 502, "metadata": metadata}}
    made, gateway = at(in_turn(answers(inside), says("hi")))
    assert gateway.text() == "hi"
    [retry] = gateway.retries()
    assert (retry.attempt, retry.attempts) == (2, 5)
    assert retry.reason.startswith("Provider returned error: upstream is tired (502 from http://")
    assert len(made.visits) == 2


def test_an_error_inside_a_200_that_is_hopeless(at) -> None:
    inside = {"error": {"message": "No auth credentials found", "code": 401}}
    made, gateway = at(answers(inside))
    assert gateway.error()[:2] == (401, "authentication")
    assert len(made.visits) == 1


def test_an_error_inside_a_stream(at) -> None:
    broken = event(chunk({"content": "Hel"})) + event(
        {"error": {"message": "overloaded", "code": 503}, "choices": []}
    )
    _, gateway = at(in_turn(streams(broken), says("hi")), deltas=True)
    assert gateway.text() == "hi"
    [retry] = gateway.retries()
    assert retry.discarded
    assert retry.reason.startswith("overloaded")


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529])
def test_passing_trouble_is_tried_again(at, status: int) -> None:
    made, gateway = at(in_turn(refuses(status, "busy"), says("hi")))
    assert gateway.text() == "hi"
    assert len(made.visits) == 2
    assert gateway.figures.models["m"].retries == 1


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        (refuses(401, "Incorrect API key provided"), 401, "authentication"),
        (refuses(400, "API key not valid. Please pass a valid API key."), 400, "authentication"),
        (refuses(403, "not for you"), 403, "permission"),
        (refuses(402, "Payment Required"), 402, "quota"),
        (refuses(429, "You exceeded it", code="insufficient_quota"), 429, "quota"),
        (refuses(400, "max is 8192 tokens, got 9000", code="context_length_exceeded"), 400,
         "context_length_exceeded"),
        (refuses(400, "prompt is too long: 210000 tokens > 200000 maximum"), 400,
         "context_length_exceeded"),
        (refuses(400, "the request exceeds the available context size"), 400,
         "context_length_exceeded"),
        (refuses(400, "content management policy", code="content_filter"), 400, "content_filter"),
        (refuses(422, "messages.0.role: bad"), 422, "invalid_request"),
        (answers({"error": {"message": "no"}}, 500, x_should_retry="false"), 500, "unavailable"),
        (answers([{"error": {"code": 403, "message": "no", "status": "PERMISSION_DENIED"}}], 403),
         403, "permission"),
        (answers({"detail": "Not authenticated"}, 401), 401, "authentication"),
    ],
)  # fmt: skip
def test_hopeless_refusals_are_told_at_once(at, behaviour, status: int, code: str) -> None:
    made, gateway = at(behaviour)
    assert gateway.error()[:2] == (status, code)
    assert len(made.asked) == 1
    [ended] = gateway.ended()
    assert (ended.status, ended.code, ended.final) == (status, code, True)
    assert gateway.figures.models["m"].failures == 1


def test_a_context_that_is_too_long_says_by_how_much(at) -> None:
    words_ = "This model's maximum context length is 8192 tokens. You requested 9000 tokens."
    _, gateway = at(refuses(400, words_, code="context_length_exceeded"))
    assert "it is 808 tokens too long; shorten the conversation" in gateway.error()[2]


def test_errors_say_which_url_was_asked_and_what_the_provider_said(at) -> None:
    made, gateway = at(refuses(404, "no such thing"))
    words_ = gateway.error()[2]
    assert words_ == f"no such thing (404 from {made.url}/chat/completions)"


def test_a_page_instead_of_an_error(at) -> None:
    page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    _, gateway = at(lambda visit: visit.raw(page, 404, "text/html"))
    assert gateway.error()[2].startswith("502 Bad Gateway (404 from")


def test_long_words_are_cut_and_secrets_in_them_covered(provider, run, monkeypatch) -> None:
    monkeypatch.setenv("MY_KEY", "topsecret-key")
    made = provider(refuses(400, "topsecret-key sk-proj-abcdefgh12345 " + "x" * 900))
    gateway = run(endpoint(made, api_key={"env": "MY_KEY"}))
    words_ = gateway.error()[2].partition(" (400 from")[0]
    assert words_.startswith("*** *** xxx")
    assert len(words_) <= 500


def test_a_missing_key_is_told_without_asking(provider, run, monkeypatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    made = provider(says())
    settings = {"provider": "openai", "base_url": made.url}
    gateway = run(Model(name="m", kind="endpoint", settings=settings))
    status, code, words_ = gateway.error()
    assert (status, code) == (401, "authentication")
    assert words_ == (
        "`openai` needs a key: the environment variable `OPENAI_API_KEY` is not set; "
        "keys are made at https://platform.openai.com/api-keys"
    )
    assert made.visits == []


def test_a_key_from_a_file(provider, run, tmp_path) -> None:
    (tmp_path / "key").write_text("abc-123\n")
    made = provider(says())
    gateway = run(endpoint(made, api_key={"file": str(tmp_path / "key")}))
    gateway.text()
    assert made.visits[0].headers["authorization"] == "Bearer abc-123"


def test_a_key_that_no_header_can_carry_is_not_quoted(provider, run, monkeypatch) -> None:
    monkeypatch.setenv("MY_KEY", "top\nsecret")
    gateway = run(endpoint(provider(says()), api_key={"env": "MY_KEY"}))
    words_ = gateway.error()[2]
    assert "`MY_KEY` does not hold a key" in words_
    assert "secret" not in words_.replace("topsecret", "")


@pytest.mark.parametrize(
    ("headers", "least"),
    [
        ({"Retry_After": "0.2"}, 0.2),
        ({"retry_after_ms": "150"}, 0.15),
    ],
)
def test_the_wait_a_provider_asks_for_is_kept(at, headers: dict[str, str], least: float) -> None:
    busy = answers({"error": {"message": "slow down"}}, 429, **headers)
    _, gateway = at(in_turn(busy, says("hi")))
    started = time.monotonic()
    gateway.text()
    assert time.monotonic() - started >= least
    assert gateway.retries()[0].wait_seconds == least


@pytest.mark.parametrize(
    ("headers", "error", "seconds"),
    [
        ({"retry-after": "3.5"}, {}, 3.5),
        ({"retry-after-ms": "3000", "retry-after": "9"}, {}, 3.0),
        ({"retry-after": "-5"}, {}, None),
        ({"retry-after": "3s"}, {}, None),
        ({}, {"details": [{"@type": "RetryInfo", "retryDelay": "17s"}]}, 17.0),
        ({}, {}, None),
    ],
)
def test_forms_of_a_wait(headers, error, seconds) -> None:
    assert wait_of(headers, error) == seconds


def test_a_wait_until_a_date() -> None:
    wait = wait_of({"retry-after": formatdate(time.time() + 3600)}, {})
    assert wait is not None
    assert 3000 < wait < 3602


def test_a_wait_that_is_too_long_is_told(at) -> None:
    made, gateway = at(answers({"error": {"message": "later"}}, 429, Retry_After="7200"))
    assert "it wants 7200 s of rest, too long to wait for" in gateway.error()[2]
    assert len(made.visits) == 1


def test_a_stream_that_dies_in_the_middle(at) -> None:
    half = event(chunk({"content": "Hel"}))
    _, gateway = at(in_turn(dies_after(half), says("hello")), deltas=True)
    assert gateway.text() == "hello"
    [retry] = gateway.retries()
    assert "the stream broke off" in retry.reason
    assert retry.discarded


def test_a_stream_that_ends_without_an_end(at) -> None:
    half = event(chunk({"content": "Hel"}))
    made, gateway = at(in_turn(streams(half), says("hello")))
    assert gateway.text() == "hello"
    assert len(made.visits) == 2


def test_a_stream_that_nobody_asked_for(at) -> None:
    made, gateway = at(streams(sse(words("he", "llo"))), stream=False)
    assert gateway.text() == "hello"
    assert "stream" not in made.asked[0]


def test_a_stream_with_the_wrong_content_type(at) -> None:
    body = sse(words("he", "llo"))
    _, gateway = at(lambda visit: visit.raw(body, content_type="application/json"))
    assert gateway.text() == "hello"


def test_a_whole_answer_where_a_stream_was_asked_for(at) -> None:
    _, gateway = at(answers(completion("hello")))
    assert gateway.text() == "hello"
    [ended] = gateway.ended()
    assert ended.first_token_seconds is None


@pytest.mark.parametrize("size", [1, 7, 64])
def test_streams_split_at_every_byte(at, size: int) -> None:
    body = sse(words("日本", "語 ", "done"))
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    _, gateway = at(streams(*pieces))
    assert gateway.text() == "日本語 done"


def test_a_server_that_never_answers(at) -> None:
    released = threading.Event()
    _, gateway = at(hangs(released), first_byte_seconds=0.3, retries=3)
    status, code, words_ = gateway.error()
    released.set()
    assert (status, code) == (504, "timeout")
    assert words_.startswith("nothing came within 0.3 s (504 from")
    assert "`first_byte_seconds` of the model allows more" in words_
    assert len(gateway.ended()) == 1  # time-outs are not tried again


def test_a_server_that_drips(at) -> None:
    drops = [event(chunk({"content": "x"}))] * 1000
    _, gateway = at(streams(*drops, pause=0.02), timeout_seconds=0.5)
    assert gateway.error()[:2] == (504, "timeout")


def test_an_answer_that_is_too_large(at) -> None:
    made, gateway = at(lambda visit: visit.raw(b'"' + b"x" * (50 << 20) + b'"'))
    status, _, words_ = gateway.error(largest=4 << 20)
    assert status == 502
    assert "larger than 4 MiB (limit `response_mib`)" in words_
    assert len(made.visits) == 1


def test_fifty_megabytes_that_are_allowed(at) -> None:
    _, gateway = at(answers(completion("x" * (50 << 20))))
    assert len(gateway.text()) == 50 << 20


def test_the_end_of_the_actor_ends_the_call_and_the_connection(at) -> None:
    begun, cancelled = threading.Event(), threading.Event()

    def drips(visit: Visit) -> None:
        with visit.stream() as send:
            while True:
                send(event(chunk({"content": "x"})))
                begun.set()
                time.sleep(0.02)

    made, gateway = at(drips)
    replies: list[Any] = []
    asks = threading.Thread(target=lambda: replies.append(gateway.ask(cancelled=cancelled)))
    asks.start()
    assert begun.wait(10)
    cancelled.set()
    asks.join(10)
    assert replies[0][1]["error"]["code"] == "cancelled"
    assert made.gone.wait(10)


def test_an_interruption_ends_the_calls_of_its_agent_only(at) -> None:
    released = threading.Event()
    made, gateway = at(hangs(released))
    replies: dict[str, int] = {}

    def ask(scope: str) -> None:
        replies[scope] = gateway.ask(scope=scope)[0]

    threads = {scope: threading.Thread(target=ask, args=(scope,)) for scope in ("one", "two")}
    for each in threads.values():
        each.start()
    while len(made.visits) < 2:
        time.sleep(0.01)
    gateway.gateway.interrupt("one")
    threads["one"].join(10)
    assert replies == {"one": 499}
    gateway.gateway.interrupt("two")
    threads["two"].join(10)
    released.set()


def test_the_end_of_the_actor_ends_waiting(at) -> None:
    released, cancelled = threading.Event(), threading.Event()
    made, gateway = at(hangs(released))
    replies: list[Any] = []
    asks = threading.Thread(target=lambda: replies.append(gateway.ask(cancelled=cancelled)))
    asks.start()
    while not made.visits:
        time.sleep(0.01)
    cancelled.set()
    asks.join(10)
    released.set()
    assert replies[0][0] == 499


def test_refusals_of_the_model_pass_through(at) -> None:
    refusal = completion(None, refusal="I will not")
    _, gateway = at(answers(refusal))
    assert gateway.message()["refusal"] == "I will not"


@pytest.mark.parametrize("finish", ["length", "content_filter"])
def test_reasons_to_finish_pass_through(at, finish: str) -> None:
    _, gateway = at(says("cut", finish=finish))
    assert gateway.ask()[1]["choices"][0]["finish_reason"] == finish


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None}, "x"])
def test_usage_that_nobody_told(at, usage: Any) -> None:
    _, gateway = at(answers(completion("hi", usage=usage)))
    assert gateway.text() == "hi"
    used = gateway.figures.models["m"]
    assert (used.uncounted, used.prompt_tokens, used.unpriced) == (1, 0, 1)


def test_numbers_that_json_has_not(at) -> None:
    body = b'{"choices": [{"message": {"content": "hi", "x": NaN}}], "usage": {"cost": 1e999}}'
    _, gateway = at(lambda visit: visit.raw(body))
    assert gateway.message() == {"content": "hi", "x": None}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"choices": []}', b"not json", b'{"choices": 3}'])
def test_answers_that_are_none(at, body: bytes) -> None:
    made, gateway = at(in_turn(lambda visit: visit.raw(body), says("hi")))
    assert gateway.text() == "hi"
    assert len(made.visits) == 2


# Histories and quirks


def test_a_strict_server_accepts_the_whole_conversation(at) -> None:
    strict = Strict()
    _, gateway = at(strict)
    history = [
        *HELLO,
        {"role": "assistant", "tool_calls": [tool_call("run", "{'a': ")]},
        {"role": "tool", "tool_call_id": "call_1", "content": "no"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "\ud83d"},
    ]
    assert gateway.text(history) == "fine"
    assert strict.problems == []


def test_a_server_that_wants_roles_to_alternate_teaches_us_once(at) -> None:
    strict = Strict(alternates=True)
    made, gateway = at(strict)
    twice = [*HELLO, *HELLO]
    assert gateway.text(twice) == "fine"
    assert gateway.text(twice) == "fine"
    assert len(made.visits) == 3
    [warning] = [each for each in gateway.events() if isinstance(each, LogRecord)]
    assert "roles to alternate" in warning.text


@pytest.mark.parametrize(
    "words_",
    [
        "Unsupported parameter: 'temperature' is not supported with this model.",
        "Unsupported value: 'temperature' does not support 0.2; only the default (1) value is.",
        '[{"type": "extra_forbidden", "loc": ["body", "temperature"]}]',
    ],
)
def test_a_parameter_that_is_refused_is_left_out(at, words_: str) -> None:
    def picky(visit: Visit) -> None:
        if "temperature" in visit.body:
            refuses(400, words_)(visit)
        else:
            says("hi")(visit)

    made, gateway = at(picky)
    assert gateway.text(more={"temperature": 0.2}) == "hi"
    assert gateway.text(more={"temperature": 0.2}) == "hi"
    assert len(made.visits) == 3
    assert any(
        "`temperature`" in each.text for each in gateway.events() if isinstance(each, LogRecord)
    )


def test_the_other_name_for_the_longest_answer(at) -> None:
    def picky(visit: Visit) -> None:
        if "max_tokens" in visit.body:
            refuses(
                400,
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
            )(visit)
        else:
            says("hi")(visit)

    made, gateway = at(picky)
    assert gateway.text(more={"max_tokens": 9}) == "hi"
    assert made.asked[1]["max_completion_tokens"] == 9


# Names, fallbacks, places


def test_a_name_that_nothing_answers_for(at) -> None:
    _, gateway = at(says())
    status, code, words_ = gateway.error(model="mm")
    assert (status, code) == (404, "invalid_request")
    assert words_ == "unknown model `mm`; did you mean `m`? Known: m"


def test_models_are_listed(provider, run) -> None:
    made = provider(says())
    gateway = run(endpoint(made, "b"), endpoint(made, "a"))
    listed = json.loads(gateway.send(b"", path="/v1/models", method="GET").body)
    assert [each["id"] for each in listed["data"]] == ["a", "b"]


def test_any_name_may_have_one_answer(provider, run) -> None:
    made = provider(says("hi"))
    gateway = run(endpoint(made, "*", model="one"))
    assert gateway.text(model="whatever") == "hi"
    assert made.asked[0]["model"] == "one"


def test_one_model_instead_of_all(provider, run) -> None:
    made = provider(says("hi"))
    gateway = run(endpoint(made, "m"), instead=endpoint(made, "other", model="x"))
    assert gateway.text(model="m") == "hi"
    assert made.asked[0]["model"] == "x"
    assert list(gateway.figures.models) == ["other"]


@pytest.mark.parametrize(
    "behaviour",
    [
        refuses(503, "busy"),
        refuses(400, "x", code="context_length_exceeded"),
        refuses(404, "The model `fake` does not exist"),
        refuses(401, "Incorrect API key"),
    ],
)
def test_fallbacks(provider, run, behaviour) -> None:
    bad, good = provider(behaviour), provider(says("hi"))
    models = (endpoint(bad, "m", fallback=["n"], retries=1), endpoint(good, "n"))
    gateway = run(*models)
    assert gateway.text() == "hi"
    last = gateway.retries()[-1]
    assert (last.fallback, last.wait_seconds) == ("n", 0)
    assert gateway.figures.models["n"].calls == 1


def test_several_endpoints_of_one_name_also_as_a_fallback_and_instead_of_all(provider, run) -> None:
    bad, one, two = provider(refuses(503)), provider(says("1")), provider(says("2"))
    targets = [{"model": "x", "base_url": each.url} for each in (one, two)]
    both = Model(name="n", kind="balanced", settings={"targets": targets})
    gateway = run(endpoint(bad, "m", fallback=["n"], retries=0), both)
    assert sorted(gateway.text() for _ in range(2)) == ["1", "2"]
    gateway = run(endpoint(bad, "m"), instead=both)
    assert sorted(gateway.text() for _ in range(2)) == ["1", "2"]


def test_no_fallback_for_a_request_that_is_wrong(provider, run) -> None:
    bad, good = provider(refuses(422, "messages: bad")), provider(says("hi"))
    gateway = run(endpoint(bad, "m", fallback=["n"]), endpoint(good, "n"))
    assert gateway.error()[0] == 422
    assert good.visits == []


def test_so_many_at_once_and_no_more(provider, run) -> None:
    released = threading.Event()

    def waits(visit: Visit) -> None:
        released.wait(10)
        says("hi")(visit)

    made = provider(waits)
    gateway = run(endpoint(made, max_concurrent=3))
    threads = [threading.Thread(target=gateway.text) for _ in range(9)]
    for each in threads:
        each.start()
    while len(made.visits) < 3:
        time.sleep(0.01)
    time.sleep(0.1)
    released.set()
    for each in threads:
        each.join(20)
    assert len(made.visits) == 9
    assert made.most_at_once == 3


def test_so_many_a_minute(provider, run) -> None:
    made, cancelled = provider(says("hi")), threading.Event()
    gateway = run(endpoint(made, requests_per_minute=2))
    assert [gateway.text(), gateway.text()] == ["hi", "hi"]
    replies: list[Any] = []
    third = threading.Thread(target=lambda: replies.append(gateway.ask(cancelled=cancelled)))
    third.start()
    # It says so at once instead of waiting for a minute in silence.
    while not any(isinstance(each, LogRecord) for each in gateway.events()):
        time.sleep(0.01)
    assert len(made.visits) == 2
    cancelled.set()
    third.join(10)
    assert replies[0][0] == 499


def test_connections_are_used_again(at) -> None:
    made, gateway = at(says("hi"))
    for _ in range(3):
        gateway.text()
    assert len({visit.handler.client_address for visit in made.visits}) == 1


def test_a_redirect_is_not_followed_with_the_key(at) -> None:
    def moved(visit: Visit) -> None:
        visit.raw(b"", 307, location="http://127.0.0.1:1/v1/chat/completions")

    _, gateway = at(moved)
    words_ = gateway.error()[2]
    assert "it redirects to http://127.0.0.1:1/v1/chat/completions" in words_
    assert "write that as `base_url`" in words_


def test_a_proxy_of_the_environment_is_used(provider, run, monkeypatch) -> None:
    """Not for this machine itself, so the provider has another name here."""
    proxy = provider(says("hi"))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    gateway = run(endpoint(proxy, base_url="http://models.example:9/v1"))
    assert gateway.text() == "hi"
    assert proxy.visits[0].path == "http://models.example:9/v1/chat/completions"


@pytest.fixture
def secure(provider) -> Provider:
    """A provider behind TLS, with a certificate for `localhost` that nobody vouches for."""
    made = provider(says("hi"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    made.wrap(context)
    return made


def test_a_certificate_that_is_not_trusted_is_told_at_once(secure, run) -> None:
    gateway = run(endpoint(secure, base_url=f"https://localhost:{secure.port}"))
    status, code, words_ = gateway.error()
    assert (status, code) == (502, "unavailable")
    assert "is not trusted" in words_
    assert "`SSL_CERT_FILE` names a file of authorities to trust" in words_
    assert len(gateway.ended()) == 1


def test_a_certificate_of_ones_own(secure, run, monkeypatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "cert.pem"))
    gateway = run(endpoint(secure, base_url=f"https://localhost:{secure.port}"))
    assert gateway.text() == "hi"


def test_deltas_are_told_at_most_twenty_times_a_second(at) -> None:
    pieces = [event(chunk({"content": "x"}))] * 200
    end = sse([chunk({}, finish="stop", usage=USAGE)])
    _, gateway = at(streams(*pieces, end, pause=0.002), deltas=True)
    started = time.monotonic()
    assert gateway.text() == "x" * 200
    took = time.monotonic() - started
    deltas = gateway.deltas()
    assert "".join(each.text for each in deltas) == "x" * 200
    assert len(deltas) <= took * 20 + 2


def test_without_a_watcher_nothing_is_told_of_growing_answers(at) -> None:
    _, gateway = at(says("a b c"))
    gateway.text()
    assert gateway.deltas() == []


@pytest.mark.parametrize("parts", [1, 3])
def test_a_compressed_answer_is_read_whole(at, parts: int) -> None:
    text = json.dumps(completion("hello")).encode()
    size = len(text) // parts + 1
    packed = b"".join(gzip.compress(text[at : at + size]) for at in range(0, len(text), size))
    _, gateway = at(lambda visit: visit.raw(packed, Content_Encoding="gzip"))
    assert gateway.text() == "hello"


def test_junk_behind_a_compressed_answer_is_said(at) -> None:
    packed = gzip.compress(json.dumps(completion("hello")).encode()) + b"junk"
    _, gateway = at(lambda visit: visit.raw(packed, Content_Encoding="gzip"), retries=0)
    assert "the answer is damaged: the body cannot be decoded" in gateway.error()[2]


class Tunnel:
    """A proxy that connects to one server, whatever host it is asked for."""

    def __init__(self, port: int) -> None:
        self.asked: list[str] = []
        self._port = port
        self._carrying: list[threading.Thread] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self.asked.append(client.recv(4096).split(b"\r\n")[0].decode())
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                server = socket.create_connection(("127.0.0.1", self._port))
                carrying = threading.Thread(target=self._carry, args=(client, server), daemon=True)
                carrying.start()
                self._carrying.append(carrying)

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        with client, server:
            back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
            back.start()
            self._pass(client, server)
            back.join()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._server.close()
        for each in self._carrying:
            each.join()


def test_tls_is_verified_behind_a_proxy_too(secure, run, monkeypatch) -> None:
    """The certificate is for `localhost`, and so not for the host that is asked."""
    tunnel = Tunnel(secure.port)
    monkeypatch.setenv("https_proxy", tunnel.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "cert.pem"))
    gateway = run(endpoint(secure, base_url="https://models.example/v1", retries=0))
    status, code, words_ = gateway.error()
    tunnel.close()
    assert tunnel.asked == ["CONNECT models.example:443 HTTP/1.1"]
    assert (status, code) == (502, "unavailable")
    assert "is not trusted" in words_
    assert secure.visits == []
