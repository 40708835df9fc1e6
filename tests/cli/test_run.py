"""The whole way from a config to an answer, through the installed console script."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.observing import DEADLINE, FOR_EVER, is_running, wait_for, wait_for_text

ROOT = Path(__file__).parents[2]
SCRIPT = Path(sys.executable).with_name("wasmind")
EXAMPLE = ROOT / "example_configs" / "offline_assistant.toml"
PROMPT = "How many Python files are in the folder {}?"

pytestmark = pytest.mark.skipif(
    not SCRIPT.exists(), reason="wasmind is not installed beside this Python"
)


def wasmind(*arguments: str | Path, cwd: Path, **options: object) -> subprocess.CompletedProcess:
    """Run the console script; it shares the user's cache, so the interpreter is built once."""
    return subprocess.run(
        [SCRIPT, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=300
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three Python files, and one that is none."""
    folder = tmp_path / "files"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.py", "b.py", "deep/c.py", "readme.txt"):
        (folder / name).touch()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the example that can be changed."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("offline_assistant.toml", "offline_assistant.model.toml"):
        text = (ROOT / "example_configs" / name).read_text()
        (project / name).write_text(text.replace("../actors/", f"{ROOT}/actors/"))
    return project


def test_config_to_answer(project: Path, folder: Path, tmp_path: Path) -> None:
    done = wasmind(
        "run", project / "offline_assistant.toml", "--prompt", PROMPT.format(folder), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "There are 3 Python files.\n"
    assert "calls execute_bash" in done.stderr
    assert any(line.split() == ["bash", "3"] for line in done.stderr.splitlines())


NOTES = """
from wasmind_actor import Actor, files, log


class Notes(Actor):
    def start(self):
        log.warn("reads " + files.read("note.txt").decode())
"""


@pytest.fixture
def notes(project: Path) -> Path:
    """The example with an actor that reads a file of the folder it is started in."""
    actor = project / "notes"
    actor.mkdir()
    (actor / "Wasmind.toml").write_text('actor_id = "test:notes"\n')
    (actor / "actor.py").write_text(NOTES)
    config = project / "offline_assistant.toml"
    text = config.read_text().replace("starting_actors = [", 'starting_actors = ["notes", ')
    config.write_text(text + '\n[actors.notes]\nsource = { path = "notes" }\n')
    return config


def test_the_folder_of_the_run_is_what_relative_grants_mean(
    notes: Path, folder: Path, tmp_path: Path
) -> None:
    (folder / "note.txt").write_text("the note")
    relative = ("--directory", "files", "--prompt", PROMPT.format("deep"))
    done = wasmind("run", "project/offline_assistant.toml", *relative, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "There are 1 Python files.\n"), done.stderr
    assert f"Granting `notes` may read and change files below {folder}\n" in done.stderr
    assert "reads the note" in done.stderr


def test_a_run_in_the_home_folder_gives_it_to_nobody(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "XDG_CACHE_HOME", os.environ.get("XDG_CACHE_HOME") or f"{Path.home()}/.cache"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    done = wasmind("run", notes, "--prompt", "x", cwd=tmp_path)
    assert done.returncode == 2
    assert f"that is `{tmp_path}` here, your home folder: start the run in another" in done.stderr


def test_a_granted_folder_that_does_not_exist_is_told(notes: Path, tmp_path: Path) -> None:
    grants = '[actors.notes.grants]\nfilesystem = { read = ["gone"] }\n'
    notes.write_text(notes.read_text() + grants)
    done = wasmind("run", notes, "--prompt", "x", cwd=tmp_path)
    assert "the granted folder `gone` does not exist" in done.stderr


def test_a_bundle_answers_from_anywhere_until_a_byte_of_it_changes(
    project: Path, folder: Path, tmp_path: Path
) -> None:
    made = wasmind("bundle", "offline_assistant.toml", "-o", "bundle", cwd=project)
    assert made.returncode == 0, made.stderr
    bundle = shutil.move(project / "bundle", tmp_path / "elsewhere")
    (tmp_path / "cwd").mkdir()
    done = wasmind("run", bundle, "--prompt", PROMPT.format(folder), cwd=tmp_path / "cwd")
    assert (done.returncode, done.stdout) == (0, "There are 3 Python files.\n"), done.stderr

    for path in sorted(path for path in Path(bundle).rglob("*") if path.is_file()):
        original = path.read_bytes()
        changed = bytearray(original)
        changed[len(changed) // 2] ^= 1
        path.write_bytes(changed)
        refused = wasmind("run", bundle, "--prompt", "x", cwd=tmp_path)
        assert refused.returncode == 2, path
        assert f"`{path.relative_to(bundle).as_posix()}`" in refused.stderr
        path.write_bytes(original)


def test_events_as_json_lines(project: Path, folder: Path, tmp_path: Path) -> None:
    done = wasmind(
        "run",
        project / "offline_assistant.toml",
        "--format=jsonl",
        "--stats",
        "--prompt",
        PROMPT.format(folder),
        cwd=tmp_path,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"event": "answer", "text": "There are 3 Python files."} in events
    schema = json.loads((ROOT / "schemas" / "event.schema.json").read_text())
    for event in events:
        jsonschema.validate(event, schema)
    sequence = [event["sequence"] for event in events if event["event"] == "message"]
    assert sequence == list(range(1, len(sequence) + 1))
    assert events[-1]["event"] == "summary"
    assert events[-1]["actors"]["assistant"]["tokens"] > 0


def test_a_conversation_on_standard_input(project: Path, folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [SCRIPT, "run", project / "offline_assistant.toml"],
        input=f"{PROMPT.format(folder)}\n\n{PROMPT.format(folder / 'deep')}\n",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "There are 3 Python files.\nThere are 1 Python files.\n"


DUMB = """
[[rules]]
when = { role = "user", contains = "count" }
answer.text = "one, two, three"
"""


def test_a_model_that_fails_is_an_error_that_says_why(project: Path, tmp_path: Path) -> None:
    (project / "offline_assistant.model.toml").write_text(DUMB)
    done = wasmind(
        "run", project / "offline_assistant.toml", "--prompt", "tell me a joke", cwd=tmp_path
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "no rule of the script matches" in done.stderr


def test_logs_are_kept_in_a_file(project: Path, folder: Path, tmp_path: Path) -> None:
    (project / "offline_assistant.model.toml").write_text(DUMB)
    log = tmp_path / "run.jsonl"
    wasmind(
        "run",
        project / "offline_assistant.toml",
        "--log-file",
        log,
        "--prompt",
        "tell me a joke",
        cwd=tmp_path,
    )
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert {record["level"] for record in records} <= {"info", "warn", "error"}
    assert any(record["actor"] == "assistant" for record in records)


@pytest.mark.parametrize("target", ["missing.toml", "missing-folder/", "."])
def test_what_cannot_be_run_is_an_error_of_usage(tmp_path: Path, target: str) -> None:
    done = wasmind("run", target, "--prompt", "x", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")


SLOW = """
[[rules]]
when = { role = "user", contains = "model" }
answer = { text = "late", delay_seconds = 3600 }

[[rules]]
when = { role = "user", contains = "command" }
answer.tool_calls = [{ name = "execute_bash", arguments = { command = "COMMAND", timeout = 600 } }]
"""


def for_ever(pid_file: Path) -> str:
    """A command that ends only when it is ended, and who it is."""
    return f"echo $$ > {pid_file}; exec {FOR_EVER}"


@pytest.mark.parametrize("what", ["model", "command"])
def test_ctrl_c_ends_what_would_last_for_ever(project: Path, tmp_path: Path, what: str) -> None:
    pid_file = tmp_path / "pid"
    script = SLOW.replace("COMMAND", for_ever(pid_file))
    (project / "offline_assistant.model.toml").write_text(script)
    running, log = start(project, tmp_path, f"a slow {what}")
    if what == "model":
        wait_for(lambda: "assistant.Request" in log.read_text())
    else:
        wait_for_text(pid_file)
    running.send_signal(signal.SIGINT)
    assert ended(running) == 130, log.read_text()
    if what == "command":
        wait_for(lambda: not is_running(int(pid_file.read_text())))


def start(project: Path, cwd: Path, prompt: str) -> tuple[subprocess.Popen, Path]:
    """A run in a process group of its own, and the file of what it prints."""
    log = cwd / "printed"
    config = project / "offline_assistant.toml"
    with log.open("w") as file:
        running = subprocess.Popen(
            [SCRIPT, "run", config, "--format", "jsonl", "--prompt", prompt],
            stdout=file,
            stderr=file,
            cwd=cwd,
            start_new_session=True,
        )
    return running, log


def ended(running: subprocess.Popen) -> int:
    """The exit code; what does not end by itself is not left behind by a failing test."""
    try:
        return running.wait(timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        raise


COMPUTES = "log.info('at it')\n        while True:\n            pass"
WAITS = "command.run('sh', '-c', COMMAND)"
STUBBORN = {
    "construction that computes": ("start", COMPUTES),
    "construction that waits": ("start", WAITS),
    "shutdown that computes": ("stop", COMPUTES),
    "shutdown that waits": ("stop", WAITS),
}


def stubborn(folder: Path, what: str) -> list[str]:
    """Write a config with an actor that does not end, and the arguments to run it."""
    method, body = STUBBORN[what]
    (folder / "stubborn").mkdir()
    (folder / "stubborn" / "Wasmind.toml").write_text('actor_id = "test:stubborn"\n')
    (folder / "stubborn" / "actor.py").write_text(
        "from wasmind_actor import Actor, command, log, on\n"
        "from wasmind_actor.messages import AddMessage\n\n"
        f"COMMAND = {for_ever(folder / 'pid')!r}\n\n\n"
        f"class Stubborn(Actor):\n    def {method}(self):\n        {body}\n\n"
        "    @on(AddMessage)\n    def add(self):\n        log.info('in add')\n"
    )
    (folder / "app.toml").write_text(
        'starting_actors = ["stubborn"]\n\n[actors.stubborn]\n'
        'source = { path = "stubborn" }\nlimits = { compute_seconds = 3600 }\n'
    )
    assert wasmind("check", "app.toml", cwd=folder).returncode == 0
    return ["run", "app.toml", "--prompt", "x", "--log-file", str(folder / "log")]


@pytest.mark.parametrize("what", STUBBORN)
def test_ctrl_c_ends_stubborn_actors(tmp_path: Path, what: str) -> None:
    running = subprocess.Popen(
        [SCRIPT, *stubborn(tmp_path, what)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        start_new_session=True,
    )
    if what == "construction that waits":
        wait_for_text(tmp_path / "pid")
    else:
        wait_for_text(tmp_path / "log", "in add" if "shutdown" in what else "at it")
    running.send_signal(signal.SIGINT)
    assert ended(running) == 130
    pid_file = tmp_path / "pid"
    wait_for(lambda: not pid_file.exists() or not is_running(int(pid_file.read_text())))


PATIENT = """
import wasmind.cli.run
from wasmind.__main__ import main
wasmind.cli.run._STOP_SECONDS = 3600
main()
"""


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    printed = tmp_path / "printed"
    with printed.open("w") as file:
        running = subprocess.Popen(
            [sys.executable, "-c", PATIENT, *stubborn(tmp_path, "shutdown that computes")],
            stdout=file,
            stderr=file,
            cwd=tmp_path,
            start_new_session=True,
        )
    log = tmp_path / "log"
    wait_for_text(log, "in add")
    running.send_signal(signal.SIGINT)
    wait_for_text(log, "at it")
    wait_for_text(printed, "Ctrl-C once more ends at once")
    running.send_signal(signal.SIGINT)
    assert ended(running) == 130


def test_time_out(project: Path, tmp_path: Path) -> None:
    (project / "offline_assistant.model.toml").write_text(SLOW)
    done = wasmind(
        "run",
        project / "offline_assistant.toml",
        "--timeout=1",
        "--prompt",
        "a slow model",
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "no answer within 1 s; waiting for a script (" in done.stderr


def test_clean_says_what_it_removed_and_info_what_there_is(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "native").mkdir(parents=True)
    (cache / "native" / "x.cwasm").write_bytes(b"x" * 2048)
    environment = {**os.environ, "WASMIND_CACHE_DIR": str(cache)}

    def run(*arguments: str) -> str:
        return subprocess.run(
            [SCRIPT, *arguments], capture_output=True, text=True, env=environment, check=True
        ).stdout

    assert f"{cache}  (2.0 KiB in 1 files)" in run("info")
    assert run("clean", "--dry-run").splitlines()[-1].startswith("would remove 2.0 KiB in 1 files")
    assert (cache / "native" / "x.cwasm").exists()
    assert run("clean").splitlines()[-1] == f"removed 2.0 KiB in 1 files: {cache}"
    assert [path.name for path in cache.iterdir()] == ["in-use.lock"]
    assert run("clean") == f"nothing to clean: {cache}\n"


@pytest.mark.parametrize("verb", ["run", "clean", "info"])
def test_help(verb: str, tmp_path: Path) -> None:
    done = wasmind(verb, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) > 5
