"""What `check` says about models, and that `run` agrees with it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compiler.project import Project
from wasmind.models.call import Surroundings
from wasmind.models.choice import Choice
from wasmind.models.gateway import Gateway
from wasmind.models.resolve import Directory
from wasmind.plan import RunPlan
from wasmind.providers import OWN_KINDS, providers
from wasmind.runtime.events import Events
from wasmind.runtime.host.models import ModelRequest
from wasmind_compiler import pipeline
from wasmind_compiler.frontend.schemas import Schemas

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "type": "object",
    "properties": {
        "model_name": {"type": "string", "x-wasmind": "model"},
        "base_url": {"type": "string"},
    },
}
DESK = """\
starting_actors = ["desk"]
[actors.desk]
source = { path = "desk" }
config = { model_name = "NAME" }
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for provider in providers().values():
        for name in (*provider.keys, *provider.base_url_variables):
            monkeypatch.delenv(name, raising=False)
    made = Project(tmp_path / "project")
    made.actor("desk", config=SETTINGS)
    return made


def found(project: Project, name: str, models: str = "") -> list[str]:
    report = project.check(DESK.replace("NAME", name) + models)
    return [f"{each.code} {each.message}" for each in report.diagnostics]


def test_the_schema_knows_the_providers() -> None:
    branches = Schemas(ROOT / "schemas").load("app")["$defs"]["model"]["oneOf"]
    [names] = [
        each["properties"]["kind"]["enum"]
        for each in branches
        if "enum" in each["properties"]["kind"]
    ]
    assert names == list(providers())
    assert not OWN_KINDS & set(names)


@pytest.mark.parametrize(
    ("name", "models"),
    [
        ("small", '[models.small]\nkind = "ollama"\n'),
        ("small", '[models.small]\nkind = "endpoint"\nbase_url = "http://localhost:1/v1"\n'),
        ("small", '[[litellm.models]]\nmodel_name = "small"\nlitellm_params.model = "openai/x"\n'),
        ("whatever", '[models."*"]\nkind = "ollama"\n'),
    ],
)
def test_names_that_have_an_answer(project: Project, name: str, models: str) -> None:
    assert found(project, name, models) == []


def test_a_provider_needs_no_table(project: Project) -> None:
    assert found(project, "ollama/llama3.2") == [
        "WM0610 `ollama/llama3.2` of `desk` is answered by ollama at http://127.0.0.1:11434/v1"
    ]
    assert found(project, "openai/gpt-5-mini") == [
        "WM0606 the environment variable `OPENAI_API_KEY` is not set",
        "WM0610 `openai/gpt-5-mini` of `desk` is answered by openai, and it needs the variable "
        "`OPENAI_API_KEY`",
    ]


def test_a_slash_alone_makes_no_provider(project: Project) -> None:
    assert found(project, "qwen/qwen3-coder")[0].startswith("WM0601 unknown model")


def test_an_actor_with_an_endpoint_of_its_own_is_not_looked_up(project: Project) -> None:
    app = DESK.replace("NAME", "private")
    own = app.replace('"private" }', '"private", base_url = "URL" }')
    assert project.found(own.replace("URL", "http://localhost:8000")) == []
    assert project.found(own.replace("URL", "localhost:8000")) == [
        "WM0611 app.toml:4:47 `localhost:8000` is not a base URL: "
        "the scheme is missing: write `https://` before it, or `http://`"
    ]


def test_addresses_of_actors_without_models_are_theirs(project: Project) -> None:
    project.actor("desk", config={"properties": {"base_url": {"type": "string"}}})
    assert (
        project.found(
            'starting_actors = ["desk"]\n'
            '[actors.desk]\nsource = { path = "desk" }\nconfig = { base_url = "shop?x=1" }\n'
        )
        == []
    )


@pytest.mark.parametrize(
    ("models", "problem"),
    [
        ('kind = "endpoint"\n', "WM0204 missing key `base_url` in `models.small`"),
        ('kind = "endpoint"\nbase_url = "ftp://x"\n', "WM0611 `ftp://x` is not a base URL: `ftp`"),
        ('kind = "endpoint"\nbase_url = " http://x"\n', "WM0611 ` http://x` is not a base URL: it"),
        ('kind = "endpoint"\nbase_url = "http://x/v1?key=a"\n', "WM0611 `http://x/v1` is not"),
        ('kind = "endpoint"\nbase_url = "http://u:p@x/v1"\n', "WM0611 `http://***@x/v1` is not"),
        ('kind = "openai"\n', "WM0606 the environment variable `OPENAI_API_KEY` is not set"),
        ('kind = "ollama"\napi_key = { env = "ZOO" }\n', "WM0606 the environment variable `ZOO`"),
        ('kind = "ollama"\napi_key = { file = "/nowhere" }\n', "WM0613 cannot read the key file"),
        ('kind = "ollama"\nfallback = ["smal"]\n', "WM0601 unknown model `smal` in the `fallback`"),
        ('kind = "azure"\napi_key = { env = "PATH" }\n', "WM0606 the environment variable `AZURE_"),
        ('kind = "ollama"\nparams = { top_p = nan }\n', "WM0603 `models.small.params.top_p`"),
        ('kind = "openrouter"\nmodel = "no/such"\napi_key = { env = "PATH" }\nrun.budget.usd = 1\n',
         "WM0201 unknown key `run`"),
    ],
)  # fmt: skip
def test_faulty_tables(project: Project, models: str, problem: str) -> None:
    [only] = found(project, "small", f"[models.small]\n{models}")
    assert only.startswith(problem)


def test_dollars_need_a_price(project: Project) -> None:
    budget = "[run.budget]\nusd = 1\n"
    endpoint = '[models.small]\nkind = "endpoint"\nbase_url = "http://localhost:1"\n'
    [only] = found(project, "small", endpoint + budget)
    assert only.startswith("WM0612 the price of the model `small` is not known")
    priced = endpoint + "price = { input = 1, output = 2 }\n"
    assert found(project, "small", priced + budget) == []
    assert found(project, "ollama/x", budget)[0].startswith("WM0610")
    assert found(project, "openrouter/no/such", budget)[-1].startswith("WM0612")


@pytest.mark.parametrize("written", ["sk-0123456789", "plain"])
def test_a_literal_key_is_refused_with_the_line_to_write(project: Project, written: str) -> None:
    models = f'[models.small]\nkind = "openrouter"\napi_key = "{written}"\n'
    report = project.check(DESK.replace("NAME", "small") + models)
    refused = [each for each in report.diagnostics if each.code == "WM0203"]
    assert len(refused) == 1
    assert str(refused[0].help).startswith('write `api_key = { env = "OPENROUTER_API_KEY" }`')
    assert written not in repr(refused)


@pytest.mark.parametrize("written", ["os.environ/MY_KEY", "${MY_KEY}", "$MY_KEY", "env:MY_KEY"])
def test_references_of_other_tools_are_mended(project: Project, written: str) -> None:
    models = f'[models.small]\nkind = "ollama"\napi_key = "{written}"\n'
    [only] = project.check(DESK.replace("NAME", "small") + models).diagnostics
    assert only.fix is not None
    assert only.fix.edits[0].replacement == '{ env = "MY_KEY" }'


def test_a_plan_names_models_and_no_key(project: Project, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("ZOO_KEY", "zk-secret-zk-secret")
    models = """
[models.small]
kind = "openrouter"
model = "qwen/qwen3-coder"
api_key = { env = "ZOO_KEY" }
timeout_seconds = 30
fallback = ["ollama/llama3.2"]

[run.budget]
usd = 2
per_agent = { tokens = 1000 }
"""
    app = project.write("app.toml", DESK.replace("NAME", "small") + models)
    outcome = pipeline.bundle(app, tmp_path / "out", project.environment())
    assert outcome.bundle is not None, outcome.report.diagnostics
    text = (tmp_path / "out" / "plan.json").read_text()
    assert "zk-secret" not in text
    plan = RunPlan.from_json(text)
    assert plan.must_understand == ("budget", "endpoint-models", "python-actors")
    assert plan.actors[0].models == ("small",)
    [model] = plan.models
    assert (model.kind, model.settings["provider"]) == ("endpoint", "openrouter")
    assert model.settings["timeout_seconds"] == 30.0
    assert plan.budget is not None
    assert (plan.budget.whole.usd, plan.budget.per_agent.tokens) == (2.0, 1000)


NAMES = st.sampled_from(["small", "large", "ollama/x", "qwen/x", "openai/gpt-5-mini", "azure/x"])
TABLES = st.dictionaries(
    st.sampled_from(["small", "large", '"*"']),
    st.sampled_from(
        [
            'kind = "ollama"',
            'kind = "endpoint"\nbase_url = "http://localhost:1"',
            'kind = "endpoint"\nbase_url = "localhost:1"',
            'kind = "azure"\nbase_url = "https://x.openai.azure.com"',
            'kind = "azure"',
            'kind = "ollama"\nfallback = ["large"]',
            'kind = "ollama"\nfallback = ["ollama/y"]',
        ]
    ),
    max_size=3,
)


@settings(max_examples=60)
@given(name=NAMES, tables=TABLES, fallback=st.booleans(), dollars=st.booleans())
def test_check_and_run_agree(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    tables: dict[str, str],
    fallback: bool,
    dollars: bool,
) -> None:
    """What `check` passes without a word ends in no error that files and environment tell of."""
    project = Project(tmp_path_factory.mktemp("agree"))
    project.actor("desk", config=SETTINGS)
    text = DESK.replace("NAME", name)
    text += "".join(f"[models.{key}]\n{table}\n" for key, table in tables.items())
    text += "[run.budget]\nusd = 1\n" * dollars
    app = project.write("app.toml", text)
    outcome = pipeline.bundle(app, project.root / "out", project.environment())
    grave = [each.code for each in outcome.report.diagnostics if each.code != "WM0610"]
    if grave:
        return
    plan = RunPlan.from_json((project.root / "out" / "plan.json").read_text())
    choice = Choice.of(plan)
    directory = Directory(choice.models, choice.needed)
    gateway = Gateway(directory, Surroundings(Events(), first_wait=0.001))
    body = b'{"model": "%b", "messages": [{"role": "user", "content": "hi"}]}' % name.encode()
    reply = gateway.answer(request(body))
    gateway.close()
    # Nothing listens there, which only a network can tell.
    assert reply.status == 502, reply.body
    assert b"cannot reach" in reply.body or b"nothing answers" in reply.body


def request(body: bytes) -> ModelRequest:
    return ModelRequest(
        method="POST",
        path="/v1/chat/completions",
        body=body,
        actor="desk",
        scope="000000",
        message_id=None,
        cancelled=threading.Event(),
        largest=1 << 20,
    )


@pytest.mark.parametrize(
    ("base_url", "http", "reason"),
    [
        ("http://127.0.0.1:1", "", "`127.0.0.1` is not a public address"),
        ("http://localhost:1/v1", "", "`localhost` is not a public address"),
        ("http://[::1]:1", "", "`::1` is not a public address"),
        ("http://10.0.0.1", 'methods = ["POST"]', "`10.0.0.1` is not a public address"),
        ("http://127.0.0.1:1", "private = true", None),
        ("http://localhost:1", 'hosts = ["localhost"]', None),
        ("http://localhost:1", 'hosts = ["127.0.0.0/8"]', None),
        ("http://10.0.0.1", 'hosts = ["10.0.0.0/8"]', None),
        ("https://api.example.org", "", None),
        ("https://api.example.org", 'hosts = ["*.example.org"]', None),
        ("https://api.example.org", 'hosts = ["example.com"]', "`api.example.org` is not among"),
        ("http://8.8.8.8", "", None),
        ("https://{region}.example.org", 'hosts = ["*.example.org"]', None),
        ("https://{host}/v1", 'hosts = ["api.example.org"]', None),
    ],
)
def test_an_endpoint_out_of_reach_is_told(
    project: Project, base_url: str, http: str, reason: str | None
) -> None:
    """A run would refuse every request to it."""
    project.write(
        "asker/actor.py",
        "from wasmind_actor import Actor, Config, http\n"
        "class C(Config):\n    base_url: str\n"
        "class A(Actor[C]):\n"
        "    def start(self):\n        http.get(self.config.base_url)\n",
    )
    project.write("asker/Wasmind.toml", 'actor_id = "test:asker"\n')
    grants = f"grants = {{ http = {{ {http} }} }}\n" if http else ""
    report = project.check(
        'starting_actors = ["asker"]\n[actors.asker]\nsource = { path = "asker" }\n'
        f'config = {{ base_url = "{base_url}" }}\n{grants}'
    )
    told = [each.message for each in report.diagnostics if each.code == "WM0614"]
    assert told == [] if reason is None else reason in told[0]
