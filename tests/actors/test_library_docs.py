"""The table of the library says what the contracts say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wasmind_actor.testing import describe

ROOT = Path(__file__).parents[2]
ACTORS = sorted(path.parent for path in (ROOT / "actors").glob("*/Wasmind.toml"))
PAGE = (ROOT / "docs" / "LIBRARY.md").read_text()


def rows() -> dict[str, list[str]]:
    lines = [line for line in PAGE.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {cell[0].strip("`"): cell[1:] for cell in cells}


def names(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def test_every_actor_has_a_row():
    assert set(rows()) == {folder.name for folder in ACTORS}


@pytest.mark.parametrize("folder", ACTORS, ids=lambda folder: folder.name)
def test_a_row_is_that_of_the_contract(folder):
    contract = describe(folder)
    _, tools, settings, needs = rows()[folder.name]
    schema = contract["config"] or {}
    assert names(tools) == {tool["name"] for tool in contract["tools"]}
    assert names(settings) == set(schema.get("properties", {}))
    required = re.findall(r"\*\*`([^`]+)`\*\*", settings)
    assert set(required) == set(schema.get("required") or ())
    assert names(needs) == set(contract["capabilities"]) - {"logger", "messaging"}
