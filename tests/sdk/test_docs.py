"""The guide's examples work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wasmind_actor.http import Response
from wasmind_actor.testing import FakeHost, Stage, describe, load

GUIDE = Path(__file__).parents[2] / "docs" / "SDK.md"


@pytest.fixture
def weather(tmp_path):
    code = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)[0]
    (tmp_path / "actor.py").write_text(code)
    return tmp_path


def test_the_complete_actor(weather):
    host = FakeHost(http=lambda request: Response(status=200, body=b"sunny"))
    stage = Stage(load(weather), config={"url": "http://fake"}, host=host)
    assert stage.call("weather", city="Paris").content == "sunny"
    assert "missing" in stage.call_error("weather").content
    assert describe(weather)["capabilities"] == ["http", "logger", "messaging"]


def test_it_is_no_longer_than_promised(weather):
    lines = (weather / "actor.py").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) <= 20
