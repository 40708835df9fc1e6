"""WM08: building actors."""

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

BUILD_NOT_ALLOWED = Rule(
    code="WM0803",
    title="build command needs permission",
    explanation="""
Building this actor runs a program on this machine with all your rights. Build it yourself and name
the result with `[build] component`, or allow build commands.
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
needs. Loading this one failed; the traceback says where.
""",
    example=Example(
        file="desk/actor.py",
        failing="""\
raise RuntimeError("no settings at import time")
""",
        fixed="""\
# read settings when the actor is made
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
