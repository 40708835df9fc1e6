"""WM05: the config tables of actors."""

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Example, Rule

UNKNOWN_SETTING = Rule(
    code="WM0501",
    title="unknown actor setting",
    explanation="""
The actor publishes a schema for its config table, and this key is not in it.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { alow_edits = false }
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

WRONG_TYPE = Rule(
    code="WM0502",
    title="actor setting of the wrong type",
    explanation="""
The actor's schema wants another type. Settings are merged from several files; the span is in the
file that the value finally came from.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { retries = "3" }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { retries = 3 }
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

MISSING_SETTING = Rule(
    code="WM0503",
    title="missing actor setting",
    explanation="""
The actor cannot work without this setting and none of the layers gives it: not the manifests that
depend on it, not `[actors.NAME.config]`, not `[actor_overrides.NAME.config]`.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model" }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { model_name = "small" }

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
            "desk/settings.json": """\
{
  "type": "object",
  "additionalProperties": false,
  "required": ["model_name"],
  "properties": {
    "model_name": {"type": "string", "x-wasmind": "model"},
    "allow_edits": {"type": "boolean"},
    "retries": {"type": "integer", "minimum": 0}
  }
}
""",
        },
    ),
)

BAD_VALUE = Rule(
    code="WM0504",
    title="actor setting not allowed",
    explanation="""
The value has the right type but the actor's schema does not allow it.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { retries = -1 }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { retries = 3 }
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

TAKES_NO_CONFIG = Rule(
    code="WM0505",
    title="config for an actor that takes none",
    severity=Severity.WARNING,
    explanation="""
The actor has no settings, so its config table has no effect.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { tone = "dry" }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
""",
        others={
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
build.component = "desk.wasm"
config_schema = "settings.json"
""",
            "desk/settings.json": """\
{"type": "object", "additionalProperties": false, "properties": {}}
""",
        },
    ),
)

BAD_SCHEMA = Rule(
    code="WM0506",
    title="actor publishes an invalid schema",
    explanation="""
The schema of the actor's config table cannot be read or is not a JSON Schema. That is a mistake of
the actor's author; until it is mended the actor's settings cannot be checked.
""",
    example=Example(
        file="desk/settings.json",
        failing="""\
{"type": "tabel"}
""",
        fixed="""\
{"type": "object"}
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { tone = "dry" }
""",
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
build.component = "desk.wasm"
config_schema = "settings.json"
""",
        },
    ),
)

PERMISSIVE_DEFAULT = Rule(
    code="WM0507",
    title="permission left at its default",
    severity=Severity.WARNING,
    explanation="""
The actor marks this setting as one that decides what agents may do, nobody gives it, and its
default is the permissive one. Say what is meant, either way.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
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
  "properties": {
    "allow_edits": {"type": "boolean", "default": true, "x-wasmind": "permission"}
  }
}
""",
        },
    ),
)

BAD_TEMPLATE = Rule(
    code="WM0508",
    title="template does not parse",
    explanation="""
The setting is a Jinja template, and this text is none, or names a filter or test that Jinja has
not. At run time it could not be rendered.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { greeting = "Hello {{ name }" }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { greeting = "Hello {{ name }}" }
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
    "greeting": {"type": "string", "x-wasmind": "template"}
  }
}
""",
        },
    ),
)

PATTERN_NOT_TRIED = Rule(
    code="WM0509",
    title="pattern that is not tried",
    severity=Severity.NOTE,
    explanation="""
There may be texts for which this regular expression takes as good as for ever, and anybody could
write one. So it is not tried: a setting that does not match it is found by the actor only, when it
starts. Repeats inside of repeats are the usual reason; a pattern where each character can be
matched in one way only does without.
""",
    example=Example(
        file="desk/settings.json",
        failing="""\
{"properties": {"tone": {"type": "string", "pattern": "^([a-z]+ ?)+$"}}}
""",
        fixed="""\
{"properties": {"tone": {"type": "string", "pattern": "^[a-z]+( [a-z]+)*$"}}}
""",
        others={
            "app.toml": """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { tone = "dry as dust" }
""",
            "desk/Wasmind.toml": """\
actor_id = "example:desk"
build.component = "desk.wasm"
config_schema = "settings.json"
""",
        },
    ),
)
