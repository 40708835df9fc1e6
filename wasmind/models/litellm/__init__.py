"""The LiteLLM proxy as a child of the run: found, started when first needed, watched, ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wasmind.litellm_program import find_program
from wasmind.plan import Model

if TYPE_CHECKING:
    from wasmind.models.litellm.proxy import Proxy, ProxySettings


def open_proxy(
    models: Sequence[Model], variables: Mapping[str, str], report: Callable[[str], None]
) -> Proxy:
    """The proxy for models of the kind `litellm`, not started yet.

    Raises:
        ProxyError: there is no LiteLLM on this machine.
    """
    from wasmind.models.litellm.proxy import Proxy

    settings = _settings(models)
    find_program(settings.command, settings.image, settings.container_name, variables.get("PATH"))
    return Proxy(settings, variables, report, _probe)


def _settings(models: Sequence[Model]) -> ProxySettings:
    from wasmind.models.litellm.proxy import ProxySettings

    shared: Mapping[str, Any] = models[0].settings["proxy"]
    entries = [
        {"model_name": model.name, "litellm_params": dict(parameters)}
        for model in models
        for parameters in model.settings["entries"]
    ]
    return ProxySettings(
        models=tuple(entries),
        port=shared.get("port", 4000),
        command=tuple(shared.get("command", ())),
        image=shared.get("image"),
        container_name=shared.get("container_name", "wasmind-litellm"),
        env_overrides=shared.get("env_overrides", {}),
    )


def _probe(url: str, key: str) -> int:
    import httpx

    try:
        headers = {"Authorization": f"Bearer {key}"}
        # The proxy is on this machine, whatever proxies the environment names.
        answer = httpx.get(url, headers=headers, timeout=10.0, trust_env=False)
    except httpx.HTTPError as error:
        raise OSError(str(error)) from None
    return answer.status_code
