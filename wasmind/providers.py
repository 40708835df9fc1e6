"""The table of providers: which endpoint, which key, which quirks. Data for both halves."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from wasmind.records import Record

#: Separates a provider from its name of a model, as in `openrouter/qwen/qwen3-coder`.
SEPARATOR: Final = "/"
#: Model kinds of a config that are not names of providers.
OWN_KINDS: Final = frozenset({"cassette", "endpoint", "litellm", "scripted"})

_TABLE: Final = Path(__file__).parent / "models" / "providers.toml"


class Provider(Record):
    """How to reach a provider's models; `models/providers.toml` says what the fields mean."""

    name: str
    base_url: str = ""
    base_url_variables: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    needs_key: bool = False
    key_page: str = ""
    local: bool = False
    start: str = ""
    prices: str = ""
    max_tokens: str = "max_tokens"
    late_system: str = "system"
    alternates: bool = False
    stream_usage: bool = True
    key_header: str = ""
    deployments: bool = False

    @property
    def sold_as(self) -> str:
        """What the price data calls it."""
        return self.prices or self.name

    def key(self, variables: Mapping[str, str]) -> str | None:
        """The variable that holds the key; None if none of them is set."""
        return next((name for name in self.keys if variables.get(name)), None)


@cache
def providers() -> Mapping[str, Provider]:
    """All providers by name."""
    # Loaded for what reaches real models only.
    import tomllib

    with _TABLE.open("rb") as file:
        table = tomllib.load(file)
    return {name: _provider(name, fields) for name, fields in table.items()}


def split(name: str) -> tuple[Provider, str] | None:
    """The provider that a model's name begins with, and the rest; None if there is none."""
    prefix, separator, rest = name.partition(SEPARATOR)
    if not separator or not rest:
        return None
    provider = providers().get(prefix)
    return None if provider is None else (provider, rest)


def _provider(name: str, fields: Mapping[str, Any]) -> Provider:
    lists = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
    return Provider(**{**fields, **lists, "name": name})
