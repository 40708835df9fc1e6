"""Merging settings: its laws, and that every leaf knows where it came from."""

from __future__ import annotations

from typing import Any

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.frontend.document import Document, parse
from wasmind_compiler.frontend.key_path import KeyPath
from wasmind_compiler.resolution.layers import Layer, LayeredTable, deep_merge

KEYS = st.sampled_from(["a", "b", "c d"])
LEAVES = st.integers(0, 9) | st.booleans() | st.lists(st.integers(0, 9), max_size=2)
TABLES = st.recursive(
    st.dictionaries(KEYS, LEAVES, max_size=3),
    lambda inner: st.dictionaries(KEYS, LEAVES | inner, max_size=3),
    max_leaves=8,
)


def test_merging_is_not_associative_where_a_table_is_replaced_in_between() -> None:
    """Why layers are always merged from the lowest upwards."""
    one, two, three = {"a": {"x": 1}}, {"a": 0}, {"a": {"y": 2}}
    assert deep_merge(deep_merge(one, two), three) == {"a": {"y": 2}}
    assert deep_merge(one, deep_merge(two, three)) == {"a": {"x": 1, "y": 2}}


@given(TABLES)
def test_nothing_and_itself_change_nothing(table: dict[str, Any]) -> None:
    assert deep_merge(table, {}) == deep_merge({}, table) == deep_merge(table, table) == table


def leaves(value: Any, path: KeyPath = ()) -> list[tuple[KeyPath, Any]]:
    if not isinstance(value, dict):
        return [(path, value)]
    return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]


@given(st.lists(TABLES, min_size=1, max_size=4))
def test_every_leaf_is_traced_to_the_text_it_was_written_as(tables: list[dict[str, Any]]) -> None:
    documents = [written(number, table) for number, table in enumerate(tables)]
    layers = [
        Layer(document, ("config",), table)
        for document, table in zip(documents, tables, strict=True)
    ]
    merged = LayeredTable(layers, (documents[0], ()))
    for path, value in leaves(merged.merged):
        span = merged.value(path)
        (source,) = (document for document in documents if document.file == span.file)
        assert tomlkit.parse(f"x = {source.text(span)}").unwrap() == {"x": value}


def written(number: int, table: dict[str, Any]) -> Document:
    text = tomlkit.dumps({"config": table})
    document = parse(f"layer{number}.toml", text.encode(), Collector())
    assert document is not None
    return document
