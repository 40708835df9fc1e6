"""WM033: who joins an agent with whom."""

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Example, Rule

UNDECLARED_COMPANION = Rule(
    code="WM0330",
    title="required actor is not a dependency",
    severity=Severity.WARNING,
    explanation="""
A manifest requires a companion that it does not declare as a dependency. The name exists in this
system only because somebody else declares it; in another system the actor could not be spawned.
""",
    example=Example(
        file="desk/Wasmind.toml",
        failing="""\
actor_id = "example:desk"
required_spawn_with = ["echo"]
""",
        fixed="""\
actor_id = "example:desk"
required_spawn_with = ["echo"]

[dependencies.echo]
source = { path = "../echo" }
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }

[actors.echo]
source = { path = "echo" }
""",
        },
    ),
)

COMPANIONS_DROPPED = Rule(
    code="WM0331",
    title="list hides the author's companions",
    severity=Severity.WARNING,
    explanation="""
`required_spawn_with` of a config replaces the list in the actor's manifest; the two are not united.
Companions that the author thinks necessary are missing from the config's list. An empty list is
taken as meant.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
required_spawn_with = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
required_spawn_with = ["echo", "shell"]

[actors.echo]
source = { path = "echo" }
""",
        others={
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
required_spawn_with = ["shell"]

[dependencies.shell]
source = { path = "../shell" }
""",
            "shell/Wasmind.toml": """\
actor_id = "example:shell"
""",
        },
    ),
)

SAME_KIND_TWICE = Rule(
    code="WM0332",
    title="two actors of one kind in an agent",
    severity=Severity.WARNING,
    explanation="""
Two logical names with the same `actor_id` join one agent. Both react to the same messages and offer
the same tools, which most actors are not made for.
""",
    example=Example(
        failing="""\
starting_actors = ["one", "two"]

[actors.one]
source = { path = "echo" }

[actors.two]
source = { path = "echo" }
""",
        fixed="""\
starting_actors = ["one"]

[actors.one]
source = { path = "echo" }
""",
    ),
)

AGENT_WITHOUT_MODEL = Rule(
    code="WM0333",
    title="spawn list without an assistant",
    severity=Severity.WARNING,
    explanation="""
No actor of the agent asks a model, so nothing in it would ever take up the task it is spawned for.
Mostly the assistant was left out of the list.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { model = "small", workers = ["shell"] }

[actors.shell]
source = { path = "shell" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model" }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { model = "small", workers = ["shell", "desk"] }

[actors.shell]
source = { path = "shell" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model" }
""",
        others={
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
build.component = "desk.wasm"
config_schema = "settings.json"
""",
            "desk/desk.wasm": """\
(component
  (import "wasmind:actor/agent@0.1.0" (instance))
  (instance $actor)
  (export "wasmind:actor/actor@0.1.0" (instance $actor))
)
""",
            "desk/settings.json": """\
{
  "type": "object",
  "properties": {
    "model": {"type": "string", "x-wasmind": "model"},
    "workers": {"type": "array", "items": {"type": "string"}, "x-wasmind": "actors"}
  }
}
""",
            "shell/Wasmind.toml": """\
actor_id = "example:shell"
build.component = "shell.wasm"
config_schema = "settings.json"
""",
            "shell/settings.json": """\
{"type": "object"}
""",
        },
    ),
)

EMPTY_AGENT = Rule(
    code="WM0334",
    title="empty spawn list",
    explanation="""
A spawn list has no names and no actor spawns automatically, so the new agent would be empty.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { model = "small", workers = [] }

[actors.shell]
source = { path = "shell" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model" }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { model = "small", workers = ["shell", "desk"] }

[actors.shell]
source = { path = "shell" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model" }
""",
        others={
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
build.component = "desk.wasm"
config_schema = "settings.json"
""",
            "desk/desk.wasm": """\
(component
  (import "wasmind:actor/agent@0.1.0" (instance))
  (instance $actor)
  (export "wasmind:actor/actor@0.1.0" (instance $actor))
)
""",
            "desk/settings.json": """\
{
  "type": "object",
  "properties": {
    "model": {"type": "string", "x-wasmind": "model"},
    "workers": {"type": "array", "items": {"type": "string"}, "x-wasmind": "actors"}
  }
}
""",
            "shell/Wasmind.toml": """\
actor_id = "example:shell"
build.component = "shell.wasm"
config_schema = "settings.json"
""",
            "shell/settings.json": """\
{"type": "object"}
""",
        },
    ),
)
