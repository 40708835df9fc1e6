"""WM09: contracts of actors, and whether they fit together."""

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Example, Rule

BAD_CONTRACT = Rule(
    code="WM0901",
    title="contract cannot be read",
    explanation="""
What the actor says about itself is not a contract this version of Wasmind understands.
""",
)

TOOL_NAME_CLASH = Rule(
    code="WM0902",
    title="two tools of one name in an agent",
    explanation="""
The actors of an agent offer their tools to the same model, which calls them by name. With two tools
of one name nobody can say which would run. Typical causes are a plain and an approving variant of
one actor side by side.
""",
    example=Example(
        file="board/Wasmind.toml",
        failing="""\
actor_id = "example:board"
build.component = "board.wasm"

[[contract.tools]]
name = "read_file"
description = "Reads a file"
parameters = { type = "object" }
""",
        fixed="""\
actor_id = "example:board"
build.component = "board.wasm"

[[contract.tools]]
name = "read_note"
description = "Reads a file"
parameters = { type = "object" }
""",
        others={
            "app.toml": """\
starting_actors = ["desk", "board"]

[actors.desk]
source = { path = "desk" }

[actors.board]
source = { path = "board" }
""",
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
build.component = "desk.wasm"

[[contract.tools]]
name = "read_file"
description = "Reads a file"
parameters = { type = "object" }
""",
        },
    ),
)

NOBODY_SENDS = Rule(
    code="WM0903",
    title="message nobody sends",
    severity=Severity.NOTE,
    explanation="""
An actor waits for a message that no actor of the system sends: an actor may be missing, or the type
is written differently. Messages that host and interfaces send (`wasmind.…`) are not meant, and
nothing is said where an actor does not tell what it sends.
""",
    example=Example(
        file="desk/Wasmind.toml",
        failing="""\
actor_id = "example:desk"
build.component = "desk.wasm"

[contract]
handles = [{ type = "board.Removed", scope = "own" }]
emits = [{ type = "board.pinned" }]
""",
        fixed="""\
actor_id = "example:desk"
build.component = "desk.wasm"

[contract]
handles = [{ type = "board.Removed", scope = "own" }]
emits = [{ type = "board.Pinned" }]
""",
        others={
            "app.toml": """\
starting_actors = ["desk", "board"]

[actors.desk]
source = { path = "desk" }

[actors.board]
source = { path = "board" }
""",
            "board/Wasmind.toml": """\
actor_id = "example:board"
build.component = "board.wasm"

[contract]
handles = [{ type = "board.Pinned", scope = "own" }]
emits = [{ type = "board.Removed" }]
""",
        },
    ),
)

NOBODY_HEARS = Rule(
    code="WM0904",
    title="message nobody hears",
    severity=Severity.NOTE,
    explanation="""
An actor sends a message that no actor of the system handles: an actor may be missing, or the type
is written differently. Messages for host and interfaces (`wasmind.…`) are not meant, and nothing is
said where an actor does not tell what it handles.
""",
    example=Example(
        file="desk/Wasmind.toml",
        failing="""\
actor_id = "example:desk"
build.component = "desk.wasm"

[contract]
handles = [{ type = "board.removed", scope = "own" }]
emits = [{ type = "board.Pinned" }]
""",
        fixed="""\
actor_id = "example:desk"
build.component = "desk.wasm"

[contract]
handles = [{ type = "board.Removed", scope = "own" }]
emits = [{ type = "board.Pinned" }]
""",
        others={
            "app.toml": """\
starting_actors = ["desk", "board"]

[actors.desk]
source = { path = "desk" }

[actors.board]
source = { path = "board" }
""",
            "board/Wasmind.toml": """\
actor_id = "example:board"
build.component = "board.wasm"

[contract]
handles = [{ type = "board.Pinned", scope = "own" }]
emits = [{ type = "board.Removed" }]
""",
        },
    ),
)
