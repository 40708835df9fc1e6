"""Content of any size crosses whole between host and actors, or the call that carries it fails.

Nothing here ends an instance: each test's actor counts what it did, see `sized`.
"""

from __future__ import annotations

import gc
import weakref
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.runtime.conftest import PYTHON_ACTOR, message
from tests.runtime.sized import Doing, content, digest, doing  # noqa: F401 - a fixture
from tests.runtime.test_host_http import Server, answer, server  # noqa: F401 - a fixture
from wasmind.plan import Limits
from wasmind.runtime import abi, messages
from wasmind.runtime.events import Failure
from wasmind.runtime.messages import Envelope

MIB = 1 << 20
LARGEST = 20_000_000
KINDS = st.sampled_from(["ascii", "utf-8", "binary"])
#: Around what limits are made of, and anything between.
SIZES = st.sampled_from([0, 1, 2_796_202, 2_796_203, 16 * MIB, 16 * MIB + 1, LARGEST]) | (
    st.integers(0, LARGEST)
)
FEW = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "granted").mkdir()
    return tmp_path / "granted"


@pytest.fixture
def filing(doing, folder: Path) -> Doing:  # noqa: F811
    return doing(grants={"filesystem": {"read_write": [str(folder)]}, "command": {}})


def test_files_are_written_whole_and_read_whole_up_to_their_limit(filing, folder: Path) -> None:
    source = folder / "in"
    target = folder / "out"

    @FEW
    @given(KINDS, SIZES)
    @example("binary", 16 * MIB)
    @example("utf-8", 16 * MIB + 1)
    def check(kind: str, size: int) -> None:
        data = content(kind, size)
        source.write_bytes(data)
        copy = f"files.write({str(target)!r}, d := files.read({str(source)!r})); result = digest(d)"
        told = filing.do(copy)
        if size > 16 * MIB:
            assert told == f"TooLargeError: `{source}` is larger than 16 MiB; read it in ranges"
        else:
            assert told == f"result: {digest(data)}"
            assert target.read_bytes() == data

    check()


def test_ranges_of_files_are_read_whole(filing, folder: Path) -> None:
    path = folder / "in"
    data = content("utf-8", LARGEST)
    path.write_bytes(data)

    @FEW
    @given(st.integers(0, LARGEST + 5), SIZES)
    def check(offset: int, length: int) -> None:
        told = filing.do(f"result = digest(files.read_range({str(path)!r}, {offset}, {length}))")
        if length > 16 * MIB:
            assert told == "TooLargeError: at most 16 MiB can be read at once"
        else:
            assert told == f"result: {digest(data[offset : offset + length])}"

    check()


def test_files_of_any_size_are_written(filing, folder: Path) -> None:
    target = folder / "out"

    @FEW
    @given(SIZES)
    def check(size: int) -> None:
        told = filing.do(f"files.write({str(target)!r}, b'\\xff' * {size})")
        assert told == "result: None"
        assert target.stat().st_size == size

    check()


def test_output_of_commands_arrives_whole_up_to_its_limit(filing, folder: Path) -> None:
    path = folder / "in"

    @FEW
    @given(KINDS, SIZES)
    def check(kind: str, size: int) -> None:
        data = content(kind, size)
        path.write_bytes(data)
        told = filing.do(
            f"o = command.run('cat', {str(path)!r}, max_output_bytes=2**31)\n"
            "result = digest(o.stdout), o.stdout_truncated"
        )
        kept = data[: 8 * MIB]
        assert told == f"result: {(digest(kept), size > 8 * MIB)}"

    check()


def test_arguments_of_any_size_start_or_fail_to_start(filing) -> None:
    @FEW
    @given(st.integers(0, LARGEST))
    @example(100_000)
    def check(size: int) -> None:
        told = filing.do(f"result = command.run('true', 'x' * {size}).status")
        assert told.startswith(("result: Exited(code=0)", "result: FailedToStart(")), told

    check()


def test_bodies_of_responses_arrive_whole(doing, server: Server) -> None:  # noqa: F811
    actor = doing(grants={"http": {"hosts": ["127.0.0.1"]}})

    @FEW
    @given(KINDS, SIZES)
    def check(kind: str, size: int) -> None:
        data = content(kind, size)
        server.handle = lambda handler: answer(handler, 200, data)
        told = actor.do(f"result = digest(http.get({server.url!r}).body)")
        assert told == f"result: {digest(data)}"

    check()


def test_bodies_of_requests_arrive_whole(doing, server: Server) -> None:  # noqa: F811
    actor = doing(grants={"http": {"hosts": ["127.0.0.1"]}})
    received: list[bytes] = []

    def take(handler: BaseHTTPRequestHandler) -> None:
        received.append(server.requests[-1][3])
        answer(handler, 200)

    server.handle = take

    @FEW
    @given(KINDS, SIZES)
    def check(kind: str, size: int) -> None:
        data = content(kind, size)
        pattern = content(kind, 6)
        told = actor.do(
            f"body = ({pattern!r} * {size // 6 + 1})[:{size}]\n"
            f"request = http.Request(method='POST', url={server.url!r}, body=body)\n"
            "result = http.send(request).status"
        )
        assert told == "result: 200"
        assert received[-1] == data

    check()


def test_a_body_larger_than_the_limit_fails_the_call(doing, server: Server) -> None:  # noqa: F811
    grants = {"http": {"hosts": ["127.0.0.1"]}}
    actor = doing(grants=grants, limits=Limits(response_mib=1))
    server.handle = lambda handler: answer(handler, 200, b"x" * (2 * MIB))
    told = actor.do(f"result = http.get({server.url!r})")
    assert told == "NetworkError: the body is larger than 1 MiB (limit `response_mib`)"
    assert actor.do("result = 1") == "result: 1"


def test_messages_arrive_whole_in_both_directions(doing) -> None:  # noqa: F811
    actor = doing()

    @FEW
    @given(st.sampled_from(["x", "€", '"']), SIZES)
    def check(pattern: str, size: int) -> None:
        text = pattern * (size // len(pattern.encode()))
        told = actor.do("actor.broadcast(Big(text=given)); result = digest(given.encode())", text)
        payload = messages.encode({"text": text})
        if len(payload) <= 16 * MIB:
            assert told == f"result: {digest(text.encode())}"
            (sent,) = [event for event in actor.seen if message("test.Big")(event)]
            assert sent.payload == payload
        elif not told.startswith("MemoryError: "):  # 40 MB of JSON, several times
            assert told.startswith("BroadcastError: refused to send `test.Big`: a message of ")
            assert told.endswith(" MiB; at most 16 MiB (limit `payload_mib`)")
        actor.seen.clear()

    check()


def test_a_message_that_an_actor_has_no_room_for_is_told_and_costs_nothing_else(
    doing,  # noqa: F811
) -> None:
    actor = doing(limits=Limits(memory_mib=64))
    assert actor.do("result = len(given)", "x" * (7 * MIB)) == f"result: {7 * MIB}"
    actor.runtime.send("test.Do", {"source": "", "given": "x" * (9 * MIB)})
    notice = actor.next(message("wasmind.common.ui.UserNotification")).json()
    assert notice["title"] == "Actor `does` could not be told"
    reason = "its memory has room for 8 MiB (limit `memory_mib`)"
    assert notice["message"] == f"`test.Do`: a message of 9.0 MiB was not delivered: {reason}"
    assert actor.do("result = 1") == "result: 1"


def test_a_message_over_the_limit_says_how_large_it_was(doing) -> None:  # noqa: F811
    actor = doing(limits=Limits(payload_mib=1))
    told = actor.do("actor.broadcast(Big(text='x' * (3 << 20)))")
    reason = "a message of 3.1 MiB; at most 1 MiB (limit `payload_mib`)"
    assert told == f"BroadcastError: refused to send `test.Big`: {reason}"
    assert actor.logged("error") == [f"refused to send `test.Big`: {reason}"]


def test_a_result_over_the_limit_is_answered_with_an_error(doing) -> None:  # noqa: F811
    actor = doing(limits=Limits(payload_mib=1))
    arguments = '{"text": "x", "times": 2000000}'
    call = {"id": "call_1", "type": "function"}
    call["function"] = {"name": "repeat", "arguments": arguments}
    actor.runtime.send(
        "wasmind.common.tools.ExecuteToolCall",
        {"tool_call": call, "originating_request_id": "req_1"},
    )
    update = actor.next(message("wasmind.common.tools.ToolCallStatusUpdate")).json()
    error = update["status"]["Done"]["result"]["Err"]["content"]
    assert "the answer could not be sent" in error
    assert "(limit `payload_mib`)" in error
    assert actor.do("result = 1") == "result: 1"


def test_what_does_not_fit_into_the_actors_memory_fails_the_call(filing, folder: Path) -> None:
    for size in (50 * MIB, 90 * MIB, 97 * MIB):
        told = filing.do(f"files.write({str(folder / 'out')!r}, b'\\xff' * {size})")
        assert told.startswith(("MemoryError: ", "TooLargeError: ")), told
    assert filing.do("result = 1") == "result: 1"


def test_modules_of_any_size_are_compiled_and_loaded(python_bundle, run) -> None:
    text = "".join(chr(33 + (number * number) % 900) for number in range(100)).replace("'", "")
    text = text.replace("\\", "")
    large = f"""
    from wasmind_actor import Actor, Message, on
    TEXT = '{text * 40_000}'

    class Ask(Message, type="test.Ask"):
        pass

    class Told(Message, type="test.Told"):
        size: int

    class Large(Actor):
        @on(Ask, reach="any")
        def ask(self):
            self.broadcast(Told(size=len(TEXT)))
    """
    runtime, events = run(python_bundle(large=(large, PYTHON_ACTOR)))
    runtime.send("test.Ask", None)
    actor = Doing(runtime, events)
    told = actor.next(lambda event: message("test.Told")(event) or isinstance(event, Failure))
    assert told.json() == {"size": len(text) * 40_000}


def test_a_large_list_of_bytes_lives_only_while_a_receiver_uses_it() -> None:
    shape = _record_of_bytes()
    for size, stays in ((10, True), (MIB, False)):
        envelope = Envelope(1, "root:a", "t", "a", "000000", b"x" * size)
        first = envelope.as_record(shape)
        assert envelope.as_record(shape) is first, "receivers share it"
        kept = weakref.ref(first)
        del first
        gc.collect()
        assert (kept() is not None) is stays


def test_text_is_passed_without_a_copy() -> None:
    envelope = Envelope(1, "root:a", "t", "a", "000000", "€".encode() * MIB)
    assert envelope.as_text().own_bytes == 0
    assert envelope.as_text() is envelope.as_text()
    other = Envelope(1, "root:a", "t", "a", "000000", b"\xff" * MIB)
    assert other.as_text().own_bytes == (MIB + 2) // 3 * 4
    assert other.as_text() is not other.as_text(), "a large copy lives no longer than the call"


def _record_of_bytes() -> abi.Shape:
    strings = [(name, abi._String()) for name in ("id", "type", "from", "scope")]
    return abi._Record([*strings, ("payload", abi._Bytes())])
