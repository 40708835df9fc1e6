"""Actors as their authors write them, from `check` to a run, in the interpreter they run in."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_run import SCRIPT, wasmind

APP = """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }

[actors.worker]
source = { path = "worker" }
"""
DESK = """\
from typing import Annotated

from wasmind_actor import Actor, Config, Param, agents, on
from wasmind_actor.messages import AddMessage


class DeskConfig(Config):
    worker: Annotated[tuple[str, ...], Param("who works", refers="actors")] = ("worker",)


class Desk(Actor[DeskConfig]):
    @on(AddMessage, reach="any")
    def hire(self) -> None:
        agents.spawn(GIVEN, "w")
"""
WORKER = """\
from wasmind_actor import Actor, agents, on
from wasmind_actor.messages import AddMessage, Exit


class Worker(Actor):
    def start(self) -> None:
        print("at work")

    @on(AddMessage)
    def never(self) -> None: ...
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, code in (("desk", DESK), ("worker", WORKER)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Wasmind.toml").write_text(f'actor_id = "test:{name}"\n')
        (tmp_path / name / "actor.py").write_text(code)
    (tmp_path / "app.toml").write_text(APP)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "config"),
    [
        ("self.config.worker", ""),
        ("self.config.worker", '[actors.desk.config]\nworker = ["worker"]\n'),
        ('["worker"]', ""),
    ],
)
def test_what_is_spawned_is_known_before_it_runs(project: Path, given: str, config: str) -> None:
    (project / "desk" / "actor.py").write_text(DESK.replace("GIVEN", given))
    (project / "app.toml").write_text(APP + config)
    checked = wasmind("check", "--strict", "app.toml", cwd=project)
    assert checked.returncode == 0, checked.stderr
    with subprocess.Popen(
        [SCRIPT, "run", "app.toml", "--prompt", "go", "--format", "jsonl"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        # The desk answers nothing, so the run goes on until it is ended: the worker is there, or
        # the user is told why not.
        events = []
        for line in run.stdout:
            events.append(json.loads(line))
            if events[-1].get("actor") == "worker" or "UserNotification" in line:
                break
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=300)
    assert events[-1].get("actor") == "worker", (events, errors)
