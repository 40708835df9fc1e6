"""What is wrong with `[litellm]`: models, references to the environment, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from wasmind.litellm_params import is_placeholder
from wasmind_compiler.analysis.variables import not_set
from wasmind_compiler.diagnostics import Diagnostic, Edit, Fix, Label
from wasmind_compiler.diagnostics.masking import SECRET
from wasmind_compiler.diagnostics.rules import models
from wasmind_compiler.frontend.app_config import AppConfig, ProxiedModel
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath, dotted, quoted

_PREFIX: Final = "os.environ/"
_SECRET_NAME: Final = re.compile(r"(?:^|_)(?:key|token|secret|password)$", re.IGNORECASE)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Other spellings of a reference, each with the name in a group.
_MISSPELLED: Final = (
    re.compile(r"os\.environ\.(\w+)"),
    re.compile(r"os\.environ\[[\"']?(\w+)[\"']?\]"),
    re.compile(r"\$\{?(?:env:)?(\w+)\}?"),
    re.compile(r"env[:/.](\w+)"),
    re.compile(r"%(\w+)%"),
)
_KEYS: Final = ("api_key", "aws_secret_access_key", "aws_access_key_id", "token", "password")
_LOOPBACK: Final = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]*://)?(?:[^/@]*@)?(localhost|127\.\d+\.\d+\.\d+|\[::1\])(?=[:/]|$)"
)
#: Variables whose value is an address, with or without a scheme.
_PROXIES: Final = frozenset({"http_proxy", "https_proxy", "all_proxy"})
_OVERRIDES: Final = ("litellm", "env_overrides")


def explain(config: AppConfig, variables: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Everything about the proxied models of a config.

    Args:
        config: the config.
        variables: the environment.
    """
    litellm: Mapping[str, Any] = config.document.data.get("litellm", {})
    overrides = litellm.get("env_overrides", {}) if isinstance(litellm, dict) else {}
    known = {**variables, **(overrides if isinstance(overrides, dict) else {})}
    contained = isinstance(litellm, dict) and "image" in litellm
    # A proxy that runs already knows by itself what its models are.
    elsewhere = isinstance(litellm, dict) and "url" in litellm and litellm.get("proxy") != "never"
    yield from _names(config)
    yield from _literal_keys(config, litellm)
    yield from _program(config, litellm, variables)
    for model in config.proxied_models:
        path = (*model.name.path[:-1], "litellm_params")
        named = elsewhere or "model" in model.parameters
        if not named and not _is_reported(config.document, path):
            yield _no_provider_model(config, model, path)
        for place, text in _strings(model.parameters, path):
            yield from _parameter(config, place, text, known)
            if contained:
                yield from _loopback(config, place, text)
    if contained:
        for place, text in _strings(overrides, _OVERRIDES):
            yield from _loopback(config, place, text, bare=str(place[-1]).lower() in _PROXIES)


def _literal_keys(config: AppConfig, litellm: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Keys that would get into the plan."""
    for place, advice in _literal_places(config, litellm):
        yield models.LITERAL_KEY.at(
            config.document.value(place),
            f"`{dotted(place)}` is a key, and would be in every bundle",
            label="masked here",
            help=advice,
        )


def _literal_places(config: AppConfig, litellm: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Where such keys are, and what to do about each."""
    for model in config.proxied_models:
        path = (*model.name.path[:-1], "litellm_params")
        for place, text in _strings(model.parameters, path):
            if _SECRET_NAME.search(str(place[-1])) and not _is_harmless(text):
                yield place, f'write `{place[-1]} = "os.environ/NAME"`'
    overrides = litellm.get("env_overrides", {}) if isinstance(litellm, dict) else {}
    for place, text in _strings(overrides, _OVERRIDES):
        if SECRET.search(text):
            yield place, f"remove it and export `{place[-1]}` instead"


def _is_harmless(text: str) -> bool:
    return text.startswith(_PREFIX) or is_placeholder(text)


def _program(
    config: AppConfig, litellm: Mapping[str, Any], variables: Mapping[str, str]
) -> Iterator[Diagnostic]:
    """About models that need a LiteLLM on this machine."""
    from wasmind_compiler.emit.litellm import needs_proxy

    names = needs_proxy(config) if isinstance(litellm, dict) else ()
    needing = [
        model
        for model in config.proxied_models
        # Without a model it is said elsewhere what is wrong.
        if model.name.text in names and isinstance(model.parameters.get("model"), str)
    ]
    if not needing:
        return
    if litellm.get("proxy") == "never":
        for model in needing:
            yield models.ONLY_PROXY.at(
                model.name.span(),
                f"only the LiteLLM proxy can answer `{model.name.text}`",
                help='leave out `proxy = "never"`, or use a provider of the gateway',
            )
        return
    if (problem := _missing(litellm, variables)) is not None:
        yield models.NO_PROXY.at(
            config.document.header(("litellm",)),
            f"`{needing[0].name.text}` needs LiteLLM: {problem}",
            labels=(Label(needing[0].name.span(), "this model"),),
        )


def _missing(litellm: Mapping[str, Any], variables: Mapping[str, str]) -> str | None:
    """What is wrong with LiteLLM on this machine."""
    from wasmind.litellm_program import (
        ProxyError,
        find_program,
        installed_script,
        installed_version,
        is_unsafe,
    )

    command, image = litellm.get("command") or (), litellm.get("image")
    path = variables.get("PATH")
    try:
        program = find_program(command, image, "wasmind-litellm", path, ask_docker=False)
    except ProxyError as error:
        return str(error)
    script = None if command or program.container else installed_script(path)
    version = None if script is None else installed_version(script)
    if version is None or not is_unsafe(version):
        return None
    shown = ".".join(map(str, version))
    return f"`{script}` is {shown}, a release with known holes; upgrade it"


def _is_reported(document: Document, parameters: KeyPath) -> bool:
    """Whether it has been said why there is no `model`: it stands beside the parameters, or they
    are no table."""
    misplaced = document.has((*parameters[:-1], "model"))
    return misplaced or not isinstance(document.at(parameters), dict | None)


def _no_provider_model(config: AppConfig, model: ProxiedModel, path: KeyPath) -> Diagnostic:
    document = config.document
    labels: tuple[Label, ...] = ()
    if document.has(path):
        labels = (Label(document.header(path), "there is no `model` in here"),)
    return models.NO_PROVIDER_MODEL.at(
        document.header(path[:-1]),
        f"`{model.name.text}` does not say which model of a provider it is",
        labels=labels,
        help='for example `litellm_params = { model = "openai/gpt-4o" }`',
    )


def secrets(config: AppConfig) -> Iterator[Diagnostic]:
    """Strings of a config that look like keys of a provider, but for those of `[litellm]`."""
    litellm: Mapping[str, Any] = config.document.data.get("litellm", {})
    told = {place for place, _ in _literal_places(config, litellm)}
    for path, text in _strings(config.document.data, ()):
        if SECRET.search(text) and path not in told:
            yield models.LITERAL_SECRET.at(
                config.document.value(path),
                f"`{dotted(path)}` looks like a secret",
                label="masked here",
                help=_instead_of_a_secret(path),
            )


def _instead_of_a_secret(path: KeyPath) -> str:
    if path[0] == "models":
        return 'write `api_key = { env = "NAME" }`, and set that variable'
    if path[0] == "litellm":
        return "write `os.environ/NAME` in `litellm_params`"
    return "declare it in `[[run.credentials]]`, and set its variable"


def _names(config: AppConfig) -> Iterator[Diagnostic]:
    first: dict[str, KeyPath] = {}
    for model in config.proxied_models:
        earlier = first.setdefault(model.name.text, model.name.path)
        if earlier != model.name.path:
            yield models.DUPLICATE_MODEL.at(
                model.name.span(),
                f"the model `{model.name.text}` is given twice",
                labels=(Label(config.document.value(earlier), "first given here"),),
                help="requests are spread over both; give them two names if that is not meant",
            )


def _parameter(
    config: AppConfig, path: KeyPath, text: str, known: Mapping[str, str]
) -> Iterator[Diagnostic]:
    document = config.document
    if text.startswith(_PREFIX):
        name = text.removeprefix(_PREFIX)
        if not _NAME.fullmatch(name):
            yield models.BAD_REFERENCE.at(
                document.value(path),
                f"`{text}` names no variable",
                help="write `os.environ/NAME`",
            )
        elif not known.get(name):
            yield not_set(document.inside(path, len(_PREFIX), len(text)), name, known)
        return
    for pattern in _MISSPELLED:
        found = pattern.fullmatch(text)
        if found is not None and str(path[-1]) in _KEYS:
            written = _PREFIX + found.group(1)
            fix = Fix(
                title=f"write `{written}`",
                edits=(Edit(document.value(path), quoted(written)),),
                applicability="always",
            )
            yield models.BAD_REFERENCE.at(
                document.value(path), f"`{text}` is taken as it is", help=fix.title, fix=fix
            )
            return


def _loopback(
    config: AppConfig, path: KeyPath, text: str, *, bare: bool = False
) -> Iterator[Diagnostic]:
    found = _LOOPBACK.match(text)
    if found is not None and (bare or found.group(1)):
        yield models.LOOPBACK_IN_CONTAINER.at(
            config.document.inside(path, *found.span(2)),
            f"inside the container `{found.group(2)}` is the container itself",
            help="use `host.docker.internal`, or run the proxy without a container",
        )


def _strings(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*path, index))
