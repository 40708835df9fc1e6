"""WM06: models."""

from wasmind_compiler.diagnostics.registry import Example, Rule

UNKNOWN_MODEL = Rule(
    code="WM0601",
    title="unknown model",
    explanation="""
An actor's setting names a model, and neither `[models]` nor `[[litellm.models]]` has one of that
name. Actors use the names given there, not the names of providers.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { model_name = "smal" }

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

SCRIPT_NOT_FOUND = Rule(
    code="WM0602",
    title="model script cannot be read",
    explanation="""
The rules file of a scripted model does not exist or cannot be read. Its path is relative to the
config.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[models.demo]
kind = "scripted"
script = "demo.modle.toml"
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[models.demo]
kind = "scripted"
script = "demo.model.toml"
""",
        others={
            "demo.model.toml": """\
[[rules]]
when = { role = "user" }
answer = { text = "hello" }
""",
        },
    ),
)

NOT_A_NUMBER = Rule(
    code="WM0603",
    title="number that is not finite",
    explanation="""
`nan` and `inf` cannot be passed on to a model: JSON has no such numbers.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model", temperature = nan }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model", temperature = 0.2 }
""",
    ),
)
