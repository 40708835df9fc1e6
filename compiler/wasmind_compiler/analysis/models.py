"""The models of a config."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from wasmind_compiler.analysis.annotations import annotated, strings
from wasmind_compiler.diagnostics import Collector, Diagnostic
from wasmind_compiler.diagnostics.rules import models
from wasmind_compiler.frontend.app_config import AppConfig
from wasmind_compiler.frontend.conformance import is_finite
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath, dotted
from wasmind_compiler.resolution.graph import ResolvedActor

#: The model that answers for all names which no other has.
ANY: Final = "*"


def model_names(config: AppConfig) -> frozenset[str]:
    """Every model that actors may name."""
    own = [model.name.text for model in config.models]
    return frozenset(own + [model.name.text for model in config.proxied_models])


def used_models(actor: ResolvedActor, schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The models that the config of an actor names; none if it has an endpoint of its own."""
    if has_endpoint(actor):
        return ()
    found = annotated(actor.config.merged, schema)
    names = {name for each in found if each.kind == "model" for _, name in strings(each)}
    return tuple(sorted(names))


def has_endpoint(actor: ResolvedActor) -> bool:
    """Whether an actor asks an endpoint of its own, whose models we cannot know."""
    return bool(actor.config.merged.get("base_url"))


def check_parameters(config: AppConfig, scripts: Iterable[Document], collector: Collector) -> None:
    """Report parameters of models, and arguments in scripts, that JSON cannot express."""
    for model in config.proxied_models:
        path = (*model.name.path[:-1], "litellm_params")
        for place in _infinite(model.parameters, path):
            collector.add(_not_finite(config.document, place))
    for own in config.models:
        for place in _infinite(own.settings.get("params"), (*own.name.path, "params")):
            collector.add(_not_finite(config.document, place))
    for script in scripts:
        # All else in a script has a type that says so already.
        for place in _infinite(script.data, ()):
            if "arguments" in place:
                collector.add(_not_finite(script, place))


def _not_finite(document: Document, path: KeyPath) -> Diagnostic:
    message = f"`{dotted(path)}` is not a finite number"
    return models.NOT_A_NUMBER.at(document.value(path), message)


def _infinite(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    if not is_finite(value):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _infinite(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _infinite(item, (*path, index))
