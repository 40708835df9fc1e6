"""The example systems, each started with the rules of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from tests.scenarios.harness import Rule, Run, running, write_config

EXAMPLES = Path(__file__).parents[2] / "example_configs"
Start = Callable[..., Run]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts an example by name; it works in the folder `work`."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with ExitStack() as stack:

        def run(
            example: str,
            rules: list[Rule],
            overrides: Mapping[str, Mapping[str, Any]] | None = None,
        ) -> Run:
            text = (EXAMPLES / f"{example}.toml").read_text().partition("\n[models.")[0]
            for actor, config in (overrides or {}).items():
                text = _override(text, actor, config)
            config = write_config(tmp_path / "config", text, rules)
            return stack.enter_context(running(config, tmp_path / "bundle"))

        yield run


def _override(text: str, actor: str, config: Mapping[str, Any]) -> str:
    document = tomlkit.parse(text)
    own = document.get("actors", {}).get(actor)
    table = own if own is not None else _made(document, "actor_overrides", actor)
    _made(table, "config").update(config)
    return tomlkit.dumps(document)


def _made(table: Any, *names: str) -> Any:
    for name in names:
        table = table.setdefault(name, tomlkit.table())
    return table
