"""The models of a config, ready for the plan."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping
from typing import Any

from wasmind import plan
from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.diagnostics.rules import models
from wasmind_compiler.frontend.app_config import AppConfig, ProxiedModel
from wasmind_compiler.frontend.document import Document, dotted
from wasmind_compiler.frontend.positions import KeyPath


def link_models(
    config: AppConfig, scripts: Mapping[str, Document], collector: Collector
) -> tuple[plan.Model, ...]:
    """The plan's models, by name.

    Args:
        config: the config.
        scripts: model name to the rules file of a scripted model, as far as they could be read.
        collector: takes what a model cannot be given.
    """
    linked = [
        plan.Model(name=name, kind="scripted", settings=script.data)
        for name, script in scripts.items()
    ]
    linked += [_proxied(config.document, model, collector) for model in config.proxied_models]
    return tuple(sorted(linked, key=lambda model: model.name))


def model_names(config: AppConfig) -> frozenset[str]:
    """Every model that actors may name."""
    own = [model.name.text for model in config.models]
    return frozenset(own + [model.name.text for model in config.proxied_models])


def _proxied(document: Document, model: ProxiedModel, collector: Collector) -> plan.Model:
    parameters = model.parameters
    path = (*model.name.path[:-1], "litellm_params")
    for place, _ in _unrepresentable(parameters, path):
        message = f"`{dotted(place)}` is not a finite number"
        collector.add(models.NOT_A_NUMBER.at(document.value(place), message))
    return plan.Model(
        name=model.name.text, kind="litellm", settings={"litellm_params": plain(parameters)}
    )


def plain(value: Any) -> Any:
    """A TOML value as JSON: dates and times become strings."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return value


def _unrepresentable(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, float]]:
    if isinstance(value, float) and not math.isfinite(value):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _unrepresentable(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unrepresentable(item, (*path, index))
