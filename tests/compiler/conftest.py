from __future__ import annotations

from pathlib import Path

import pytest

from tests.compiler.project import Project
from tests.compiler.repositories import Repository


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    return Project(root)


@pytest.fixture(autouse=True)
def own_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine's git is told, tests do not hear it."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def remote(tmp_path: Path) -> Repository:
    """A repository with the actors `desk`, which depends on its neighbour, and `tool`."""
    remote = Repository.make(tmp_path / "remote")
    remote.actor("actors/desk", 'dependencies.tool.source.path = "../tool"')
    remote.actor("actors/tool")
    remote.commit()
    return remote
