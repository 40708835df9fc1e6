"""Settings in layers: merged as the guest will see them, each leaf traced to its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from wasmind.records import Record
from wasmind_compiler.diagnostics import Span
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath, value_at

_ABSENT = object()


class Layer(Record):
    """A table that contributes settings: where it stands and what it says."""

    document: Document
    path: KeyPath
    values: Mapping[str, Any]


class LayeredTable:
    """Layers merged from lowest to highest; a `Locator` for the merged value.

    Args:
        layers: lowest first.
        fallback: where something is reported that no layer has.
    """

    def __init__(self, layers: Sequence[Layer], fallback: tuple[Document, KeyPath]) -> None:
        self.layers = tuple(layers)
        self._fallback = fallback

    @cached_property
    def merged(self) -> Mapping[str, Any]:
        """The value: tables are merged, anything else is replaced by the upper layer."""
        result: Mapping[str, Any] = {}
        for layer in self.layers:
            result = deep_merge(result, layer.values)
        return result

    def origin(self, path: KeyPath) -> tuple[Document, KeyPath] | None:
        """The file and path that the value at `path` of the merged table came from.

        The topmost layer that has the path is its origin: a layer in between that replaced a
        table around it by something else would have removed it from the layers below only.
        """
        for layer in reversed(self.layers):
            if value_at(layer.values, path, _ABSENT) is not _ABSENT:
                return layer.document, (*layer.path, *path)
        return None

    def value(self, path: KeyPath) -> Span:
        """The value at the path, in the layer it came from."""
        document, full = self.origin(path) or self._fallback
        return document.value(full)

    def key(self, path: KeyPath) -> Span:
        """The last name of the path, in the layer it came from."""
        document, full = self.origin(path) or self._fallback
        return document.key(full)

    def header(self, path: KeyPath) -> Span:
        """Where the table at the path begins in the topmost layer that has it."""
        document, full = self.origin(path) or self._fallback
        return document.header(full)


def deep_merge(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """`upper` over `lower`: tables merge key by key, arrays and the rest are replaced whole."""
    result = dict(lower)
    for key, value in upper.items():
        below = result.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            result[key] = deep_merge(below, value)
        else:
            result[key] = value
    return result
