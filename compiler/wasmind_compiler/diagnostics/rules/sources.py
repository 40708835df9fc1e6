"""WM04: sources, dependencies, and how they fit together."""

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Example, Rule

PATH_NOT_FOUND = Rule(
    code="WM0401",
    title="path does not exist",
    explanation="""
The folder a `path` source names does not exist. Paths are relative to the file they are written
in, not to the working directory; `~` and variables are not expanded.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "ekho" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
    ),
)

NOT_A_FOLDER = Rule(
    code="WM0402",
    title="path is not a folder",
    explanation="""
A `path` source names the folder that holds the actor's `Wasmind.toml`, not a file.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo/Wasmind.toml" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
    ),
)

MISSING_MANIFEST = Rule(
    code="WM0403",
    title="folder without a manifest",
    explanation="""
Every actor has a `Wasmind.toml` in its folder. Folders above and below are not searched.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "." }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
    ),
)

UNKNOWN_LIBRARY_ACTOR = Rule(
    code="WM0404",
    title="unknown library actor",
    explanation="""
`library` names an actor that is shipped with the installed Wasmind.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { library = "asistant" }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { library = "assistant" }
""",
        others={
            "library/assistant/Wasmind.toml": """\
actor_id = "wasmind:assistant"
""",
        },
    ),
)

GIT_NOT_SUPPORTED = Rule(
    code="WM0405",
    title="git sources are not supported yet",
    explanation="""
The source is well-formed, but this version of Wasmind cannot fetch from git. Clone the repository
and use a `path` source.
""",
)

LINK_LEAVES_FOLDER = Rule(
    code="WM0406",
    title="link out of the actor's folder",
    explanation="""
A symbolic link in the actor's folder leads outside of it. What it leads to would not be covered by
the digest that pins the actor, so such links are refused.
""",
)

CYCLE = Rule(
    code="WM0407",
    title="dependency cycle",
    explanation="""
Actors depend on each other in a circle, by name or because a folder is reached again under another
name. Dependencies say whose code is needed; actors that only talk to each other need none, and
actors that spawn each other need a spawn list.
""",
    example=Example(
        file="shell/Wasmind.toml",
        failing="""\
actor_id = "example:shell"

[dependencies.desk]
source = { path = "../desk" }
""",
        fixed="""\
actor_id = "example:shell"
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
            "desk/Wasmind.toml": """\
actor_id = "example:desk"

[dependencies.shell]
source = { path = "../shell" }
""",
        },
    ),
)

CONFLICTING_SOURCES = Rule(
    code="WM0408",
    title="one name, two sources",
    explanation="""
Logical names are shared by the whole system. Two manifests use one name for different actors. Give
one of them another name, make both use the same source, or decide with `[actor_overrides]`.
""",
    example=Example(
        file="board/Wasmind.toml",
        failing="""\
actor_id = "example:board"

[dependencies.shell]
source = { path = "../desk" }
""",
        fixed="""\
actor_id = "example:board"

[dependencies.shell]
source = { path = "../echo" }
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

[dependencies.shell]
source = { path = "../echo" }
""",
        },
    ),
)

CONFLICTING_SETTINGS = Rule(
    code="WM0409",
    title="one dependency, two settings",
    explanation="""
Two manifests share a dependency but configure it differently. There is one instance per agent, so
one of them would lose. Decide with `[actor_overrides]`.
""",
    example=Example(
        file="board/Wasmind.toml",
        failing="""\
actor_id = "example:board"

[dependencies.shell]
source = { path = "../echo" }
auto_spawn = true
""",
        fixed="""\
actor_id = "example:board"

[dependencies.shell]
source = { path = "../echo" }
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

[dependencies.shell]
source = { path = "../echo" }
""",
        },
    ),
)

OWN_ACTOR_CLASH = Rule(
    code="WM0410",
    title="own actor clashes with a dependency",
    explanation="""
`[actors]` defines a name that a manifest uses for a dependency with another source. Rename the own
actor, or replace the dependency's source with `[actor_overrides]`.
""",
    example=Example(
        failing="""\
starting_actors = ["desk", "shell"]

[actors.desk]
source = { path = "desk" }

[actors.shell]
source = { path = "other" }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }

[actor_overrides.shell]
source = { path = "other" }
""",
        others={
            "desk/Wasmind.toml": """\
actor_id = "example:desk"

[dependencies.shell]
source = { path = "../echo" }
""",
            "other/Wasmind.toml": """\
actor_id = "example:other"
""",
        },
    ),
)

OWN_ACTOR_COINCIDES = Rule(
    code="WM0411",
    title="own actor is also a dependency",
    severity=Severity.WARNING,
    explanation="""
`[actors]` defines a name that a manifest also declares, from the same source. The settings of both
are merged and those of `[actors]` win. `[actor_overrides]` says the same more clearly.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }

[actors.shell]
source = { path = "echo" }
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

REQUIRED_LIST_IGNORED = Rule(
    code="WM0412",
    title="required companions in a dependency table",
    explanation="""
`required_spawn_with` inside `[dependencies.NAME]` has never had an effect. It belongs at the top of
the dependency's own manifest; users change it with `[actor_overrides.NAME]`.
""",
    example=Example(
        file="desk/Wasmind.toml",
        failing="""\
actor_id = "example:desk"

[dependencies.shell]
source = { path = "../echo" }
required_spawn_with = ["desk"]
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
        },
    ),
)
