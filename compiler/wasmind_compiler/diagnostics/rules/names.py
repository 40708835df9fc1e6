"""WM03: logical names: who starts, who is required, who is overridden."""

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Example, Rule

NOTHING_TO_START = Rule(
    code="WM0301",
    title="nothing to start",
    explanation="""
The first agent would be empty: `starting_actors` names nobody and no actor spawns automatically.
""",
    example=Example(
        failing="""\
starting_actors = []

[actors.echo]
source = { path = "echo" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
    ),
)

UNKNOWN_STARTING_ACTOR = Rule(
    code="WM0302",
    title="unknown starting actor",
    explanation="""
`starting_actors` lists logical names: the NAME of an `[actors.NAME]` table or of a dependency in a
manifest. An `actor_id` is not a logical name.
""",
    example=Example(
        failing="""\
starting_actors = ["ecko"]

[actors.echo]
source = { path = "echo" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
    ),
)

DUPLICATE_NAME = Rule(
    code="WM0303",
    title="name listed twice",
    severity=Severity.WARNING,
    explanation="""
An actor joins an agent once, however often a list names it.
""",
    example=Example(
        failing="""\
starting_actors = ["echo", "echo"]

[actors.echo]
source = { path = "echo" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
    ),
)

UNKNOWN_REQUIRED_ACTOR = Rule(
    code="WM0304",
    title="unknown required actor",
    explanation="""
`required_spawn_with` lists logical names of actors that join whenever this one is spawned. One of
them does not exist, so the actor could never be spawned.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
required_spawn_with = ["shell"]
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
required_spawn_with = ["shell"]

[actors.shell]
source = { path = "echo" }
""",
    ),
)

REQUIRES_ITSELF = Rule(
    code="WM0305",
    title="actor requires itself",
    severity=Severity.WARNING,
    explanation="""
An actor that is spawned is there already; naming itself in `required_spawn_with` does nothing.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
required_spawn_with = ["echo"]
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
    ),
)

ACTOR_AND_OVERRIDE = Rule(
    code="WM0306",
    title="actor and override of one name",
    explanation="""
An actor of `[actors]` is the user's own and is changed in its own table. `[actor_overrides]`
changes dependencies, which are declared in manifests.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[actor_overrides.echo]
auto_spawn = true
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
auto_spawn = true
""",
    ),
)

OVERRIDE_OF_NOTHING = Rule(
    code="WM0307",
    title="override of a dependency that does not exist",
    explanation="""
No manifest of the system declares a dependency of this name, so the override would change nothing.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }

[actor_overrides.shel]
auto_spawn = true
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }

[actor_overrides.shell]
auto_spawn = true
""",
        others={
            "desk/Wasmind.toml": """\
actor_id = "example:desk"

[dependencies.shell]
source = { path = "../echo" }
""",
        },
    ),
)

NEVER_SPAWNED = Rule(
    code="WM0308",
    title="actor that nothing spawns",
    severity=Severity.WARNING,
    explanation="""
The actor is not in `starting_actors`, does not spawn automatically, nobody requires it, and no
spawn list of an actor that runs names it. It is left out of the bundle.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[actors.shell]
source = { path = "echo" }
""",
        fixed="""\
starting_actors = ["echo", "shell"]

[actors.echo]
source = { path = "echo" }

[actors.shell]
source = { path = "echo" }
""",
    ),
)

UNKNOWN_SPAWNED_ACTOR = Rule(
    code="WM0309",
    title="unknown actor in a spawn list",
    explanation="""
A setting or contract of an actor lists logical names that it puts into new agents. One of them
does not exist; the agent could not be spawned.
""",
    example=Example(
        failing="""\
starting_actors = ["desk", "echo"]

[actors.desk]
source = { path = "desk" }
config = { workers = ["ecko"] }

[actors.echo]
source = { path = "echo" }
""",
        fixed="""\
starting_actors = ["desk", "echo"]

[actors.desk]
source = { path = "desk" }
config = { workers = ["echo"] }

[actors.echo]
source = { path = "echo" }
""",
        others={
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
build.component = "desk.wasm"
config_schema = "settings.json"
""",
            "desk/settings.json": """\
{
  "type": "object",
  "properties": {
    "workers": {"type": "array", "items": {"type": "string"}, "x-wasmind": "actors"}
  }
}
""",
        },
    ),
)

ALIKE_NAMES = Rule(
    code="WM0310",
    title="names that differ only in letter case",
    severity=Severity.WARNING,
    explanation="""
Both are different actors for Wasmind, and the same for a hurried reader.
""",
    example=Example(
        failing="""\
starting_actors = ["echo", "Echo"]

[actors.echo]
source = { path = "echo" }

[actors.Echo]
source = { path = "echo" }
""",
        fixed="""\
starting_actors = ["echo", "second"]

[actors.echo]
source = { path = "echo" }

[actors.second]
source = { path = "echo" }
""",
    ),
)

REDUNDANT_START = Rule(
    code="WM0311",
    title="starting actor that joins anyway",
    severity=Severity.NOTE,
    explanation="""
An actor with `auto_spawn` is part of every agent, of the first one as well.
""",
    example=Example(
        failing="""\
starting_actors = ["echo", "clock"]

[actors.echo]
source = { path = "echo" }

[actors.clock]
source = { path = "echo" }
auto_spawn = true
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[actors.clock]
source = { path = "echo" }
auto_spawn = true
""",
    ),
)

NOBODY_LISTENS = Rule(
    code="WM0312",
    title="nobody listens to the user",
    severity=Severity.WARNING,
    explanation="""
What a user writes is the message `wasmind.common.assistant.AddMessage` to the first agent. None of
its actors handles it, so a prompt would never be answered.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
        fixed="""\
starting_actors = ["desk", "echo"]

[actors.desk]
source = { path = "desk" }

[actors.echo]
source = { path = "echo" }
""",
        others={
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
build.component = "desk.wasm"

[[contract.handles]]
type = "example.Ping"
scope = "own"
""",
        },
    ),
)

OVERRIDE_WITHOUT_EFFECT = Rule(
    code="WM0313",
    title="override without effect",
    severity=Severity.WARNING,
    explanation="""
The override is empty, or repeats what the manifest says already.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }

[actor_overrides.shell.config]
log = { level = "low" }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }

[actor_overrides.shell.config]
log = { level = "high" }
""",
        others={
            "desk/Wasmind.toml": """\
actor_id = "example:desk"

[dependencies.shell]
source = { path = "../echo" }
config = { log = { level = "low" } }
""",
        },
    ),
)

TABLE_REPLACED = Rule(
    code="WM0314",
    title="table replaced by another kind of value",
    severity=Severity.WARNING,
    explanation="""
Settings of several files are merged table by table. Here one file has a table where another has
something else, so everything in the table is lost.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }

[actor_overrides.shell.config]
log = "high"
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }

[actor_overrides.shell.config]
log = { level = "high" }
""",
        others={
            "desk/Wasmind.toml": """\
actor_id = "example:desk"

[dependencies.shell]
source = { path = "../echo" }
config = { log = { level = "low" } }
""",
        },
    ),
)
