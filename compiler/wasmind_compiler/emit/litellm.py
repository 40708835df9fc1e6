"""The models of `[litellm]` in a plan: answered by the gateway where it can, else by the proxy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wasmind import plan
from wasmind.litellm_params import endpoint_settings
from wasmind_compiler.emit.plain import plain
from wasmind_compiler.frontend.app_config import AppConfig

#: How LiteLLM's parameters refer to variables of the environment.
_REFERENCE: Final = "os.environ/"


def litellm_models(config: AppConfig) -> list[plan.Model]:
    """One model for each name; several entries of one name are asked in turn."""
    table: Mapping[str, Any] = config.document.data.get("litellm", {})
    entries: dict[str, list[Mapping[str, Any]]] = {}
    for model in config.proxied_models:
        entries.setdefault(model.name.text, []).append(plain(dict(model.parameters)))
    return [_model(name, given, table) for name, given in entries.items()]


def needs_proxy(config: AppConfig) -> tuple[str, ...]:
    """Names of the models that only a LiteLLM on this machine can answer."""
    return tuple(model.name for model in litellm_models(config) if model.kind == "litellm")


def _model(name: str, entries: list[Mapping[str, Any]], table: Mapping[str, Any]) -> plan.Model:
    mode = table.get("proxy", "auto")
    if mode != "never" and "url" in table:
        return plan.Model(name=name, kind="endpoint", settings=_running(name, table))
    overrides = table.get("env_overrides", {})
    overrides = overrides if isinstance(overrides, dict) else {}  # `check` looks at any config
    given = [_with_variables(each, overrides) for each in entries]
    own = [] if mode == "always" else [endpoint_settings(each) for each in given]
    targets = [each for each in own if each is not None]
    if len(targets) != len(entries) or not targets:
        settings = {"entries": entries, "proxy": _proxy(table)}
        return plan.Model(name=name, kind="litellm", settings=settings)
    if len(targets) == 1:
        return plan.Model(name=name, kind="endpoint", settings=targets[0])
    return plan.Model(name=name, kind="balanced", settings={"targets": targets})


def _with_variables(value: Any, overrides: Mapping[str, Any]) -> Any:
    """Parameters with what the config itself sets a variable to in place of its reference."""
    if isinstance(value, dict):
        return {key: _with_variables(each, overrides) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_variables(each, overrides) for each in value]
    if isinstance(value, str) and value.startswith(_REFERENCE):
        return overrides.get(value.removeprefix(_REFERENCE), value)
    return value


def _running(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """An endpoint for a proxy that somebody else runs."""
    settings = {"base_url": table["url"], "model": name}
    return settings | ({"api_key": plain(table["api_key"])} if "api_key" in table else {})


def _proxy(table: Mapping[str, Any]) -> dict[str, Any]:
    names = ("port", "command", "image", "container_name", "env_overrides")
    return {key: plain(table[key]) for key in names if key in table}
