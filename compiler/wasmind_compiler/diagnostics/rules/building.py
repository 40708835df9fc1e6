"""WM08: building actors."""

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Example, Rule

NOTHING_TO_BUILD = Rule(
    code="WM0801",
    title="nothing to build",
    explanation="""
The actor's folder has neither Python sources (`actor.py` or `actor/__init__.py`) nor a `[build]`
table in its manifest, so there is no component to run.
""",
    example=Example(
        file="desk/Wasmind.toml",
        failing="""\
actor_id = "example:desk"

[dependencies.shell]
source = { path = "../shell" }
""",
        fixed="""\
actor_id = "example:desk"

[dependencies.shell]
source = { path = "../echo" }
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
            "shell/Wasmind.toml": """\
actor_id = "example:shell"
""",
            "shell/actors.txt": """\
no code here
""",
        },
    ),
)

MISSING_ARTIFACT = Rule(
    code="WM0802",
    title="component file is missing",
    explanation="""
`[build] component` names a file that does not exist in the actor's folder, or that cannot be read:
a pipe for example, or a file far larger than any component.
""",
    example=Example(
        file="desk/Wasmind.toml",
        failing="""\
actor_id = "example:desk"
build.component = "out/desk.wasm"
""",
        fixed="""\
actor_id = "example:desk"
build.component = "desk.wasm"
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
        },
    ),
)

NOT_BUILT = Rule(
    code="WM0803",
    title="actor has to be built first",
    explanation="""
A bundle needs the component of every actor in it. This one is built by a program such as
`cargo component`, which would run on this machine with all your rights, so Wasmind does not start
it. Build the actor yourself and name the result with `[build] component`. `check` and `lock` need
no component and only note that the actor's contract is unknown (WM0807).
""",
    example=Example(
        file="desk/Wasmind.toml",
        command=("bundle",),
        failing="""\
actor_id = "example:desk"

[build]
command = ["make"]
output = "desk.wasm"
""",
        fixed="""\
actor_id = "example:desk"

[build]
component = "desk.wasm"
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
        },
    ),
)

PYTHON_SYNTAX = Rule(
    code="WM0804",
    title="Python module does not compile",
    explanation="""
The actor's Python source is not valid for the interpreter that actors run on.
""",
    example=Example(
        file="desk/actor.py",
        failing="""\
def answer(:
    return 42
""",
        fixed="""\
def answer():
    return 42
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
""",
        },
    ),
)

DESCRIBE_FAILED = Rule(
    code="WM0805",
    title="actor cannot be described",
    explanation="""
The compiler loads every Python actor once, in a sandbox, to learn what it handles, offers and
needs. Loading this one failed, or something in it cannot be what it is declared to be: a module
that is not there, a parameter or setting that JSON has no form for, no actor at all or two of them.
All that can be found out about an actor is told at once.
""",
    example=Example(
        file="desk/actor.py",
        failing="""\
from datetime import datetime

from wasmind_actor import Actor, tool


class Desk(Actor):
    @tool
    def remind(self, when: datetime) -> str:
        \"\"\"Reminds of what is to be done.\"\"\"
        return f"at {when}"
""",
        fixed="""\
from wasmind_actor import Actor, tool


class Desk(Actor):
    @tool
    def remind(self, when: str) -> str:
        \"\"\"Reminds of what is to be done.\"\"\"
        return f"at {when}"
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
""",
        },
    ),
)

ARTIFACT_LEAVES_FOLDER = Rule(
    code="WM0806",
    title="path out of the actor's folder",
    explanation="""
Files that a manifest names lie in the actor's own folder, so that its digest covers them.
""",
    example=Example(
        file="desk/Wasmind.toml",
        failing="""\
actor_id = "example:desk"
build.component = "../desk.wasm"
""",
        fixed="""\
actor_id = "example:desk"
build.component = "desk.wasm"
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
        },
    ),
)

UNKNOWN_UNTIL_BUILT = Rule(
    code="WM0807",
    title="contract unknown until built",
    severity=Severity.NOTE,
    explanation="""
This actor is built by a program that Wasmind does not run, and its component is what would tell
which capabilities it needs. `check` and `lock` take from its manifest what that says; everything
else about it is unknown, so nothing is reported about it. `bundle` and `run` need the component.
""",
    example=Example(
        file="desk/Wasmind.toml",
        failing="""\
actor_id = "example:desk"

[build]
command = ["make"]
output = "desk.wasm"
""",
        fixed="""\
actor_id = "example:desk"

[build]
component = "desk.wasm"
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
        },
    ),
)

NEVER_RUNS = Rule(
    code="WM0811",
    title="method that never runs",
    explanation="""
What an actor is asked to do is done when its method returns. Calling an `async def`, or a function
with a `yield`, only makes a coroutine or a generator, which nobody runs: the tool fails, and a
handler or `start` does nothing, without a word. There is no event loop to wait for: a plain method
may take its time.
""",
    example=Example(
        file="desk/actor.py",
        failing="""\
from wasmind_actor import Actor, tool


class Desk(Actor):
    @tool
    async def tidy(self) -> str:
        \"\"\"Tidies the desk.\"\"\"
        return "tidy"
""",
        fixed="""\
from wasmind_actor import Actor, tool


class Desk(Actor):
    @tool
    def tidy(self) -> str:
        \"\"\"Tidies the desk.\"\"\"
        return "tidy"
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
""",
        },
    ),
)

NOT_TEXT = Rule(
    code="WM0812",
    title="tool that does not return text",
    severity=Severity.WARNING,
    explanation="""
A tool answers with text, with a `ToolResult`, or later with `call.defer()`. Anything else, `None`
included, is an error when the tool is called.
""",
    example=Example(
        file="desk/actor.py",
        failing="""\
from wasmind_actor import Actor, tool


class Desk(Actor):
    @tool
    def count(self) -> int:
        \"\"\"Counts what lies on the desk.\"\"\"
        return 3
""",
        fixed="""\
from wasmind_actor import Actor, tool


class Desk(Actor):
    @tool
    def count(self) -> str:
        \"\"\"Counts what lies on the desk.\"\"\"
        return "3"
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
""",
        },
    ),
)

NO_DESCRIPTION = Rule(
    code="WM0813",
    title="tool without a description",
    severity=Severity.WARNING,
    explanation="""
A model knows of a tool what its name, its parameters and its description say. The description is
the docstring of the method.
""",
    example=Example(
        file="desk/actor.py",
        failing="""\
from wasmind_actor import Actor, tool


class Desk(Actor):
    @tool
    def tidy(self) -> str:
        return "tidy"
""",
        fixed="""\
from wasmind_actor import Actor, tool


class Desk(Actor):
    @tool
    def tidy(self) -> str:
        \"\"\"Tidies the desk.\"\"\"
        return "tidy"
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
""",
        },
    ),
)

OWN_CONSTRUCTOR = Rule(
    code="WM0814",
    title="constructor overridden",
    severity=Severity.WARNING,
    explanation="""
The constructor of `Actor` reads the configuration, calls `start` and announces the tools. A class
with one of its own does so at the wrong time or not at all. What is to be done at the beginning
belongs into `start`.
""",
    example=Example(
        file="desk/actor.py",
        failing="""\
from wasmind_actor import Actor


class Desk(Actor):
    def __init__(self, scope: str, config: str = "") -> None:
        super().__init__(scope, config)
        self.notes: list[str] = []
""",
        fixed="""\
from wasmind_actor import Actor


class Desk(Actor):
    def start(self) -> None:
        self.notes: list[str] = []
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
""",
        },
    ),
)
