"""Using Wasmind as a library, the way its docs say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import wasmind
from tests.observing import DEADLINE
from wasmind import NoAnswer, System

ROOT = Path(__file__).parents[1]


def link(config: Path, folder: Path) -> Path:
    """The bundle of a config, linked by the command line."""
    program = "from wasmind.cli import main; main()"
    arguments = ["bundle", str(config), "-o", str(folder)]
    subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example."""
    folder = tmp_path_factory.mktemp("embedding") / "bundle"
    return link(ROOT / "example_configs" / "offline_assistant.toml", folder)


def test_the_public_names() -> None:
    assert sorted(wasmind.__all__) == ["NoAnswer", "System", "__version__"]
    for name in wasmind.__all__:
        assert getattr(wasmind, name)
    with pytest.raises(AttributeError):
        _ = wasmind.nothing  # type: ignore[attr-defined]


def test_importing_the_package_loads_no_engine() -> None:
    program = "import sys, wasmind; print([m for m in sys.modules if 'wasmtime' in m])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_ask_twice(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "one.py").touch()
    with System.open(bundle) as system:
        question = f"How many Python files are in the folder {tmp_path}?"
        assert system.ask(question) == "There are 1 Python files."
        (tmp_path / "two.py").touch()
        assert system.ask(question) == "There are 2 Python files."
        assert system.summary().actors["assistant"].tokens > 0


def test_send_and_subscribe(bundle: Path) -> None:
    with System.open(bundle) as system:
        events = system.subscribe()
        sent = system.send("my.Message", {"n": 1})
        assert events.get(timeout=DEADLINE) is sent
        assert json.loads(sent.payload) == {"n": 1}
        system.unsubscribe(events)
        later = system.subscribe()
        again = system.send("my.Message", {"n": 2})
        assert later.get(timeout=DEADLINE) is again
        assert events.get(timeout=0) is None


def test_two_systems_side_by_side(bundle: Path, tmp_path: Path) -> None:
    question = f"How many Python files are in the folder {tmp_path}?"
    with System.open(bundle) as one, System.open(bundle) as other:
        assert one.ask(question) == other.ask(question)


def test_the_event_stream_ends(bundle: Path) -> None:
    system = System.open(bundle)
    events = system.subscribe()
    system.start()
    assert not system.wait(timeout=0)
    assert system.stop()
    assert system.wait(timeout=0)
    assert list(events)[-1].reason is None


def test_no_answer_is_an_exception_that_says_why(bundle: Path) -> None:
    with System.open(bundle) as system:
        system.stop()
        with pytest.raises(NoAnswer):
            system.ask("anybody there?")


def test_a_bundle_that_is_none(tmp_path: Path) -> None:
    from wasmind.runtime.errors import BundleError

    with pytest.raises(BundleError, match="is not a bundle"):
        System.open(tmp_path)


def test_a_long_conversation_keeps_all_its_lines(tmp_path: Path) -> None:
    answer = "a" * (3 << 20)
    rules = f'[[rules]]\nanswer.text = "{answer}"\n'
    (tmp_path / "model.toml").write_text(rules)
    (tmp_path / "app.toml").write_text(
        'starting_actors = ["assistant"]\n'
        '[actors.assistant]\nsource = { library = "assistant" }\n'
        'config = { model_name = "large" }\n'
        '[models.large]\nkind = "scripted"\nscript = "model.toml"\n'
    )
    with System.open(link(tmp_path / "app.toml", tmp_path / "bundle")) as system:
        events = system.subscribe()
        for size in (4 << 20, 1 << 20):
            assert system.ask("q" * size) == answer
        requests = [
            event.json()["chat_state"]["messages"]
            for event in iter(lambda: events.get(timeout=0), None)
            if getattr(event, "message_type", "") == "wasmind.common.assistant.Request"
        ]
        said = [len(each["content"]) for each in requests[-1]]
        assert said == [4 << 20, len(answer), 1 << 20]
        assert system.summary().actors["assistant"].failures == 0
