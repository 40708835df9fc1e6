"""Hints show a whole table of grants, because a table is exclusive."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from wasmind.plan import Actor
from wasmind.runtime.grants import to_grant


def hinted(actor: Actor, capability: str, **added: Any) -> dict[str, Any]:
    """The table of a hint, read as the TOML it is."""
    hint = to_grant(actor, capability, **added)
    _, line, _, header, _ = hint.split("`")
    assert header == "[actors.web]"
    return tomllib.loads(line)["grants"]


def actor(*capabilities: str, **grants: Any) -> Actor:
    return Actor(
        name="web",
        actor_id="test:web",
        component="0" * 64,
        capabilities=capabilities,
        grants=grants,
    )


@pytest.mark.parametrize(
    ("held", "capability", "added", "table"),
    [
        (actor("messaging"), "command", {}, {"command": True}),
        (actor("http", "logger"), "command", {}, {"command": True, "http": True}),
        (actor("http"), "messaging", {}, {"http": True, "messaging": True}),
        (
            actor("command", "http", http={"hosts": ["a.example"], "private": True}),
            "http",
            {"hosts": ["b.example"]},
            {"command": True, "http": {"hosts": ["a.example", "b.example"], "private": True}},
        ),
        (actor("http"), "http", {"private": True}, {"http": {"private": True}}),
        (
            actor("filesystem"),
            "filesystem",
            {"read": ["/data"]},
            {"filesystem": {"read_write": ["."], "read": ["/data"]}},
        ),
        (
            actor("command", command={"programs": ["ls"]}),
            "command",
            {"programs": ['q"\\']},
            {"command": {"programs": ["ls", 'q"\\']}},
        ),
    ],
)
def test_the_table_keeps_what_an_actor_has(
    held: Actor, capability: str, added: dict[str, Any], table: dict[str, Any]
) -> None:
    assert hinted(held, capability, **added) == table
