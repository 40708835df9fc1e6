"""The models of a config."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.diagnostics.rules import models
from wasmind_compiler.frontend.app_config import AppConfig
from wasmind_compiler.frontend.key_path import KeyPath, dotted


def model_names(config: AppConfig) -> frozenset[str]:
    """Every model that actors may name."""
    own = [model.name.text for model in config.models]
    return frozenset(own + [model.name.text for model in config.proxied_models])


def check_parameters(config: AppConfig, collector: Collector) -> None:
    """Report parameters of models that JSON cannot express."""
    for model in config.proxied_models:
        path = (*model.name.path[:-1], "litellm_params")
        for place in _infinite(model.parameters, path):
            message = f"`{dotted(place)}` is not a finite number"
            collector.add(models.NOT_A_NUMBER.at(config.document.value(place), message))


def _infinite(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(value, float) and not math.isfinite(value):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _infinite(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _infinite(item, (*path, index))
