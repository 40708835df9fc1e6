"""WM02: keys and types of configs, manifests, lockfiles and model scripts."""

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Example, Rule

UNKNOWN_KEY = Rule(
    code="WM0201",
    title="unknown key",
    explanation="""
The table knows a fixed set of keys and this is none of them. Keys that mean nothing are refused
because a misspelled one would otherwise silently leave a default in force.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
auto_spwan = true
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
auto_spawn = true
""",
    ),
)

UNKNOWN_TABLE = Rule(
    code="WM0202",
    title="unknown top-level table",
    severity=Severity.WARNING,
    explanation="""
A config may carry tables for other programs, so a top-level table that Wasmind does not know is
only a warning. One whose name resembles a known table is an unknown key (WM0201) instead.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[other_program]
key = 1
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
    ),
)

WRONG_TYPE = Rule(
    code="WM0203",
    title="wrong type",
    explanation="""
The value is of another type than the key wants. Nothing is converted: `"true"` is not a boolean
and a single string is not a list.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
auto_spawn = "true"
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
auto_spawn = true
""",
    ),
)

MISSING_KEY = Rule(
    code="WM0204",
    title="missing key",
    explanation="""
A key that the table cannot do without is absent.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
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

BAD_VALUE = Rule(
    code="WM0205",
    title="value not allowed",
    explanation="""
The value has the right type but is outside what the key accepts: out of range, too short, of the
wrong form, or not one of the allowed words.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
limits = { memory_mib = 0 }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
limits = { memory_mib = 64 }
""",
    ),
)

CONFLICTING_KEYS = Rule(
    code="WM0206",
    title="keys that exclude one another",
    explanation="""
A table can take one of several shapes, and keys of two of them are present. Keep those of one:
a source is either a `path`, a `git` repository or a `library` actor, and a `git_ref` is one of
`branch`, `tag` and `rev`.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo", library = "assistant" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
""",
    ),
)

MISPLACED_KEY = Rule(
    code="WM0207",
    title="actor setting outside `config`",
    explanation="""
The key belongs to the actor's own settings, but it stands beside `source` instead of inside the
`config` table. There it would have no effect at all. Move it under `config`.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
allow_edits = false
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { allow_edits = false }
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
  "additionalProperties": false,
  "properties": {
    "allow_edits": {"type": "boolean"},
    "retries": {"type": "integer", "minimum": 0}
  }
}
""",
        },
    ),
)

IGNORED_KEY = Rule(
    code="WM0208",
    title="key without effect",
    severity=Severity.WARNING,
    explanation="""
The key is accepted because manifests in the wild carry it, but Wasmind does nothing with it.
""",
    example=Example(
        file="desk/Wasmind.toml",
        failing="""\
actor_id = "example:desk"

[system_prompt_contributions.tone]
section = "guidelines"
content = "Be brief."
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
