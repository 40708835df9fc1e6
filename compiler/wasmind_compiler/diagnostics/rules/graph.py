"""WM044: the graph that dependencies make, and the folders of actors."""

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Example, Rule

SELF_DEPENDENCY = Rule(
    code="WM0440",
    title="actor depends on itself",
    explanation="""
A manifest declares a dependency whose source is the actor's own folder. An actor is there already
when its manifest is read; a second instance under another name belongs into the config.
""",
    example=Example(
        file="desk/Wasmind.toml",
        failing="""\
actor_id = "example:desk"

[dependencies.shell]
source = { path = "." }
""",
        fixed="""\
actor_id = "example:desk"
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

AMBIGUOUS_ACTOR_ID = Rule(
    code="WM0441",
    title="one actor_id, two actors",
    severity=Severity.WARNING,
    explanation="""
An `actor_id` says what kind of actor it is and is the sender of its messages. Two different sources
declare the same one, so receivers cannot tell their messages apart.
""",
    example=Example(
        file="desk/Wasmind.toml",
        failing="""\
actor_id = "example:echo"
""",
        fixed="""\
actor_id = "example:desk"
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
required_spawn_with = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
        },
    ),
)

TWO_COMMITS = Rule(
    code="WM0447",
    title="one actor at two commits",
    severity=Severity.NOTE,
    explanation="""
Two names lead to the same folder of the same repository, but at different commits. That is allowed
and may be meant, while moving from one version to the next for example. Both have one `actor_id`,
so receivers cannot tell their messages apart.
""",
)

ABSOLUTE_PATH = Rule(
    code="WM0442",
    title="absolute path in a manifest",
    severity=Severity.WARNING,
    explanation="""
A manifest is read on every machine its actor is used on, and an absolute path exists on one of
them. Use a path relative to the manifest, or a git source.
""",
    example=Example(
        file="desk/Wasmind.toml",
        failing="""\
actor_id = "example:desk"
required_spawn_with = ["shell"]

[dependencies.shell]
source = { path = "/opt/actors/shell" }
""",
        fixed="""\
actor_id = "example:desk"
required_spawn_with = ["shell"]

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

TOO_LARGE = Rule(
    code="WM0443",
    title="system too large",
    explanation="""
Dependencies lead to more actors, or deeper, than any system needs, or actors require each other in
chains without end. Something generates manifests.
""",
)

UNUSED_DEPENDENCY = Rule(
    code="WM0444",
    title="dependency that nothing spawns",
    severity=Severity.WARNING,
    explanation="""
The manifest declares the dependency, but it does not spawn automatically, nobody requires it and no
spawn list names it, so it would never run. It is left out of the bundle. Add it to
`required_spawn_with` or to a spawn list, or remove it.
""",
    example=Example(
        file="desk/Wasmind.toml",
        failing="""\
actor_id = "example:desk"

[dependencies.shell]
source = { path = "../echo" }
""",
        fixed="""\
actor_id = "example:desk"
required_spawn_with = ["shell"]

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

TREE_TOO_LARGE = Rule(
    code="WM0445",
    title="actor's folder is too large",
    explanation="""
Everything in an actor's folder is pinned and goes into the bundle, so the folder has to be of a
reasonable size. Mostly a build or data folder lies in it that belongs elsewhere.
""",
)

BAD_ACTOR_ID = Rule(
    code="WM0446",
    title="malformed actor_id",
    explanation="""
An `actor_id` is two names with a colon between them, like `acme:file_reader`. The names are made of
lower-case letters, digits, `-` and `_`. The first says whose kind of actor it is.
""",
    example=Example(
        file="desk/Wasmind.toml",
        failing="""\
actor_id = "Example Desk"
""",
        fixed="""\
actor_id = "example:desk"
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
"""
        },
    ),
)
