"""Which entries of `[[litellm.models]]` need no proxy: those that only say what an endpoint takes.

The names of providers and parameters are those of LiteLLM's documentation. What is not understood
here, whole or in part, is left to the proxy: it must never be dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from wasmind import base_urls
from wasmind.providers import SEPARATOR, providers

#: LiteLLM's name of a provider to ours, where they differ.
_PROVIDERS: Final = {
    "azure": "azure",
    "fireworks_ai": "fireworks",
    "hosted_vllm": "vllm",
    "lm_studio": "lmstudio",
    "ollama_chat": "ollama",
    "together_ai": "together",
}
#: Names that LiteLLM knows without a provider.
_BARE: Final = (
    (re.compile(r"(?:gpt-|chatgpt-|o[134](?:-|$))"), "openai"),
    (re.compile(r"claude-"), "anthropic"),
)
_REFERENCE: Final = re.compile(r"os\.environ/([A-Za-z_][A-Za-z0-9_]*)")
_PLACEHOLDER: Final = re.compile(r"(?:sk-)?[A-Za-z0-9_-]{1,12}")
#: Parameters of chat completions that go into the request as they are.
_PARAMS: Final = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "service_tier",
        "stop",
        "temperature",
        "thinking",
        "top_k",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
    }
)
#: What only OpenRouter takes.
_ROUTING: Final = frozenset({"models", "provider", "reasoning", "route", "transforms"})
_NUMBERS: Final = {
    "timeout": "timeout_seconds",
    "request_timeout": "timeout_seconds",
    "stream_timeout": "first_byte_seconds",
}
_COUNTS: Final = {
    "max_retries": "retries",
    "num_retries": "retries",
    "rpm": "requests_per_minute",
    "max_parallel_requests": "max_concurrent",
}


class _Foreign(Exception):
    """What only LiteLLM understands; says why."""


def endpoint_settings(parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """`litellm_params` as the settings of an endpoint; None if only the proxy can serve them."""
    try:
        return _settings(parameters)
    except _Foreign:
        return None


def why_proxy(parameters: Mapping[str, Any]) -> str | None:
    """Why only the proxy can serve `litellm_params`, for people; None if an endpoint can."""
    try:
        _settings(parameters)
    except _Foreign as reason:
        return str(reason)
    return None


def _settings(parameters: Mapping[str, Any]) -> dict[str, Any]:
    model = parameters.get("model")
    found = _split(model) if isinstance(model, str) else None
    if found is None:
        prefix = str(model).partition(SEPARATOR)[0]
        raise _Foreign(f"`{prefix}` is known to LiteLLM only")
    provider, name = found
    settings: dict[str, Any] = {"provider": provider, "model": name}
    for key, value in parameters.items():
        if key != "model":
            try:
                _translate(key, value, settings)
            except _Foreign:
                raise _Foreign(f"`{key}`, as it is written, is known to LiteLLM only") from None
    if provider == "azure" and "base_url" not in settings:
        raise _Foreign("`azure` has no `api_base`")
    return settings


def _split(model: str) -> tuple[str, str] | None:
    prefix, separator, rest = model.partition(SEPARATOR)
    if separator and rest:
        name = _PROVIDERS.get(prefix, prefix)
        return (name, rest) if name in providers() else None
    for pattern, name in _BARE:
        if pattern.match(model):
            return name, model
    return None


def _translate(key: str, value: Any, settings: dict[str, Any]) -> None:
    """Put one parameter where the settings have it; _Foreign if they have no place for it."""
    if key in ("api_base", "base_url"):
        settings["base_url"] = _base_url(_literal(value), settings["provider"])
    elif key == "api_key":
        _key(value, settings)
    elif key == "api_version":
        settings[key] = _literal(value)
    elif key == "organization" and settings["provider"] == "openai":
        _merge(settings, "headers", {"OpenAI-Organization": _literal(value)})
    elif key == "extra_headers" and isinstance(value, dict):
        _merge(settings, "headers", {name: _literal(text) for name, text in value.items()})
    elif key == "extra_body" and isinstance(value, dict):
        _merge(settings, "params", value)
    elif key in _NUMBERS and _is_number(value):
        settings[_NUMBERS[key]] = float(value)
    elif key in _COUNTS and type(value) is int and value >= 0:
        settings[_COUNTS[key]] = value
    elif key in _PARAMS or (key in _ROUTING and settings["provider"] == "openrouter"):
        _merge(settings, "params", {key: value})
    else:
        raise _Foreign


def _base_url(text: str, provider: str) -> str:
    if any(base_urls.faults(text)):
        raise _Foreign
    # LiteLLM takes the root of an Ollama server; its compatible endpoint is below.
    bare = text.rstrip("/")
    return f"{bare}/v1" if provider == "ollama" and not bare.endswith("/v1") else text


def _key(value: Any, settings: dict[str, Any]) -> None:
    reference = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if reference is not None:
        settings["api_key"] = {"env": reference[1]}
    elif isinstance(value, str) and is_placeholder(value):
        _merge(settings, "headers", {"Authorization": f"Bearer {value}"})
    else:
        raise _Foreign


def is_placeholder(value: str) -> bool:
    """Whether a literal key is one that people write for servers which want any, like `none`."""
    return _PLACEHOLDER.fullmatch(value) is not None


def _literal(value: Any) -> str:
    """A text that refers to no variable."""
    if not isinstance(value, str) or value.startswith("os.environ/"):
        raise _Foreign
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6


def _merge(settings: dict[str, Any], key: str, more: Mapping[str, Any]) -> None:
    settings[key] = {**settings.get(key, {}), **more}
