"""What an actor written in Python hands out, prints or tries costs the call, never the actor."""

from __future__ import annotations

import pytest

from tests.runtime.conftest import PYTHON_ACTOR, message, until
from tests.runtime.sized import Doing, doing  # noqa: F401 - a fixture
from wasmind.runtime.errors import SpawnError
from wasmind.runtime.events import LogRecord

#: Half a surrogate pair, as models write it, in every member that takes text.
HALF = '"\\ud83d"'
MEMBERS = {
    "program": "command.run({})",
    "argument": "command.run('echo', 'a' + {})",
    "directory": "command.run('echo', directory={})",
    "variable's name": "command.run('echo', environment={{{}: 'x'}})",
    "variable": "command.run('echo', environment={{'x': {}}})",
    "method": "http.send(http.Request(method={}, url='http://127.0.0.1:1/'))",
    "URL": "http.get('http://127.0.0.1:1/' + {})",
    "header's name": "http.send(http.Request(method='GET', url='http://a/', headers=(({}, 'x'),)))",
    "header": "http.send(http.Request(method='GET', url='http://a/', headers=(('x', {}),)))",
    "JSON body": "http.post('http://127.0.0.1:1/', json={})",
    "path to read": "files.read({})",
    "path of a range": "files.read_range({}, 0, 1)",
    "path to write": "files.write({}, b'')",
    "content": "files.write('/nowhere', 'a' + {})",
    "path to look at": "files.stat({})",
    "path to list": "files.entries({})",
    "path to make": "files.make_folder({})",
    "path to remove": "files.remove({})",
    "actor": "agents.spawn([{}], 'x')",
    "agent": "agents.spawn(['nobody'], {})",
    "scope": "agents.parent_of({})",
    "record": "log.info('a' + {})",
    "message": "actor.broadcast(Big(text='a' + {}))",
    "line": "print({})",
    "complaint": "import sys; print({}, file=sys.stderr)",
}


@pytest.fixture
def actor(doing) -> Doing:  # noqa: F811
    return doing()


def test_half_a_surrogate_pair_costs_no_actor_wherever_it_goes(actor) -> None:
    for member, call in MEMBERS.items():
        told = actor.do(f"result = {call.format(HALF)}" if ";" not in call else call.format(HALF))
        assert not told.startswith("Unicode"), member
    assert "a?" in actor.logged("info")
    (sent,) = [event for event in actor.seen if message("test.Big")(event)]
    assert sent.json() == {"text": "a?"}


def test_half_a_pair_from_the_host_program_arrives_as_a_question_mark(actor) -> None:
    assert actor.do("result = given", "a\ud83d") == "result: a?"


def test_a_command_gets_a_question_mark_for_half_a_pair(actor) -> None:
    told = actor.do(f"result = command.run('echo', {HALF}).stdout")
    assert told == "result: b'?\\n'"


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("command.run('true', timeout=-1)", "CommandError: `timeout` is -1; it must be a whole"),
        ("command.run('true', timeout=1.5)", "CommandError: `timeout` is 1.5; it must be a whole"),
        ("command.run('true', 5)", "TypeError: expected str"),
        ("http.get('http://a/', timeout=2**32)", "InvalidRequestError: `timeout` is 4294967296"),
        ("files.read_range('a', -1, 1)", "FileError: `offset` is -1; it must be a whole number"),
        ("files.read(None)", "TypeError: expected str"),
        ("command.run('true', *['x'] * 100_001)", "CommandError: 100001 values; a call can take"),
    ],
)
def test_values_no_interface_can_take_fail_the_call(actor, call: str, reason: str) -> None:
    assert actor.do(f"result = {call}").startswith(reason)
    assert actor.do("result = 1") == "result: 1"


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.socket()",
        "import socket; socket.create_connection(('127.0.0.1', 80))",
        "import socket; socket.gethostbyname('localhost')",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1/')",
        "import http.client; http.client.HTTPConnection('127.0.0.1').request('GET', '/')",
        "import asyncio\nasync def f(): ...\nasyncio.run(f())",
    ],
)
def test_sockets_fail_with_a_hint_at_what_works(actor, code: str) -> None:
    told = actor.do(
        f"try:\n    exec({code!r}, {{}})\nexcept OSError as error: result = f'OSError: {{error}}'"
    )
    assert told.startswith("result: OSError: ")
    assert "use `wasmind_actor.http`, which asks the host" in told
    assert actor.do("result = 1") == "result: 1"


def test_zones_of_the_world_are_there(actor) -> None:
    told = actor.do(
        "from datetime import datetime\n"
        "from zoneinfo import ZoneInfo, available_timezones\n"
        "summer = datetime(2026, 7, 1, tzinfo=ZoneInfo('Europe/Berlin'))\n"
        "result = summer.isoformat(), len(available_timezones()) > 400"
    )
    assert told == "result: ('2026-07-01T00:00:00+02:00', True)"
    assert actor.do("import zoneinfo; zoneinfo.ZoneInfo('Europe/Nowhere')").startswith(
        "ZoneInfoNotFoundError: "
    )


def test_what_is_printed_is_a_debug_record_for_each_line(actor) -> None:
    assert actor.do("print('one'); print('two', end=''); print(' and', 'three\\n\\nfour', end='')")
    assert actor.do("result = 1") == "result: 1"
    assert actor.logged("debug") == ["one", "two and three", "four"]
    record = next(event for event in actor.seen if isinstance(event, LogRecord))
    assert (record.actor, record.scope) == ("does", "000000")
    assert record.id is not None


def test_what_goes_to_stderr_is_a_debug_record_when_all_went_well(actor) -> None:
    actor.do("import logging; logging.warning('careful')")
    actor.do("result = 1")
    assert actor.logged("debug") == ["WARNING:root:careful"]


def test_random_bytes_of_any_number_are_there(actor) -> None:
    assert actor.do("import os; result = len(os.urandom(3_000_000))") == "result: 3000000"


def test_who_may_not_talk_at_all_still_lives(python_bundle, run) -> None:
    source = """
        from wasmind_actor import Actor, Message, log, on

        class Go(Message, type="test.Go"):
            pass

        class Went(Message, type="test.Went"):
            pass

        class Mute(Actor):
            @on(Go, reach="any")
            def go(self):
                self.times = getattr(self, "times", 0) + 1
                log.info(f"number {self.times}")
                self.broadcast(Went())
    """
    actor = PYTHON_ACTOR._replace(capabilities=("logger",))
    runtime, events = run(python_bundle(mute=(source, actor)))
    for number in (1, 2):
        runtime.send("test.Go", None)
        record = until(events, lambda event: getattr(event, "level", "") == "info")
        assert record.text == f"number {number}"
    record = until(events, lambda event: getattr(event, "level", "") == "error")
    assert "was not granted `messaging`" in record.text


def test_what_is_printed_needs_the_grant_to_log(doing) -> None:  # noqa: F811
    actor = doing(capabilities=("messaging",))
    actor.do("print('secretly')")
    actor.do("result = 1")
    assert actor.logged("debug") == []


def tool_call(name: str) -> dict[str, object]:
    function = {"name": name, "arguments": "{}"}
    call = {"id": "call_1", "type": "function", "function": function}
    return {"tool_call": call, "originating_request_id": "req_1"}


def test_leaving_in_a_tool_is_an_error_of_that_tool(actor) -> None:
    actor.runtime.send("wasmind.common.tools.ExecuteToolCall", tool_call("leave"))
    update = actor.next(message("wasmind.common.tools.ToolCallStatusUpdate")).json()
    error = update["status"]["Done"]["result"]["Err"]["content"]
    assert "`leave` failed unexpectedly: SystemExit: it called `sys.exit(3)`" in error
    assert actor.do("result = 1") == "result: 1"


def test_leaving_in_a_handler_costs_that_message(python_bundle, run) -> None:
    source = """
        import sys
        from wasmind_actor import Actor, Message, on

        class Go(Message, type="test.Go"):
            pass

        class Went(Message, type="test.Went"):
            times: int

        class Leaves(Actor):
            def start(self):
                self.times = 0

            @on(Go, reach="any")
            def go(self):
                self.times += 1
                self.broadcast(Went(times=self.times))
                sys.exit()
    """
    runtime, events = run(python_bundle(leaves=source))
    for times in (1, 2):
        runtime.send("test.Go", None)
        assert until(events, message("test.Went")).json() == {"times": times}
    notice = until(events, message("wasmind.common.ui.UserNotification")).json()
    assert "it called `sys.exit(None)`" in notice["message"]


def test_leaving_at_the_start_is_told_as_what_it_is(python_bundle, run) -> None:
    source = """
        import sys
        from wasmind_actor import Actor

        class Leaves(Actor):
            def start(self):
                sys.exit(1)
    """
    with pytest.raises(SpawnError, match=r"the actor called `sys\.exit`"):
        run(python_bundle(leaves=source))
