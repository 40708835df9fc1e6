"""Answers that are recorded once and replayed without a network."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.compiler.project import ABOUT_ACTORS
from tests.compiler.project import Project as Sources
from tests.models.conftest import HELLO, Run, endpoint
from tests.models.test_run import KEY, SYSTEM, Project
from tests.models.zoo import (
    USAGE,
    Provider,
    Visit,
    answers,
    completion,
    in_turn,
    refuses,
    says,
    tool_call,
)
from wasmind.cassettes import HEADER, DamagedCassette, is_cassette, read_cassette
from wasmind.models.recordings import canonical, digest
from wasmind.models.resolve import Directory, UnusableModel
from wasmind.plan import Allowance, Budget, Model

SECRET = "sk-live-0123456789abcdefghijklmnop"
TAPE = """
[models.smart]
kind = "cassette"
file = "smart.cassette.jsonl"
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    return Project(root)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.cassette.jsonl"


def tape(path: Path, record: str = "missing", **settings: Any) -> Model:
    """A cassette as a run of a config has it, with what is in its file."""
    recorded = read_cassette(path.read_bytes()).recordings if path.exists() else ()
    more = {} if record == "never" else {"path": str(path), "model": "real"}
    given = {"file": path.name, "record": record, "recorded": recorded, **more, **settings}
    return Model(name="m", kind="cassette", settings=given)


def lines(path: Path) -> list[dict[str, Any]]:
    header, *found = path.read_text().splitlines()
    assert json.loads(header) == {"cassette": 1}
    return [json.loads(each) for each in found]


def user(*texts: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text} for text in texts]


@pytest.fixture
def recorded(path: Path, provider: Any, run: Any) -> Any:
    """Records requests from a provider, which is gone afterwards."""

    def record(
        behave: Any, requests: Sequence[Any], mode: str = "missing", **settings: Any
    ) -> Provider:
        made: Provider = provider(behave)
        asking = run(endpoint(made, "real", **settings), tape(path, mode))
        for messages in requests:
            asking.message(messages)
        made.close()
        return made

    return record


def test_what_is_recorded_is_replayed_without_the_provider(
    recorded: Any, path: Path, run: Any
) -> None:
    call = tool_call("look", '{"at": "here"}', call_id="call_x7")
    answer = completion(None, tool_calls=[call], reasoning_content="I should look")
    made = recorded(answers(answer), [HELLO], stream=False)
    [line] = lines(path)
    assert line["completion"] == answer
    assert line["request"] == {"messages": HELLO}

    replay: Run = run(tape(path, "never"))
    assert replay.message() == answer["choices"][0]["message"]
    assert len(made.asked) == 1
    figures = replay.figures.models["m"]
    assert (figures.prompt_tokens, figures.completion_tokens) == (20, 5)


def test_a_cassette_that_may_record_asks_only_for_what_is_missing(
    recorded: Any, path: Path
) -> None:
    recorded(says("one"), [HELLO])
    made = recorded(says("two"), [HELLO, user("other")])
    assert [each["messages"] for each in made.asked] == [user("other")]
    assert len(lines(path)) == 2


def test_repeated_requests_get_their_answers_in_order_and_the_last_for_ever(
    recorded: Any, path: Path, run: Any
) -> None:
    recorded(in_turn(says("one"), says("two")), [HELLO, HELLO])
    replay: Run = run(tape(path, "never"))
    assert [replay.text() for _ in range(4)] == ["one", "two", "two", "two"]


def test_recording_everything_replaces_the_answers_to_the_same_request(
    recorded: Any, path: Path, run: Any
) -> None:
    recorded(says("old"), [HELLO, user("kept")])
    recorded(in_turn(says("new"), says("newer")), [HELLO, HELLO], "all")
    replay: Run = run(tape(path, "never"))
    assert [replay.text() for _ in range(3)] == ["new", "newer", "newer"]
    assert replay.text(user("kept")) == "old"


def test_a_replay_is_shown_as_it_grows_and_counts_for_budgets(
    recorded: Any, path: Path, run: Any
) -> None:
    recorded(says("hello"), [HELLO])
    budget = Budget(whole=Allowance(tokens=10_000), per_agent=Allowance(calls=1))
    replay: Run = run(tape(path, "never"), deltas=True, budget=budget)
    assert replay.text() == "hello"
    assert [each.text for each in replay.deltas()] == ["hello"]
    assert replay.figures.models["m"].prompt_tokens == USAGE["prompt_tokens"]
    assert replay.error()[1] == "budget_exhausted"


def test_a_refusal_is_not_recorded(path: Path, provider: Any, run: Any) -> None:
    asking: Run = run(endpoint(provider(refuses(401, "no")), "real"), tape(path))
    assert asking.error()[0] == 401
    assert not path.exists()


@pytest.mark.parametrize(
    ("asked", "more", "told"),
    [
        (
            [*user("count the files in a"), {"role": "assistant", "content": "10"}],
            {},
            "message 2 (assistant) was `9` and is `10`",
        ),
        (user("count the files in b"), {}, "message 1 (user) was `…nt the files in a` and is"),
        (user("count the files in a"), {}, "message 2 (assistant) was recorded besides: `9`"),
        (
            [*user("count the files in a"), {"role": "assistant", "content": "9"}, *user("why?")],
            {},
            "message 3 (user) was asked besides: `why?`",
        ),
        (
            [*user("count the files in a"), {"role": "assistant", "content": "9"}],
            {"temperature": 0.5},
            "`temperature` was `null` and is `0.5`",
        ),
    ],
)
def test_a_miss_names_the_nearest_request_and_the_first_difference(
    recorded: Any, path: Path, run: Any, asked: Any, more: Any, told: str
) -> None:
    near = [*user("count the files in a"), {"role": "assistant", "content": "9"}]
    recorded(says("x"), [user("something else"), near])
    replay: Run = run(tape(path, "never"))
    status, code, words = replay.error(asked, more=more)
    assert (status, code) == (400, "invalid_request")
    assert f"nearest is recording 2, but {told}" in words
    assert 'with `record = "missing"`' in words
    assert len(words) < 600


def test_a_miss_of_an_empty_cassette(path: Path, run: Any) -> None:
    assert "nothing is recorded" in run(tape(path, "never")).error()[2]


def test_what_differs_from_run_to_run_makes_no_other_request() -> None:
    def request(call_id: str, day: str, **more: Any) -> dict[str, Any]:
        system = f"You are an agent.\nCurrent date: {day} (UTC)\nBe brief."
        messages = [{"role": "system", "content": system}, *user("hi")]
        for turn in ("a", "b"):
            call = tool_call("look", "{}", call_id + turn)
            messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": call_id + turn, "content": turn})
        return {"messages": messages, **more}

    one = canonical(request("call_", "Monday, 2026-01-05", model="a", stream=True, tools=[]))
    other = canonical(request("toolu_", "Friday, 2027-02-05", model="b", user="u"))
    assert digest(one) == digest(other)
    assert canonical(one) == one
    warm = canonical(request("call_", "Monday, 2026-01-05", temperature=1))
    assert digest(warm) != digest(one)
    swapped = request("call_", "Monday, 2026-01-05")
    swapped["messages"][3]["tool_call_id"] = "call_b"
    assert digest(canonical(swapped)) != digest(one)


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_torn_last_line_is_left_out_and_written_over(
    recorded: Any, path: Path, run: Any, cut: int
) -> None:
    recorded(says("one"), [HELLO])
    whole = path.read_bytes()
    recorded(says("two"), [user("other")])
    path.write_bytes(path.read_bytes()[: -1 - cut])
    assert run(tape(path, "never")).text() == "one"
    recorded(says("three"), [user("third")])
    assert path.read_bytes().startswith(whole)
    assert [each["request"]["messages"] for each in lines(path)] == [HELLO, user("third")]


def test_a_missing_newline_and_a_torn_header(recorded: Any, path: Path) -> None:
    path.write_bytes(HEADER[:6])
    recorded(says("one"), [HELLO])
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    recorded(says("two"), [user("other")])
    assert len(lines(path)) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[[rules]]\n", "line 1 is not `"),
        (b'{"cassette": 2}\n', "line 1: version 2 is not known"),
        (HEADER + b"{\n", "line 2 is not a JSON object"),
        (HEADER + b'{"request": {}}\n', "line 2 has no `request`"),
        (HEADER + b'{"request": {"messages": []}, "completion": {}}\n', "line 2 has no `comp"),
        (HEADER + b'{"request": NaN}\n', "line 2 is not a JSON object"),
    ],
)
def test_damaged_lines(content: bytes, reason: str) -> None:
    with pytest.raises(DamagedCassette) as caught:
        read_cassette(content)
    assert reason in str(caught.value)


def test_a_cassette_is_known_by_its_header() -> None:
    assert is_cassette(HEADER)
    assert is_cassette(b'{"cassette": 2}')
    assert not is_cassette(b'[[rules]]\nanswer = { text = "x" }\n')
    assert not is_cassette(b"")


def test_many_threads_and_two_runs_record_into_one_file(
    path: Path, provider: Any, run: Any
) -> None:
    together = threading.Barrier(8)

    def echo(visit: Visit) -> None:
        if visit.number <= 8:
            together.wait(60)
        visit.json(completion(visit.body["messages"][0]["content"] * 400))

    made = provider(echo)
    real = endpoint(made, "real", stream=False)
    runs = [run(real, tape(path)), run(real, tape(path))]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: runs[n % 2].text(user(f"<{n}>")), range(40)))
    replay: Run = run(tape(path, "never"))
    for number in range(40):
        assert replay.text(user(f"<{number}>")) == f"<{number}>" * 400
    assert len(lines(path)) == 40


def test_no_secret_is_in_the_file(
    recorded: Any, path: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAPE_KEY", KEY)
    asked = user(f"is it\n{SECRET}?")
    recorded(says(f"no: {KEY}"), [asked], api_key={"env": "TAPE_KEY"}, headers={"X-A": "b-c-d"})
    text = path.read_text()
    assert [each for each in (KEY, SECRET, "b-c-d", "Bearer") if each in text] == []
    monkeypatch.delenv("TAPE_KEY")
    assert run(tape(path, "never")).text(asked) == "no: ***"


def test_an_answer_that_cannot_be_recorded_is_given_all_the_same(
    tmp_path: Path, provider: Any, run: Any
) -> None:
    gone = tmp_path / "gone" / "m.cassette.jsonl"
    asking: Run = run(endpoint(provider(says("hello")), "real"), tape(gone))
    assert asking.text() == "hello"
    assert "the answer is not recorded: cannot write" in str(asking.events())


def test_a_cassette_of_a_cassette(path: Path, run: Any) -> None:
    assert "is a cassette itself" in run(tape(path, model="m")).error()[2]


def test_a_proxy_that_was_recorded_is_not_needed_for_replaying(path: Path) -> None:
    proxy = {"command": ["a-litellm-that-is-not-here"]}
    settings = {"entries": [{"model": "bedrock/x"}], "proxy": proxy}
    real = Model(name="real", kind="litellm", settings=settings)
    Directory([real, tape(path, "never", model="real")], ["m"]).prepare()
    for models, needed in (
        ([real, tape(path, "never", model="real")], ["m", "real"]),
        ([real, tape(path)], ["m"]),
    ):
        with pytest.raises(UnusableModel):
            Directory(models, needed).prepare()


def test_recording_with_run_and_replaying_offline(project: Project, provider: Any) -> None:
    made = provider(says("hello from afar"))
    real = f'\n[models.real]\nkind = "endpoint"\nbase_url = "{made.url}"\nmodel = "fake"\n'
    project.write(SYSTEM + TAPE + 'model = "real"\n' + real)
    shown = project.wasmind("models", "app.toml").stdout
    assert "cassette smart.cassette.jsonl: 0 recorded, records missing from real" in shown
    done = project.wasmind("run", "app.toml", "--prompt", "hi", CI="true")
    assert (done.returncode, done.stdout) == (0, "hello from afar\n"), done.stderr
    assert len(lines(project.root / "smart.cassette.jsonl")) == 1
    made.close()

    again = project.wasmind("run", "app.toml", "--prompt", "hi")
    assert (again.returncode, again.stdout) == (0, "hello from afar\n"), again.stderr

    project.write(SYSTEM + TAPE, "offline.toml")
    assert project.wasmind("bundle", "offline.toml", "-o", "bundle").returncode == 0
    spec = ("--model", "smart.cassette.jsonl")
    for target in (("offline.toml",), ("bundle",), ("bundle", *spec), ("app.toml", *spec)):
        done = project.wasmind("run", *target, "--prompt", "hi")
        assert (done.returncode, done.stdout) == (0, "hello from afar\n"), done.stderr
    missed = project.wasmind("run", "bundle", "--prompt", "ho")
    assert missed.returncode == 1
    assert "was `hi` and is `ho`" in missed.stderr
    assert "cassette smart.cassette.jsonl: 1 recorded" in project.wasmind("models", "bundle").stdout

    (project.root / "smart.cassette.jsonl").write_bytes(HEADER + b"[]\n")
    refused = project.wasmind("run", "bundle", *spec, "--prompt", "hi")
    assert refused.returncode == 2
    assert "a damaged cassette: line 2 is not a JSON object" in refused.stderr


@pytest.mark.parametrize(
    ("more", "content", "told"),
    [
        ("", None, "WM0615 app.toml:7:8 the cassette `smart.cassette.jsonl` does not exist"),
        ('record = "never"\nmodel = "ollama/x"\n', None, "WM0615 app.toml:7:8 the cassette"),
        ('model = "ollama/x"\n', None, ""),
        (
            'record = "all"\n',
            HEADER,
            'WM0615 app.toml:8:10 `record = "all"` needs a `model` to ask',
        ),
        ("", HEADER + b"{\n", "damaged: line 2 is not a JSON object"),
        ('model = "nobody"\n', HEADER, "WM0601 app.toml:8:9 unknown model `nobody` in the cass"),
        ("", HEADER + b'{"requ', ""),
    ],
)
def test_what_check_says(tmp_path: Path, more: str, content: bytes | None, told: str) -> None:
    sources = Sources(tmp_path / "project", quiet=set(ABOUT_ACTORS))
    sources.actor("desk")
    if content is not None:
        (sources.root / "smart.cassette.jsonl").write_bytes(content)
    desk = 'starting_actors = ["desk"]\n[actors.desk]\nsource = { path = "desk" }\n'
    found = sources.found(desk + TAPE + more)
    assert told in "\n".join(found)
    assert bool(found) == bool(told)
