"""What answers for each model that a system needs, without asking anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.models.zoo import Provider, refuses, says
from wasmind.litellm_params import why_proxy
from wasmind.models.choice import Choice
from wasmind.models.overview import Key, Need, overview
from wasmind.models.ping import is_silent, ping
from wasmind.plan import Actor, Credential, Model, RunPlan
from wasmind.prices import FREE
from wasmind.providers import providers

KEY = "sk-a-secret-key-of-the-user-0123456789"
#: A LiteLLM that is certainly on this machine, and that nobody starts.
PROXY = {"command": ["python3"]}


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for provider in providers().values():
        for name in (*provider.keys, *provider.base_url_variables):
            monkeypatch.delenv(name, raising=False)


def endpoint(name: str, **settings: Any) -> Model:
    return Model(name=name, kind="endpoint", settings=settings)


def actor(name: str, *models: str, config: str = "") -> Actor:
    return Actor(name=name, actor_id="test:a", component="0" * 64, models=models, config=config)


def needs(
    *models: Model, actors: tuple[Actor, ...], spec: str | None = None, **more: Any
) -> dict[str, Need]:
    plan = RunPlan(name="x", actors=actors, starting=(), models=models, **more)
    choice = Choice.of(plan)
    if spec is not None:
        chosen = choice.everything_by(spec)
        assert chosen is not None
        choice = chosen
    return {need.name: need for need in overview(plan, choice)}


def test_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    small = endpoint("small", provider="openai", model="gpt-5-mini")
    [need] = needs(small, actors=(actor("a", "small"), actor("b", "small"))).values()
    [route] = need.routes
    assert (need.used_by, need.why) == (("a", "b"), "declared")
    assert route.url == "https://api.openai.com/v1/chat/completions"
    assert (route.model, route.provider, route.problem) == ("gpt-5-mini", "openai", None)
    assert [(key.variable, key.is_set, key.cure) for key in route.keys] == [
        ("OPENAI_API_KEY", True, None)
    ]
    assert route.context_window == 400_000
    assert route.price is not None
    assert KEY not in repr(need)


def test_a_missing_key_comes_with_the_line_that_sets_it() -> None:
    [need] = needs(actors=(actor("a", "groq/some-model"),)).values()
    [key] = need.routes[0].keys
    assert key.cure == f"export GROQ_API_KEY=…; keys are made at {providers()['groq'].key_page}"
    assert "GROQ_API_KEY" in (need.routes[0].problem or "")
    assert need.why == "its name begins with a provider"


@pytest.mark.parametrize("content", [None, "", "two words"])
def test_a_key_file_that_holds_no_key(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_text(content)
    model = endpoint("m", base_url="http://127.0.0.1:1/v1", api_key={"file": str(path)})
    [need] = needs(model, actors=(actor("a", "m"),)).values()
    assert need.routes[0].keys == (Key(file=str(path), is_set=False),)
    assert str(path) in (need.routes[0].problem or "")


def test_a_server_of_this_machine_needs_no_key_and_costs_nothing() -> None:
    [need] = needs(actors=(actor("a", "ollama/llama3.2"),)).values()
    [route] = need.routes
    assert (route.keys, route.price, route.start) == ((), FREE, "ollama serve")


def test_a_provider_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    [need] = needs(actors=(actor("a", "azure/gpt"),)).values()
    [route] = need.routes
    assert (route.provider, route.model, route.url) == ("azure", "gpt", None)
    assert "`AZURE_OPENAI_ENDPOINT`" in (route.problem or "")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://some.openai.azure.com")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    [need] = needs(actors=(actor("a", "azure/gpt"),)).values()
    assert need.routes[0].problem is None


def test_endpoints_that_share_a_name_are_listed_one_by_one() -> None:
    targets = [{"base_url": f"http://127.0.0.1:{port}/v1", "model": "m"} for port in (1, 2)]
    shared = Model(name="m", kind="balanced", settings={"targets": targets})
    [need] = needs(shared, actors=(actor("a", "m"),)).values()
    assert need.why == "declared, balanced over 2"
    urls = [route.url for route in need.routes]
    assert urls == [f"http://127.0.0.1:{port}/v1/chat/completions" for port in (1, 2)]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"model": "bedrock/x"}, "`bedrock` is known to LiteLLM only"),
        (
            {"model": "openai/x", "mock_response": "hi"},
            "`mock_response`, as it is written, is known to LiteLLM only",
        ),
        ({"model": "azure/x"}, "`azure` has no `api_base`"),
        ({"model": "openai/x"}, '`proxy = "always"`'),
    ],
)
def test_why_a_proxy_is_started(parameters: dict[str, Any], reason: str) -> None:
    entries = [{**parameters, "api_key": "os.environ/SOME_KEY"}]
    proxied = Model(name="m", kind="litellm", settings={"entries": entries, "proxy": PROXY})
    [need] = needs(proxied, actors=(actor("a", "m"),)).values()
    assert need.why == f"declared, proxy: {reason}"
    assert need.routes[0].keys == (Key(variable="SOME_KEY", is_set=False),)
    assert "SOME_KEY" in (need.routes[0].problem or "")


def test_what_an_endpoint_can_serve_has_no_reason_for_a_proxy() -> None:
    assert why_proxy({"model": "openai/x"}) is None


def test_a_proxy_that_is_not_installed_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"entries": [{"model": "bedrock/x"}], "proxy": {"command": ["no-such-program"]}}
    proxied = Model(name="m", kind="litellm", settings=settings)
    [need] = needs(proxied, actors=(actor("a", "m"),)).values()
    assert "`no-such-program` of `litellm.command` is not on this machine" in (
        need.routes[0].problem or ""
    )


def test_fallbacks_are_needed_too() -> None:
    found = needs(
        endpoint("big", base_url="http://127.0.0.1:1/v1", fallback=["small", "ollama/x"]),
        endpoint("small", base_url="http://127.0.0.1:2/v1", fallback=["big"]),
        endpoint("unused", base_url="http://127.0.0.1:3/v1"),
        actors=(actor("a", "big"),),
    )
    assert sorted(found) == ["big", "ollama/x", "small"]
    assert found["small"].falls_back_from == ("big",)
    assert found["small"].routes[0].problem is None


def test_one_model_for_all_others_takes_their_names() -> None:
    [need] = needs(endpoint("*", provider="ollama"), actors=(actor("a", "any"),)).values()
    assert (need.why, need.routes[0].model) == ('`[models."*"]`', "any")


def test_one_model_instead_of_all() -> None:
    actors = (actor("a", "small"), actor("b", "big"))
    [need] = needs(actors=actors, spec="ollama/llama3.2").values()
    assert (need.name, need.used_by, need.why) == ("ollama/llama3.2", ("a", "b"), "`--model`")


def test_nothing_answers() -> None:
    [need] = needs(actors=(actor("a", "some"),)).values()
    assert (need.routes, need.why.partition(":")[0]) == ((), "nothing answers")


def test_an_actor_with_an_endpoint_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_KEY", KEY)
    own = 'model_name = "zed"\nbase_url = "https://llm.example.org/v1"\n'
    credential = Credential("llm.example.org", "Authorization", "Bearer ", "OWN_KEY")
    found = needs(actors=(actor("a", config=own),), credentials=(credential,))
    [route] = found["zed"].routes
    assert route.url == "https://llm.example.org/v1/chat/completions"
    assert route.keys == (Key(variable="OWN_KEY", is_set=True),)
    assert found["zed"].why == "`base_url` in the config of `a`"


def test_a_ping_asks_each_model_once(provider: Any) -> None:
    well, ill = provider(says("hi")), provider(refuses(500, "on fire"))
    models = [endpoint(name, base_url=at.url) for name, at in (("well", well), ("ill", ill))]
    pongs = ping(models, print, print)
    assert pongs["well"].problem is None
    assert pongs["well"].first_token is not None
    assert pongs["well"].first_token <= pongs["well"].seconds
    assert "on fire" in (pongs["ill"].problem or "")
    assert [len(at.asked) for at in (well, ill)] == [1, 1]
    assert well.asked[0]["max_tokens"] <= 16


def test_a_ping_that_is_not_answered_ends(provider: Any) -> None:
    import threading

    over, told = threading.Event(), []
    silent = provider(lambda _: over.wait(60))
    try:
        pongs = ping([endpoint("m", base_url=silent.url)], print, told.append, longest=0.3)
    finally:
        over.set()
    assert (pongs["m"].problem or "").startswith("no answer within")
    assert told == ["waiting for m"]


def test_a_port_where_nothing_listens(provider: Any) -> None:
    there: Provider = provider(says("hi"))
    assert not is_silent(there.url)
    gone = Provider(says("hi"))
    gone.close()
    assert is_silent(gone.url)
    assert not is_silent("https://llm.example.org/v1")  # never asked
