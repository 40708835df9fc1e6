"""What is wrong with `[models]` and `[run.budget]`: addresses, keys, fallbacks, prices."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from wasmind import base_urls
from wasmind.prices import look_up
from wasmind.providers import Provider, providers, split
from wasmind_compiler.analysis.models import ANY, model_names
from wasmind_compiler.analysis.variables import not_set
from wasmind_compiler.diagnostics import Diagnostic, Span
from wasmind_compiler.diagnostics.rules import models
from wasmind_compiler.diagnostics.suggestions import advice
from wasmind_compiler.frontend.app_config import AppConfig, ModelEntry
from wasmind_compiler.frontend.key_path import KeyPath


def explain(config: AppConfig, variables: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Everything about the models that a config declares itself.

    Args:
        config: the config.
        variables: the environment.
    """
    known = model_names(config)
    for model in config.models:
        if model.kind == "scripted":
            continue
        if model.kind == "cassette":
            yield from _recorded(model, known)
            continue
        provider = providers().get(model.kind)
        yield from _base_url(model, provider, variables)
        yield from _key(model, provider, variables)
        yield from _fallback(model, known, variables)
        if counts_usd(config) and not _is_priced(model, provider):
            yield unpriced(_span(model), model.name.text)


def counts_usd(config: AppConfig) -> bool:
    """Whether a config limits what may be spent in dollars."""
    budget = config.run.mapping("budget") if config.run is not None else None
    if budget is None:
        return False
    per_agent = budget.get("per_agent")
    return "usd" in budget or (isinstance(per_agent, dict) and "usd" in per_agent)


def implicit(
    name: str, span: Span, actor: str, config: AppConfig, variables: Mapping[str, str]
) -> Iterator[Diagnostic]:
    """About a model that no config declares, but whose name begins with a provider.

    Args:
        name: the model's.
        span: where it is named.
        actor: whose config names it.
        config: the config, for its budget.
        variables: the environment.
    """
    found = split(name)
    if found is None:
        return
    provider, model = found
    needs = f"it needs the variable `{provider.keys[0]}`" if provider.needs_key else ""
    url = f"at {provider.base_url}" if provider.base_url else ""
    yield models.IMPLICIT_PROVIDER.at(
        span,
        f"`{name}` of `{actor}` is answered by {provider.name}"
        + (f", and {needs}" if needs else f" {url}".rstrip()),
        help=f'`[models."{name}"]` with `kind = "{provider.name}"` would set more about it',
    )
    yield from _usual_key(span, provider, variables)
    if not provider.base_url and not any(map(variables.get, provider.base_url_variables)):
        yield not_set(span, provider.base_url_variables[0], variables)
    if counts_usd(config) and not provider.local and look_up(provider.sold_as, model) is None:
        yield unpriced(span, name)


def unpriced(span: Span, name: str) -> Diagnostic:
    """The diagnostic for a model without a price under a budget in dollars."""
    return models.NO_PRICE.at(
        span,
        f"the price of the model `{name}` is not known, and `run.budget` counts dollars",
        help="give it a `price = { input = …, output = … }`, in dollars per million tokens",
    )


def _span(model: ModelEntry, *path: str) -> Span:
    document, full = model.name.document, (*model.name.path, *path)
    return document.value(full) if path else document.header(full)


def _base_url(
    model: ModelEntry, provider: Provider | None, variables: Mapping[str, str]
) -> Iterator[Diagnostic]:
    base = model.settings.get("base_url")
    if isinstance(base, str):
        for fault in base_urls.faults(base):
            yield bad_base_url(_span(model, "base_url"), base, fault)
    elif provider is not None and not provider.base_url:
        named = provider.base_url_variables
        if not any(variables.get(name) for name in named):
            yield not_set(_span(model), provider.base_url_variables[0], variables)


def bad_base_url(span: Span, url: str, fault: str) -> Diagnostic:
    """The diagnostic for a base URL that cannot be used."""
    shown = re.sub(r"^(\w+://)?.*@", r"\1***@", url)
    return models.BAD_BASE_URL.at(
        span,
        f"`{shown.partition('?')[0]}` is not a base URL: {fault}",
        help='write it like `"https://api.example.org/v1"`',
    )


def _key(
    model: ModelEntry, provider: Provider | None, variables: Mapping[str, str]
) -> Iterator[Diagnostic]:
    source = model.settings.get("api_key")
    if isinstance(source, dict):
        name, file = source.get("env"), source.get("file")
        if isinstance(name, str) and not variables.get(name, "").strip():
            yield not_set(_span(model, "api_key", "env"), name, variables)
        if isinstance(file, str) and (problem := _unreadable(file)):
            yield models.KEY_FILE.at(
                _span(model, "api_key", "file"), f"cannot read the key file `{file}`: {problem}"
            )
    elif source is None and provider is not None and provider.needs_key:
        yield from _usual_key(_span(model), provider, variables)


def _usual_key(
    span: Span, provider: Provider, variables: Mapping[str, str]
) -> Iterator[Diagnostic]:
    if provider.needs_key and provider.key(variables) is None:
        found = not_set(span, provider.keys[0], variables)
        yield found._replace(help=f"{found.help}; keys are made at {provider.key_page}")


def _unreadable(file: str) -> str | None:
    try:
        with Path(file).expanduser().open("rb"):
            return None
    except OSError as error:
        return error.strerror or "it is not a file"
    except RuntimeError:
        return "there is no such home folder"


def _fallback(
    model: ModelEntry, known: Collection[str], variables: Mapping[str, str]
) -> Iterator[Diagnostic]:
    names: Any = model.settings.get("fallback")
    for index, name in enumerate(names if isinstance(names, list) else ()):
        if not isinstance(name, str) or name in known:
            continue
        path: KeyPath = (*model.name.path, "fallback", index)
        span = model.name.document.value(path)
        if (found := split(name)) is not None:
            yield from _usual_key(span, found[0], variables)
            continue
        if ANY in known:
            continue
        yield models.UNKNOWN_MODEL.at(
            span,
            f"unknown model `{name}` in the `fallback` of `{model.name.text}`",
            help=advice(name, known, "models"),
        )


def _recorded(model: ModelEntry, known: frozenset[str]) -> Iterator[Diagnostic]:
    """About the model that a cassette records; its key is needed only when it is asked."""
    name = model.settings.get("model")
    others = known - {model.name.text}
    if isinstance(name, str) and not {name, ANY} & others and split(name) is None:
        yield models.UNKNOWN_MODEL.at(
            _span(model, "model"),
            f"unknown model `{name}` in the cassette `{model.name.text}`",
            help=advice(name, others, "models"),
        )


def _is_priced(model: ModelEntry, provider: Provider | None) -> bool:
    if "price" in model.settings:
        return True
    if provider is None:
        return False
    if provider.local:
        return True
    name = model.settings.get("model", model.name.text)
    return model.name.text == ANY or look_up(provider.sold_as, str(name)) is not None
