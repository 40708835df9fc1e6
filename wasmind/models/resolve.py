"""From the models of a plan to what answers, by name."""

from __future__ import annotations

import difflib
import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wasmind import base_urls, plan
from wasmind.models.errors import Code, ModelError
from wasmind.models.model import RETRIES, Model
from wasmind.models.names import ANY, BALANCED, Names
from wasmind.models.places import Places
from wasmind.models.upstream import Upstream
from wasmind.prices import FREE, Price, look_up
from wasmind.providers import Provider, providers
from wasmind.runtime.errors import RuntimeFailure

if TYPE_CHECKING:
    from wasmind.models.litellm.proxy import Proxy
    from wasmind.models.secret import Secret
    from wasmind.models.wire import Wire

_ENDPOINT: Final = Provider(name="endpoint")
_API_VERSION: Final = "2024-10-21"


class UnusableModel(RuntimeFailure):
    """A model of the plan that this wasmind cannot ask."""


class Directory:
    """All models of a run by name. Safe to use from any thread.

    Args:
        models: of the plan.
        needed: names that actors use; they are announced even where `*` answers for them.
        instead: answers for every name, whatever `models` say.
        report: told, for people, how the start of a proxy goes on.

    Raises:
        UnusableModel: one of a kind that this wasmind does not know.
    """

    def __init__(
        self,
        models: Sequence[plan.Model],
        needed: Iterable[str] = (),
        instead: plan.Model | None = None,
        report: Callable[[str], None] = print,
    ) -> None:
        self._names = Names(models, instead)
        needed = set(needed)
        idle = {model.settings.get("model") for model in models if _only_replays(model)} - needed
        proxied = any(model.kind == "litellm" and model.name not in idle for model in models)
        self._prepares = proxied if instead is None else instead.kind == "litellm"
        self._declared = Names(models)
        self._backing = _Backing(models, report, self._recorded)
        # A cassette is made while it is held, and asks for the model that it records.
        self._lock = threading.RLock()
        self._made: dict[str, Model] = {}
        self._turns = itertools.count()
        self._needed = sorted({*(model.name for model in models), *needed} - {ANY})
        for model in models if instead is None else (instead,):
            if model.kind not in (*_KINDS, BALANCED):
                text = f"model `{model.name}` is of the unknown kind `{model.kind}`"
                raise UnusableModel(text)

    @property
    def names(self) -> Sequence[str]:
        """Names to announce."""
        return self._needed

    def candidates(self, name: str) -> Sequence[Model]:
        """The model of a name and, in order, those to fall back on.

        Raises:
            ModelError: nothing answers for the name.
        """
        found = list(self._alternatives(name))
        for other in found[0].fallback:
            found += [each for each in self._alternatives(other) if each not in found]
        return found

    def first(self, name: str) -> Model:
        """What answers for a name, without what it falls back on.

        Raises:
            ModelError: nothing does.
        """
        return next(self._alternatives(name))

    def prepare(self) -> None:
        """Start what takes long to start; returns at once.

        Raises:
            UnusableModel: what should be started is not there.
        """
        if self._prepares:
            self._backing.prepare()

    def close(self) -> None:
        """Close what stands behind the models."""
        for model in list(self._made.values()):
            model.upstream.close()
        self._backing.close()

    def _alternatives(self, name: str) -> Iterator[Model]:
        """What answers for a name; where several do, each in turn is the first."""
        answering = self._names.answering(name)
        if not answering:
            raise ModelError(404, self._unknown(name), Code.INVALID_REQUEST)
        models = [self._model(each.name, each) for each in answering]
        first = next(self._turns) % len(models) if len(models) > 1 else 0
        yield from models[first:] + models[:first]

    def _model(self, name: str, given: plan.Model) -> Model:
        with self._lock:
            if name not in self._made:
                self._made[name] = _KINDS[given.kind](given._replace(name=name), self._backing)
            return self._made[name]

    def _recorded(self, name: str) -> Model:
        """The model that a cassette records, whatever answers for its name in this run."""
        answering = self._declared.answering(name)
        if not answering:
            raise ModelError(404, self._unknown(name), Code.INVALID_REQUEST)
        if answering[0].kind == "cassette":
            text = f"a cassette cannot record `{name}`, which is a cassette itself"
            raise ModelError(404, text, Code.INVALID_REQUEST)
        return self._model(answering[0].name, answering[0])

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._needed, 1)
        listed = ", ".join(self._needed) or "none"
        mean = f"; did you mean `{near[0]}`?" if near else ""
        return f"unknown model `{name[:100]}`{mean} Known: {listed}"


class _Backing:
    """What models share: the proxy, and a wire for each provider, made with the first request.

    Attributes:
        recorded: the model of a name, for a cassette to record; raises ModelError.
    """

    def __init__(
        self,
        models: Sequence[plan.Model],
        report: Callable[[str], None],
        recorded: Callable[[str], Model],
    ) -> None:
        self.recorded = recorded
        self._lock = threading.Lock()
        self._made: dict[str, Wire] = {}
        self._proxied = [model for model in models if model.kind == "litellm"]
        self._report = report
        self._proxy: Proxy | None = None

    def proxy(self) -> Proxy:
        """The LiteLLM proxy of this run, for all models it serves; not started yet."""
        from wasmind.litellm_program import ProxyError
        from wasmind.models.litellm import open_proxy

        with self._lock:
            if self._proxy is None:
                try:
                    self._proxy = open_proxy(self._proxied, os.environ, self._report)
                except ProxyError as error:
                    raise UnusableModel(f"model `{self._proxied[0].name}`: {error}") from None
            return self._proxy

    def prepare(self) -> None:
        """Start the proxy, if models need it, on a thread of its own."""
        if self._proxied:
            self.proxy().prepare()

    def of(self, provider: str) -> Wire:
        from wasmind.models.wire import Wire  # brings httpx, which scripts can do without

        with self._lock:
            if provider not in self._made:
                self._made[provider] = Wire()
            return self._made[provider]

    def close(self) -> None:
        with self._lock:
            proxy = self._proxy
        if proxy is not None:  # also one that nobody has asked anything yet
            proxy.close()
        for wire in self._made.values():
            wire.close()


def _scripted(given: plan.Model, _: _Backing) -> Model:
    from wasmind.models.scripted import ScriptedModel

    return Model(given.name, ScriptedModel(given.settings), price=FREE)


def _only_replays(model: plan.Model) -> bool:
    """Whether a model is a cassette that never asks another model.

    Only a run of a config says where the file is; a bundle has what was in it.
    """
    settings = model.settings
    may_record = "path" in settings and settings.get("record", "never") != "never"
    return model.kind == "cassette" and not may_record


def _cassette(given: plan.Model, backing: _Backing) -> Model:
    from wasmind.models.cassette import Cassette, Recorder

    settings, recordings = given.settings, given.settings["recorded"]
    if _only_replays(given):
        return Model(given.name, Cassette(given.name, recordings), price=FREE)
    model = backing.recorded(settings["model"])
    recorder = Recorder(Path(settings["path"]), model.upstream, anew=settings["record"] == "all")
    upstream = Cassette(given.name, recordings, recorder)
    # What it would fall back on is not what is recorded.
    return replace(model, name=given.name, upstream=upstream, fallback=())


def _endpoint(given: plan.Model, backing: _Backing) -> Model:
    settings = given.settings
    name = settings.get("provider")
    provider = providers()[name] if name else _ENDPOINT
    model = settings.get("model") or given.name
    listed = look_up(provider.sold_as, model) if name and not provider.local else None
    return Model(
        name=given.name,
        upstream=_upstream(provider, model, settings, backing),
        retries=settings.get("retries", RETRIES),
        fallback=tuple(settings.get("fallback", ())),
        context_window=settings.get("context_window") or (listed and listed.context_window) or None,
        max_output_tokens=settings.get("max_output_tokens"),
        price=_price(settings, provider, listed and listed.price),
        places=Places(settings.get("max_concurrent", 0), settings.get("requests_per_minute", 0)),
    )


def _upstream(
    provider: Provider, model: str, settings: Mapping[str, Any], backing: _Backing
) -> Upstream:
    from wasmind.models.endpoint import Endpoint, Target

    root = _root(provider, settings)
    url, models_url = f"{root}/chat/completions", f"{root}/models"
    if provider.deployments and "/v1" not in root:
        version = settings.get("api_version", _API_VERSION)
        base = f"{root}/deployments/{settings.get('deployment', model)}"
        url = f"{base}/chat/completions?api-version={version}"
        models_url = f"{root}/models?api-version={version}"
    target = Target(
        provider=provider,
        url=url,
        models_url=models_url,
        model=model,
        key=_key(provider, settings),
        headers=dict(settings.get("headers", {})),
        params=settings.get("params", {}),
        stream=settings.get("stream", True),
        first_byte_seconds=settings.get("first_byte_seconds", 120.0),
        timeout_seconds=settings.get("timeout_seconds", 600.0),
    )
    return Endpoint(target, lambda: backing.of(provider.name))


def _root(provider: Provider, settings: Mapping[str, Any]) -> str:
    base = settings.get("base_url")
    if base is None:
        named = (os.environ.get(name) for name in provider.base_url_variables)
        found = next((text for text in named if text), None)
        base = provider.base_url
        if found is not None:
            base = base_urls.from_variable(found, provider.base_url)
    if not base:
        variables = " or ".join(f"`{name}`" for name in provider.base_url_variables)
        text = f"`{provider.name}` needs a `base_url`, or the variable {variables}"
        raise ModelError(404, text, Code.INVALID_REQUEST, elsewhere=True)
    if provider.deployments and "/v1" not in base:
        return f"{base.rstrip('/').removesuffix('/openai')}/openai"
    return base_urls.root_of(base)


def _price(settings: Mapping[str, Any], provider: Provider, listed: Price | None) -> Price | None:
    given = settings.get("price")
    if given is not None:
        return Price.flat(given["input"], given["output"], given.get("cached_input"))
    return FREE if provider.local else listed


def _key(provider: Provider, settings: Mapping[str, Any]) -> Callable[[], Secret | None]:
    source, own = settings.get("api_key"), {each.lower() for each in settings.get("headers", {})}
    if source is None and own & {"authorization", provider.key_header.lower()}:
        # The model says itself what it sends instead of the key of this machine's user.
        return lambda: None
    return _Key(provider, source)


class _Key:
    """The key of a model, read when it is first needed, and then once."""

    def __init__(self, provider: Provider, source: Mapping[str, Any] | None) -> None:
        self._provider = provider
        self._source = source
        self._lock = threading.Lock()
        self._read = False
        self._secret: Secret | None = None

    def __call__(self) -> Secret | None:
        """The key; None if there is none and none is needed. ModelError if it is missing."""
        with self._lock:
            if not self._read:
                self._secret, self._read = self._find(), True
            return self._secret

    def _find(self) -> Secret | None:
        from wasmind.models.secret import read_secret

        if self._source is not None:
            return read_secret(self._source)
        name = self._provider.key(os.environ)
        if name is not None:
            return read_secret({"env": name})
        if not self._provider.needs_key:
            return None
        variables = " or ".join(f"`{each}`" for each in self._provider.keys)
        raise ModelError(
            401,
            f"`{self._provider.name}` needs a key: the environment variable {variables} is not set",
            Code.AUTHENTICATION,
            advice=f"keys are made at {self._provider.key_page}",
            elsewhere=True,
        )


def _litellm(given: plan.Model, backing: _Backing) -> Model:
    from wasmind.models.litellm.upstream import ProxiedModel

    proxy = backing.proxy()
    name = given.settings["entries"][0].get("model", given.name)
    sold_by, _, sold_as = str(name).partition("/")
    listed = look_up(sold_by, sold_as) if sold_as else None
    return Model(
        name=given.name,
        upstream=ProxiedModel(given.name, proxy, lambda: backing.of("litellm")),
        context_window=(listed and listed.context_window) or None,
        price=listed and listed.price,
    )


#: How a model of each kind is made; the place to add another kind.
_KINDS: Final[Mapping[str, Callable[[plan.Model, _Backing], Model]]] = {
    "cassette": _cassette,
    "endpoint": _endpoint,
    "litellm": _litellm,
    "scripted": _scripted,
}
