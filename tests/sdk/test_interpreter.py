"""The real thing: the interpreter component, built with componentize-py and run by wasmtime.

It is built into the user's cache, as every command does, and reused from there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sdk.guests import Staged, contract_of, modules_of
from wasmind.paths import cache_dir, shipped
from wasmind.runtime.errors import GuestFailure, SourceError
from wasmind.runtime.interpreter import Interpreter
from wasmind.runtime.memory import AddressSpace
from wasmind_actor.testing import describe
from wasmind_compiler.build.interpreter import (
    build_interpreter,
    interpreter_digest,
    interpreter_key,
)
from wasmind_compiler.reporter import Reporter

ACTORS = shipped("actors")
NOTES = Path(__file__).parent / "actors" / "notes"
SDK, WIT = ACTORS / "sdk", shipped("schemas") / "wit"

pytestmark = pytest.mark.slow


class Log(Reporter):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def status(self, verb: str, text: str) -> None:
        self.lines.append(f"{verb} {text}")


@pytest.fixture(scope="session")
def interpreter() -> Iterator[Interpreter]:
    component = build_interpreter(cache_dir(), SDK, WIT, Log())
    running = Interpreter(component, interpreter_digest(component), cache_dir())
    yield running
    running.close()


def tool_call(tool: str, **arguments: object) -> dict[str, object]:
    function = {"name": tool, "arguments": json.dumps(arguments)}
    call = {"id": "call_1", "type": "function", "function": function}
    return {"tool_call": call, "originating_request_id": "req_000001"}


def test_is_built_once(interpreter):
    log = Log()
    wasm = build_interpreter(cache_dir(), SDK, WIT, log)
    assert wasm.name == f"{interpreter_key(SDK, WIT)}.wasm"
    assert log.lines == []
    assert [path.name for path in wasm.parent.iterdir() if path.name.startswith("build-")] == []


def test_the_key_depends_on_every_source(tmp_path):
    for name in ("interpreter", "wasmind_actor"):
        for path in (SDK / name).rglob("*.py"):
            copy = tmp_path / name / path.relative_to(SDK / name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    assert interpreter_key(tmp_path, WIT) == interpreter_key(SDK, WIT)
    (tmp_path / "wasmind_actor" / "log.py").write_text("# changed")
    assert interpreter_key(tmp_path, WIT) != interpreter_key(SDK, WIT)


def compiled(interpreter: Interpreter, source: str) -> list[tuple[str, bytes]]:
    with interpreter.session() as session:
        return [("actor", session.compile("actor", source))]


def pages_are_huge() -> bool:
    setting = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return setting.exists() and "[always]" in setting.read_text()


@pytest.mark.parametrize("folder", [ACTORS / "assistant", ACTORS / "execute_bash", NOTES])
def test_a_guest_describes_an_actor_as_cpython_does(interpreter, folder):
    contract = contract_of(interpreter, modules_of(interpreter, folder))
    assert json.loads(contract) == describe(folder)


FAULTY = """\
import numberworks
from datetime import datetime
from enum import Enum
from typing import Annotated, Literal, TYPE_CHECKING
from wasmind_actor import Actor, Config, Message, Param, agents, command, on, tool
if TYPE_CHECKING:
    from elsewhere import Thing
class Size(Enum):
    SMALL = 1
class Ping(Message, type="x.Ping"):
    at: datetime
class DeskConfig(Config):
    since: Annotated[datetime, Param("when")]
    size: Size = Size.SMALL
    workers: Annotated[tuple[str, ...], Param(refers="actors")] = ("worker",)
class Desk(Actor[DeskConfig]):
    def __init__(self, scope, config=""): ...
    async def start(self): ...
    @tool
    def sort(self, by: set[str], how: Literal[1, 2], thing: Thing, *more) -> int:
        agents.spawn(["wrker"], "w")
        return 3
    @tool
    def flow(self) -> str:
        '''Flows.'''
        from concurrent.futures import ThreadPoolExecutor
        command.run("bash", *ThreadPoolExecutor)
        yield ""
    @on(Ping)
    async def ping(self, a, b, c): ...
class Other(Actor): ...
"""


def findings_in_guest(interpreter: Interpreter, folder: Path, text: str) -> list[str]:
    (folder / "actor.py").write_text(text)
    contract = json.loads(contract_of(interpreter, modules_of(interpreter, folder)))
    return [each["message"] for each in contract["findings"]]


@pytest.mark.parametrize("change", [("", ""), ("Thing,", '"Thing",')])
def test_a_guest_finds_the_faults_that_cpython_finds(interpreter, tmp_path, change):
    text = "from __future__ import annotations\n" + FAULTY.replace(*change)
    found = findings_in_guest(interpreter, tmp_path, text)
    assert found == [each["message"] for each in describe(tmp_path)["findings"]]
    assert json.loads(contract_of(interpreter, modules_of(interpreter, tmp_path))) == (
        describe(tmp_path)
    )
    # Its annotations are evaluated on demand, also without that import.
    assert findings_in_guest(interpreter, tmp_path, FAULTY) == found


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("\n  x = 1\n", {"message": "unexpected indent", "line": 2, "column": 2}),
        ("a\0", {"message": "source code string cannot contain null bytes"}),
    ],
)
def test_source_that_does_not_compile(interpreter, source, problem):
    with pytest.raises(SourceError) as caught:
        compiled(interpreter, source)
    found = {name: getattr(caught.value, name) for name in ("message", "line", "column")}
    assert found == {"line": None, "column": None, **problem}


def test_an_actor_without_a_class_is_a_finding(interpreter):
    contract = json.loads(contract_of(interpreter, compiled(interpreter, "")))
    assert [each["message"] for each in contract["findings"]] == ["module `actor` defines no actor"]


def test_the_bash_actor_runs_a_command(interpreter):
    bash = Staged(interpreter, modules_of(interpreter, ACTORS / "execute_bash"))
    bash.construct()
    call = tool_call("execute_bash", command="echo a.py")
    bash.deliver("wasmind.common.tools.ExecuteToolCall", call)
    kind, payload = bash.sent[-1]
    assert kind == "wasmind.common.tools.ToolCallStatusUpdate"
    assert payload["status"]["Done"]["result"]["Ok"]["content"] == "a.py\n"
    bash.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose a page is")
@pytest.mark.skipif(pages_are_huge(), reason="the kernel gives out pages of 2 MiB unasked")
def test_actors_share_most_of_the_interpreter(interpreter, monkeypatch):
    # Other tests let go of guests without closing them.
    monkeypatch.setattr("wasmind.runtime.guest.ADDRESS_SPACE", AddressSpace())
    bash = Staged(interpreter, modules_of(interpreter, ACTORS / "execute_bash"))
    bash.construct()
    assert 1 << 20 < bash.own_bytes < 12 << 18  # 4.7 MiB with holes in the snapshot's heap


def test_the_assistant_comes_to_life(interpreter):
    assistant = Staged(interpreter, modules_of(interpreter, ACTORS / "assistant"))
    assistant.construct(config='model_name = "m"')
    assistant.deliver("wasmind.common.actors.AllActorsReady", None)
    waiting = {"status": {"Wait": {"reason": "WaitingForLiteLLM"}}}
    assert assistant.sent == [("wasmind.common.assistant.StatusUpdate", waiting)]


def test_an_exception_is_contained_and_the_state_survives(interpreter):
    notes = Staged(interpreter, modules_of(interpreter, NOTES))
    notes.construct(config='title = "Book"')
    notes.deliver("wasmind.common.tools.ExecuteToolCall", tool_call("write", text="one"))
    notes.deliver("wasmind.common.actors.Exit", None, scope="abcdef")
    assert 'File "<actor>/actor.py", line' in notes.logged[-1]
    assert notes.sent[-1][0] == "wasmind.common.ui.UserNotification"
    notes.deliver("wasmind.common.tools.ExecuteToolCall", tool_call("write", text="two"))
    assert notes.sent[-1][1]["status"]["Done"]["result"]["Ok"]["content"] == "Book: 2"
    notes.stop()
    assert notes.sent[-1] == ("notes.NoteTaken", {"text": "closed"})


def test_a_wrong_configuration_traps_with_its_reason(interpreter):
    notes = Staged(interpreter, modules_of(interpreter, NOTES))
    with pytest.raises(GuestFailure, match="the configuration of Notes is wrong: titel: unkno"):
        notes.construct(config='titel = "Book"')


@pytest.mark.parametrize(
    "code",
    [
        "from datetime import datetime; datetime.strptime('2024-01-02', '%Y-%m-%d')",
        "import json, re, difflib, textwrap, pathlib, enum, decimal, uuid; uuid.uuid4()",
        "'ä'.encode('cp1252'); 'ä'.encode('idna'); b'x'.decode('utf-16-le', 'replace')",
        "import xml.etree.ElementTree as e; e.fromstring('<a/>')",
        "import statistics, zoneinfo, random, csv, html; random.random()",
        "import jinja2.sandbox as j; j.SandboxedEnvironment().from_string('{{ 1 }}').render()",
        "import jinja2 as j\ntry: j.Template('{{ a.b }}').render()\nexcept j.UndefinedError: pass",
        "import asyncio; asyncio.Queue",
    ],
)
def test_the_standard_library_is_there(interpreter, code):
    source = f"from wasmind_actor import Actor\n{code}\nclass A(Actor): ...\n"
    contract = json.loads(contract_of(interpreter, compiled(interpreter, source)))
    assert (contract["name"], contract["findings"]) == ("A", [])


@pytest.mark.parametrize("code", ["log.info('x')", "http.get('http://x')", "files.read('x')"])
def test_modules_may_not_ask_the_host_while_they_are_loaded(interpreter, code):
    source = f"from wasmind_actor import Actor, files, http, log\n{code}\nclass A(Actor): ..."
    contract = json.loads(contract_of(interpreter, compiled(interpreter, source)))
    (found,) = contract["findings"]
    assert "there is no host to ask while modules are loaded" in found["message"]


def test_what_is_not_there_fails_at_once(interpreter):
    contract = json.loads(contract_of(interpreter, compiled(interpreter, "import numpy")))
    assert contract["findings"][0]["message"] == "there is no module `numpy`"
