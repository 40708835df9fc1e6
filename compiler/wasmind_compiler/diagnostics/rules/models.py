"""WM06: models."""

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Example, Rule

UNKNOWN_MODEL = Rule(
    code="WM0601",
    title="unknown model",
    explanation="""
An actor's setting, or the `fallback` of a model, names a model that nothing answers for. A name is
looked up in this order: `[models.NAME]`; a `[[litellm.models]]` with that `model_name`; a provider
and its own name of a model, like `openrouter/qwen/qwen3-coder` or `ollama/llama3.2`;
`[models."*"]`, which answers for all other names. An actor whose config has a `base_url` of its own
is not looked up: what is behind that address only it knows. `wasmind run --model` answers every
name with one model.
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
`nan` and `inf` cannot be passed on to a model or written into a bundle: JSON has no such numbers.
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

DUPLICATE_MODEL = Rule(
    code="WM0604",
    title="model given twice",
    severity=Severity.WARNING,
    explanation="""
Two entries of one `model_name` share its requests. That is load balancing if it is meant, and a
forgotten copy if it is not.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model" }
""",
    ),
)

NO_PROVIDER_MODEL = Rule(
    code="WM0605",
    title="model without a provider's model",
    explanation="""
`litellm_params.model` says which model of which provider answers, like `openai/gpt-4o`.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[[litellm.models]]
model_name = "small"
litellm_params = { temperature = 0.2 }
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

VARIABLE_NOT_SET = Rule(
    code="WM0606",
    title="environment variable is not set",
    severity=Severity.WARNING,
    explanation="""
The key of a model is in a variable of the environment: the one that `api_key = { env = "NAME" }`
names, or the usual one of its provider. `os.environ/NAME` in `[litellm]` stands for a variable too,
and `variable` of a `[[run.credentials]]` names one. It is not set here, so requests to the model
would fail, or the run would not start. On another machine it may be set: this is a warning until
the system runs.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model", api_key = "os.environ/SOME_KYE" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model", api_key = "os.environ/SOME_KEY" }
""",
        environment={"SOME_KEY": "a secret"},
    ),
)

BAD_REFERENCE = Rule(
    code="WM0607",
    title="malformed reference to the environment",
    explanation="""
Only `os.environ/NAME` is replaced by a variable. Other spellings are passed on as they are written
and refused by the provider.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model", api_key = "${SOME_KEY}" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model", api_key = "os.environ/SOME_KEY" }
""",
        environment={"SOME_KEY": "a secret"},
    ),
)

LITERAL_SECRET = Rule(
    code="WM0608",
    title="secret in a config",
    severity=Severity.WARNING,
    explanation="""
The value looks like the key of a provider. A config is shared and kept in version control; a secret
in it is known to all who can read it. Replace it by a reference, and revoke the key.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[models.small]
kind = "ollama"
headers = { X-Access = "sk-proj-0123456789abcdefghij" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[models.small]
kind = "ollama"
api_key = { env = "SOME_KEY" }
""",
        environment={"SOME_KEY": "a secret"},
    ),
)

LOOPBACK_IN_CONTAINER = Rule(
    code="WM0609",
    title="loopback address inside a container",
    severity=Severity.WARNING,
    explanation="""
With an `image` the proxy runs in a container, where `localhost` is the container and not this
machine. Models that the gateway of Wasmind answers itself are not asked through the proxy.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model", api_base = "http://localhost:8000" }

[litellm]
proxy = "always"
image = "example.org/litellm@sha256:0"
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model", api_base = "http://host.docker.internal:8000" }

[litellm]
proxy = "always"
image = "example.org/litellm@sha256:0"
""",
    ),
)

IMPLICIT_PROVIDER = Rule(
    code="WM0610",
    title="model of a provider that no table declares",
    severity=Severity.NOTE,
    explanation="""
The name begins with a provider that Wasmind knows, so it needs no table: the provider's endpoint is
asked for the rest of the name. The note says which key that takes. A table of that name in
`[models]` would set prices, limits or parameters.
""",
    example=Example(
        failing="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { model_name = "ollama/llama3.2" }
""",
        fixed="""\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }
config = { model_name = "small" }

[models.small]
kind = "ollama"
model = "llama3.2"
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
    "model_name": {"type": "string", "x-wasmind": "model"}
  }
}
""",
        },
    ),
)

BAD_BASE_URL = Rule(
    code="WM0611",
    title="malformed base URL",
    explanation="""
A base URL is the root of an endpoint: scheme, host, port and path. A missing `/v1`, a slash at the
end and the whole address of chat completions are understood; a missing scheme, blanks and a query
are not.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[models.small]
kind = "endpoint"
base_url = "localhost:8000/v1"
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[models.small]
kind = "endpoint"
base_url = "http://localhost:8000/v1"
""",
    ),
)

NO_PRICE = Rule(
    code="WM0612",
    title="budget in dollars without a price",
    explanation="""
`[run.budget]` limits what may be spent in dollars, and nobody knows what this model costs, so every
call of it would be refused. Prices of many models are known; for others give `price`, in dollars
per million tokens, or limit `tokens` instead.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[models.small]
kind = "endpoint"
base_url = "http://localhost:8000/v1"

[run.budget]
usd = 2.00
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[models.small]
kind = "endpoint"
base_url = "http://localhost:8000/v1"
price = { input = 0.25, output = 2.0 }

[run.budget]
usd = 2.00
""",
    ),
)

KEY_FILE = Rule(
    code="WM0613",
    title="key file cannot be read",
    severity=Severity.WARNING,
    explanation="""
`api_key = { file = "PATH" }` names a file that holds the key and nothing else. It does not exist
here or cannot be read. On another machine it may be there: this is a warning until the system runs.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[models.small]
kind = "openai"
model = "gpt-5-mini"
api_key = { file = "~/no-such-folder/openai.key" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[models.small]
kind = "openai"
model = "gpt-5-mini"
api_key = { env = "OPENAI_API_KEY" }
""",
        environment={"OPENAI_API_KEY": "a secret"},
    ),
)

OUT_OF_REACH = Rule(
    code="WM0614",
    title="endpoint that the actor may not reach",
    explanation="""
The config of an actor names an endpoint of its own, and its grant of `http` does not cover the
host: every request would be refused. Without `private = true`, or the address among `hosts`, no
actor reaches this machine or a private network; a list of `hosts` is complete. Models that
`[models]` declares need no grant.
""",
    example=Example(
        failing="""\
starting_actors = ["asker"]

[actors.asker]
source = { path = "asker" }
config = { base_url = "http://127.0.0.1:8080" }
""",
        fixed="""\
starting_actors = ["asker"]

[actors.asker]
source = { path = "asker" }
config = { base_url = "http://127.0.0.1:8080" }
grants = { http = { private = true } }
""",
        others={
            "asker/Wasmind.toml": """\
actor_id = "example:asker"
""",
            "asker/actor.py": """\
from wasmind_actor import Actor, Config, http, tool


class AskerConfig(Config):
    base_url: str


class Asker(Actor[AskerConfig]):
    @tool
    def ask(self, question: str) -> str:
        \"\"\"Asks the model of the house.\"\"\"
        return http.post(f"{self.config.base_url}/ask", json=question).text
""",
        },
    ),
)

CASSETTE = Rule(
    code="WM0615",
    title="cassette that cannot be used",
    explanation="""
The file of a cassette does not exist although nothing is to be recorded, a line of it is damaged,
or it is to be recorded and no `model` says whom to ask. Its path is relative to the config. Each
line is a JSON document of its own, the first one `{"cassette": 1}`; a last line that a crash has
cut off is left out.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[models.demo]
kind = "cassette"
file = "demo.cassete.jsonl"
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[models.demo]
kind = "cassette"
file = "demo.cassette.jsonl"
""",
        others={
            "demo.cassette.jsonl": """\
{"cassette": 1}
{"completion": {"choices": [{"message": {"role": "assistant", "content": "hello"}}]}, "request": \
{"messages": [{"role": "user", "content": "hi"}]}}
""",
        },
    ),
)

LITERAL_KEY = Rule(
    code="WM0620",
    title="key of a model in a config",
    explanation="""
A key in `litellm_params`, or a secret in `env_overrides`, would become part of the plan and of
every bundle made of it. Keep it in the environment and refer to it; if it was ever shared, revoke
it. A short placeholder such as `none`, for servers that take any key, is fine.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model", api_key = "a-key-of-twenty-characters" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[[litellm.models]]
model_name = "small"
litellm_params = { model = "openai/some-model", api_key = "os.environ/SOME_KEY" }
""",
        environment={"SOME_KEY": "a secret"},
    ),
)

NO_PROXY = Rule(
    code="WM0621",
    title="LiteLLM is not installed, or unsafe",
    severity=Severity.WARNING,
    explanation="""
A model of `[litellm]` that only LiteLLM can answer needs its proxy. It is not on this machine, or
it is a release with holes that are used. A run would fail, or be unsafe. On another machine it may
be different: this is a warning until the system runs.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[litellm]
command = ["a-litellm-that-is-not-here"]

[[litellm.models]]
model_name = "small"
litellm_params = { model = "bedrock/some-model" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[litellm]

[[litellm.models]]
model_name = "small"
litellm_params = { model = "ollama/some-model", api_base = "http://127.0.0.1:11434" }
""",
    ),
)

ONLY_PROXY = Rule(
    code="WM0622",
    title="model that only the LiteLLM proxy can answer",
    explanation="""
`proxy = "never"` says that no proxy is to be started, but this entry has a provider or a parameter
that only LiteLLM understands.
""",
    example=Example(
        failing="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[litellm]
proxy = "never"

[[litellm.models]]
model_name = "small"
litellm_params = { model = "bedrock/some-model" }
""",
        fixed="""\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[litellm]
proxy = "never"

[[litellm.models]]
model_name = "small"
litellm_params = { model = "ollama/some-model", api_base = "http://127.0.0.1:11434" }
""",
    ),
)
