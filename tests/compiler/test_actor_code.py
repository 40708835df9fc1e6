"""What an actor's code shows to be wrong is told by `check`, at its place in the code.

The actors are described by the SDK itself, on CPython.
"""

from __future__ import annotations

import pytest

from tests.compiler.project import Project, app
from tests.compiler.repositories import Repository

APP = """
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
"""
HEAD = "from wasmind_actor import Actor, Config, Message, Param, agents, command, on, tool\n"


@pytest.fixture
def project(project: Project) -> Project:
    project.quiet |= {"WM0312"}  # nobody listens to the user
    return project


def code(project: Project, text: str, config: str = APP) -> list[str]:
    """What is found about an actor `desk`, whose code begins in the second line."""
    project.write("desk/Wasmind.toml", 'actor_id = "test:desk"\n')
    project.write("desk/actor.py", HEAD.encode() + text.encode())
    return project.found(config)


TOOLS = """\
import datetime
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from elsewhere import Thing
class Desk(Actor):
    @tool
    def remind(self, when: datetime.datetime, what, *more: str, **rest: str) -> str:
        '''Reminds.'''
        return ""
    @tool
    def sort(self, by: set[str], at: tuple[int, str], thing: "Thing", key: dict[int, str]) -> str:
        '''Sorts.'''
        return ""
    @tool
    def only(self, here: str, /) -> str:
        '''Is called by position.'''
        return ""
"""


def test_all_parameters_that_cannot_be_are_told_at_once(project: Project) -> None:
    assert code(project, TOOLS) == [
        "WM0805 desk/actor.py:8:22 parameter `when` of tool `remind`: `datetime` has no JSON form",
        "WM0805 desk/actor.py:8:47 parameter `what` of tool `remind`: it has no annotation",
        "WM0805 desk/actor.py:8:54 parameter `more` of tool `remind`: `*more` cannot be offered to"
        " a model",
        "WM0805 desk/actor.py:8:67 parameter `rest` of tool `remind`: `**rest` cannot be offered to"
        " a model",
        "WM0805 desk/actor.py:12:20 parameter `by` of tool `sort`: `set[str]` has no JSON form",
        "WM0805 desk/actor.py:12:34 parameter `at` of tool `sort`: `tuple[int, str]` has no JSON"
        " form",
        "WM0805 desk/actor.py:12:55 parameter `thing` of tool `sort`: its annotation cannot be"
        " read: name 'Thing' is not defined",
        "WM0805 desk/actor.py:12:71 parameter `key` of tool `sort`: `dict[int, str]` has no JSON"
        " form",
        "WM0805 desk/actor.py:16:20 parameter `here` of tool `only`: it cannot be passed by name,"
        " as a model does",
    ]


FIELDS = """\
import datetime
class Ping(Message, type="x.Ping"):
    at: datetime.date
class DeskConfig(Config):
    since: datetime.date | None = None
class Desk(Actor[DeskConfig]):
    @on(Ping)
    def ping(self, message: Ping) -> None: ...
"""


def test_fields_that_cannot_be(project: Project) -> None:
    assert code(project, FIELDS)[:2] == [
        "WM0805 desk/actor.py:4:5 `Ping.at`: `date` has no JSON form",
        "WM0805 desk/actor.py:6:5 `DeskConfig.since`: `date` has no JSON form",
    ]


MISSING = """\
import numberworks.fft as fft
from spreadsheets import Sheet, ident
class Desk(Actor):
    @tool
    @ident
    def count(self, sheet: Sheet, other) -> str:
        '''Counts.'''
        return ""
class Other(Sheet): ...
class Second(Actor): ...
"""


def test_what_is_missing_does_not_hide_the_rest(project: Project) -> None:
    assert code(project, MISSING) == [
        "WM0805 desk/actor.py:2:1 there is no module `numberworks`",
        "WM0805 desk/actor.py:3:1 there is no module `spreadsheets`",
        "WM0805 desk/actor.py:7:35 parameter `other` of tool `count`: it has no annotation",
        "WM0805 desk/actor.py:11:7 module `actor` defines more than one actor: `Desk` and `Second`",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("class Desk: ...", "WM0805 desk/actor.py:1:1 module `actor` defines no actor"),
        (
            "class Desk(Actor):\n    x = {}['nope']",
            "WM0805 desk/actor.py:3:5 loading the actor failed: KeyError: 'nope'",
        ),
        (
            "from wasmind_actor import Nothing",
            "WM0805 desk/actor.py:2:1 loading the actor failed: ImportError: cannot import name"
            " 'Nothing' from 'wasmind_actor'",
        ),
        (
            "from wasmind_actor import log\nlog.info('here')",
            "WM0805 desk/actor.py:3:1 loading the actor failed: RuntimeError: there is no host to"
            " ask while modules are loaded: do it in `start` or later",
        ),
        (
            "raise SystemExit(3)",
            "WM0805 desk/actor.py:2:1 loading the actor failed: SystemExit: 3",
        ),
    ],
)
def test_an_actor_that_does_not_load(project: Project, text: str, found: str) -> None:
    (line,) = code(project, text)
    assert line.startswith(found)


def test_a_module_that_fails_is_named_and_no_frame_of_ours(project: Project) -> None:
    project.write("desk/tables.py", "import json\n\njson.loads('{')\n")
    code(project, "import tables\nclass Desk(Actor): ...\n")
    text = project.text(APP)
    assert " --> desk/tables.py:3:1\n" in text
    assert "reached by way of: `actor`, line 2" in text
    assert "Traceback" not in text
    assert "wasmind_actor" not in text


METHODS = """\
class Ping(Message, type="wasmind.x.Ping"): ...
class Desk(Actor):
    {start}
        pass
    @tool
    {tool}
        '''Does something.'''
        {body}
    @on(Ping)
    {handler}
        {heard}
"""
PLAIN = {
    "start": "def start(self) -> None:",
    "tool": "def work(self) -> str:",
    "body": "return ''",
    "handler": "def ping(self) -> None:",
    "heard": "pass",
}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"start": "async def start(self) -> None:"}, ["4:15 `start` is a coroutine function"]),
        ({"tool": "async def work(self) -> str:"}, ["7:15 tool `work` is a coroutine function"]),
        ({"body": "yield ''"}, ["7:9 tool `work` is a generator"]),
        ({"handler": "async def ping(self) -> None:"}, ["11:15 handler `ping` is a coroutine"]),
        ({"heard": "yield"}, ["11:9 handler `ping` is a generator"]),
    ],
)
def test_methods_that_never_run(project: Project, change: dict[str, str], found: list[str]) -> None:
    lines = code(project, METHODS.format(**{**PLAIN, **change}))
    assert len(lines) == len(found)
    for line, expected in zip(lines, found, strict=True):
        assert line.startswith(f"WM0811 desk/actor.py:{expected}")


def test_a_handler_that_cannot_be_called(project: Project) -> None:
    change = {"handler": "def ping(self, message, envelope, third):"}
    assert code(project, METHODS.format(**{**PLAIN, **change})) == [
        "WM0805 desk/actor.py:11:39 handler `ping` cannot be called: nothing is passed for `third`"
    ]


@pytest.mark.parametrize(
    ("signature", "body", "found"),
    [
        ("-> str", "return 'x'", None),
        ("-> 'str | ToolResult'", "return 'x'", None),
        ("", "raise ToolError('no')", None),
        ("", "return some()", None),
        ("-> int", "return 3", "4:23 tool `work` returns `int`"),
        ("-> str | None", "return some()", "4:23 tool `work` returns `str | None`"),
        ("-> dict[str, str]", "return {}", "4:23 tool `work` returns `dict[str, str]`"),
        ("", "return {'a': 1}", "6:9 tool `work` returns something other than text here"),
        ("", "return 5", "6:9 tool `work` returns something other than text here"),
        ("", "some()", "4:9 tool `work` returns nothing"),
        ("", "while some(): pass", "4:9 tool `work` returns nothing"),
        ("-> str", "while True: some()", None),
        ("-> str", "sys.exit(some())", None),
    ],
)
def test_results_that_are_not_text(
    project: Project, signature: str, body: str, found: str | None
) -> None:
    text = f"""\
class Desk(Actor):
    @tool
    def work(self) {signature}:
        '''Works.'''
        {body}
from wasmind_actor import ToolError, ToolResult
def some(): ...
"""
    expected = [] if found is None else [f"WM0812 desk/actor.py:{found}"]
    assert code(project, text) == expected


def test_a_module_with_merge_conflicts(project: Project) -> None:
    text = """\
<<<<<<< HEAD
class Desk(Actor):
=======
class Table(Actor):
>>>>>>> theirs
    pass
"""
    (found,) = code(project, text)
    assert found.startswith("WM0113 desk/actor.py:")


def test_tools_that_no_model_can_know(project: Project) -> None:
    text = """\
class Desk(Actor):
    @tool
    def work(self) -> str:
        return ""
    @tool(name="größe")
    def size(self) -> str:
        '''Tells the size.'''
        return ""
    @tool(name="work")
    def again(self) -> str:
        '''Works again.'''
        return ""
    @tool(when="writable")
    def write(self) -> str:
        '''Writes.'''
        return ""
"""
    assert sorted(code(project, text)) == [
        "WM0205 desk/actor.py:7:9 a tool cannot be called `größe`",
        "WM0805 desk/actor.py:15:9 tool `write` is offered when `writable` is set, which is no"
        " setting",
        "WM0805 desk/actor.py:4:9 two methods are the tool `work`",
    ]


def test_a_tool_without_a_docstring(project: Project) -> None:
    text = "class Desk(Actor):\n    @tool\n    def work(self) -> str:\n        return ''\n"
    assert code(project, text) == ["WM0813 desk/actor.py:4:9 tool `work` has no description"]


def test_a_constructor_of_its_own(project: Project) -> None:
    text = "class Desk(Actor):\n    def __init__(self, scope, config=''): self.x = 1\n"
    assert code(project, text) == [
        "WM0814 desk/actor.py:3:9 `Desk` overrides `__init__`, which is the library's"
    ]


def test_decorated_tools_keep_their_parameters(project: Project) -> None:
    text = """\
import functools
def logged(method):
    @functools.wraps(method)
    def wrapper(*args, **kwargs):
        return method(*args, **kwargs)
    return wrapper
class Desk(Actor):
    @tool
    @logged
    def work(self, what: str) -> str:
        '''Works.'''
        return what
"""
    assert code(project, text) == []


def test_findings_are_kept_with_the_actor_in_the_cache(project: Project) -> None:
    text = "class Desk(Actor):\n    def __init__(self): ...\n"
    first, started = code(project, text), project.guests_started
    assert project.found(APP) == first
    assert project.guests_started == started


@pytest.mark.parametrize(
    ("granted", "body", "found"),
    [
        ("['ls']", "command.run('bash', '-c', 'x')", "error"),
        ("['bash']", "command.run('bash', '-c', 'x')", None),
        ("['bash']", "command.run('bash'); command.run(program='ls')", "note"),
        ("['ls']", "command.run(SHELL, *self.more)", "error"),
        ("['ls']", "command.run(self.shell)", None),
        ("['ls']", "command.run('bash'); command.run(self.shell)", None),
        ("['ls']", "run = command.run; run('bash')", None),
        ("['ls']", "start('bash')", "error"),
    ],
)
def test_programs_an_actor_starts(
    project: Project, granted: str, body: str, found: str | None
) -> None:
    config = APP + f"grants = {{ command = {{ programs = {granted} }} }}\n"
    text = f"""\
from wasmind_actor.command import run as start
SHELL = "bash"
class Desk(Actor):
    shell, more = "zsh", ("-c", "x")
    def stop(self) -> None:
        {body}
"""
    code(project, text, config)
    seen = [
        (each.severity.value, str(each.span))
        for each in project.check(config).diagnostics
        if each.code == "WM0708"
    ]
    assert seen == ([] if found is None else [(found, "app.toml:5:35")])


@pytest.mark.parametrize(
    ("granted", "named"),
    [
        ("['cat', 'ls']", None),
        ("['git']", "`git`"),
        ("['ls', '/usr/bin/find', 'cat', 'env']", "`/usr/bin/find` and `env`"),
        *((f"['{name}']", f"`{name}`") for name in ("tar", "xargs", "ssh", "python3", "sh")),
    ],
)
def test_granted_programs_that_start_others(
    project: Project, granted: str, named: str | None
) -> None:
    config = APP + f"grants = {{ command = {{ programs = {granted} }} }}\n"
    code(project, "from wasmind_actor import command\nclass Desk(Actor): pass\n", config)
    seen = [
        (each.severity.value, str(each.span), each.message)
        for each in project.check(config).diagnostics
        if each.code == "WM0710"
    ]
    if named is None:
        assert seen == []
        return
    ((severity, span, message),) = seen
    assert (severity, span) == ("warning", "app.toml:5:35")
    assert message.startswith(f"{named} can start any other program")


MESSAGES = """\
class Pinned(Message, type="board.{sent}"): ...
class Removed(Message, type="board.{heard}"): ...
class Desk(Actor):
    @on(Removed)
    def removed(self) -> None:
        self.broadcast(Pinned())
"""
BOARD = (
    HEAD
    + """\
class Pinned(Message, type="board.Pinned"): ...
class Removed(Message, type="board.Removed"): ...
class Board(Actor):
    @on(Pinned)
    def pinned(self) -> None:
        self.broadcast(Removed())
"""
)


@pytest.mark.parametrize(
    ("sent", "heard", "found"),
    [
        ("Pinned", "Removed", []),
        (
            "pinned",
            "Removed",
            [
                "WM0903 board/actor.py:6:9 `board` waits for `board.Pinned`, which no actor of the"
                " system sends",
                "WM0904 desk/actor.py:2:7 `desk` sends `board.pinned`, which no actor of the system"
                " hears",
            ],
        ),
    ],
)
def test_messages_that_nobody_sends_or_hears(
    project: Project, sent: str, heard: str, found: list[str]
) -> None:
    project.write("board/Wasmind.toml", 'actor_id = "test:board"\n')
    project.write("board/actor.py", BOARD)
    config = APP.replace('["desk"]', '["desk", "board"]')
    config += '[actors.board]\nsource = { path = "board" }\n'
    assert sorted(code(project, MESSAGES.format(sent=sent, heard=heard), config)) == found


def test_an_actor_by_itself_has_no_system_to_talk_to(project: Project) -> None:
    code(project, MESSAGES.format(sent="Pinned", heard="Removed"))
    assert project.about("desk") == []


def test_names_in_spawn_calls_are_checked(project: Project) -> None:
    text = """\
class Desk(Actor):
    def stop(self) -> None:
        agents.spawn(["wrker"], "w")
"""
    config = APP + '[actors.worker]\nsource = { path = "worker" }\n'
    project.write("worker/Wasmind.toml", 'actor_id = "test:worker"\n')
    project.write("worker/actor.py", HEAD + "class Worker(Actor): ...\n")
    assert "WM0309 desk/actor.py:4:22 `desk` spawns `wrker`, which does not exist" in code(
        project, text, config
    )
    assert code(project, text.replace("wrker", "worker"), config) == []


def test_advice_about_fetched_actors_is_a_note(project: Project, remote: Repository) -> None:
    remote.write("actors/desk/Wasmind.toml", 'actor_id = "test:desk"\n')
    remote.write("actors/desk/actor.py", HEAD + "class A(Actor):\n    def __init__(self): ...\n")
    remote.commit()
    (found,) = (x for x in project.check(app(remote.url)).diagnostics if x.code == "WM0814")
    assert (found.severity.value, found.span and found.span.start.line) == ("note", 3)
    assert found.span is not None
    assert found.span.file.endswith("actors/desk/actor.py")
