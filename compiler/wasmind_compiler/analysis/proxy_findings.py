"""What is wrong with `[litellm]`: models, references to the environment, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from wasmind_compiler.analysis.variables import not_set
from wasmind_compiler.diagnostics import Diagnostic, Edit, Fix, Label
from wasmind_compiler.diagnostics.masking import SECRET
from wasmind_compiler.diagnostics.rules import models
from wasmind_compiler.frontend.app_config import AppConfig, ProxiedModel
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath, dotted, quoted

_PREFIX: Final = "os.environ/"
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
    yield from _names(config)
    for model in config.proxied_models:
        path = (*model.name.path[:-1], "litellm_params")
        if "model" not in model.parameters and not _is_reported(config.document, path):
            yield _no_provider_model(config, model, path)
        for place, text in _strings(model.parameters, path):
            yield from _parameter(config, place, text, known)
            if contained:
                yield from _loopback(config, place, text)
    if contained:
        for place, text in _strings(overrides, _OVERRIDES):
            yield from _loopback(config, place, text, bare=str(place[-1]).lower() in _PROXIES)


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
    """Strings of a config that look like keys of a provider."""
    for path, text in _strings(config.document.data, ()):
        if SECRET.search(text):
            yield models.LITERAL_SECRET.at(
                config.document.value(path),
                f"`{dotted(path)}` looks like a secret",
                label="masked here",
                help=_instead_of_a_secret(path),
            )


def _instead_of_a_secret(path: KeyPath) -> str:
    if path[:2] == _OVERRIDES and len(path) > 2:
        return f"remove it and set `{path[2]}` in the environment; nothing is replaced in here"
    return "write `os.environ/NAME` in `litellm_params`, or declare it in `[[run.credentials]]`"


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
