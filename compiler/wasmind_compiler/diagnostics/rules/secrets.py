"""WM06, continued: what scripts insert, and where credentials go."""

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Example, Rule

_SCRIPTED = """\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[models.demo]
kind = "scripted"
script = "demo.model.toml"
"""

UNKNOWN_GROUP = Rule(
    code="WM0650",
    title="model script inserts a group it does not have",
    severity=Severity.WARNING,
    explanation="""
`${name}` in an answer of a model script inserts what the group `(?P<name>…)` of the rule's
`when.matches` found. Without a group of that name the text is left as it is. Names in capitals are
taken for variables of a shell.
""",
    example=Example(
        failing="""\
[[rules]]
when = { matches = 'files in (?P<folder>\\S+)' }
answer = { text = "I will look into ${foldr}." }
""",
        fixed="""\
[[rules]]
when = { matches = 'files in (?P<folder>\\S+)' }
answer = { text = "I will look into ${folder}." }
""",
        file="demo.model.toml",
        others={"app.toml": _SCRIPTED},
    ),
)

_OPEN = """\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }
config = { base_url = "SCHEME://models.example.org" }

[[run.credentials]]
host = "models.example.org"
variable = "MODELS_KEY"
"""

SENT_IN_THE_OPEN = Rule(
    code="WM0651",
    title="credential for a host that is asked over plain http",
    severity=Severity.WARNING,
    explanation="""
A secret of `[[run.credentials]]` is added to requests over `https`, and over plain `http` only
where nobody on the way can read it: on this machine and in private networks. A setting of an actor
names the host of a credential with `http://`; unless the host's name leads to such an address, the
secret is not added, and the run says so.
""",
    example=Example(
        failing=_OPEN.replace("SCHEME", "http"),
        fixed=_OPEN.replace("SCHEME", "https"),
        environment={"MODELS_KEY": "x"},
    ),
)

_MODEL = """\
starting_actors = ["echo"]

[actors.echo]
source = { path = "echo" }

[models.main]
kind = "endpoint"
base_url = "https://models.example.org"
KEY

[[run.credentials]]
host = "models.example.org"
variable = "MODELS_KEY"
"""

NOT_FOR_MODELS = Rule(
    code="WM0652",
    title="credential for a host that is asked as a model",
    severity=Severity.WARNING,
    explanation="""
`[[run.credentials]]` is for requests that actors make. Models are asked by the runtime itself, with
the `api_key` of their table, or with the usual variable of their provider; a credential for the
same host is not added.
""",
    example=Example(
        failing=_MODEL.replace("\nKEY", ""),
        fixed=_MODEL.replace("\nKEY", '\napi_key = { env = "MODELS_KEY" }\n'),
        environment={"MODELS_KEY": "x"},
    ),
)
