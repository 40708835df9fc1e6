"""A model that replays recorded answers, and records those it has not from another model."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from wasmind.cassettes import HEADER, DamagedCassette, Recording, read_cassette
from wasmind.models.endpoint import Endpoint
from wasmind.models.errors import Code, ModelError
from wasmind.models.recordings import Canonical, canonical, digest, explain_miss, scrubbed
from wasmind.models.secret import Secret
from wasmind.models.upstream import Completion, Request, Upstream, Watch

_HOW: Final = (
    "to record it, give the cassette a `model` and run the config, not a bundle of it, with "
    '`record = "missing"`, or `record = "all"` to record everything anew'
)


class Cassette:
    """Replays answers in the order in which they were recorded, the last one again and again.

    Used from any thread. What is recorded now is not replayed before the next run: whoever asks
    the same twice wants two answers.

    Args:
        name: the model's, for people.
        recordings: what is recorded so far.
        recorder: records what is missing; None to replay only.
    """

    def __init__(
        self, name: str, recordings: Sequence[Recording], recorder: Recorder | None = None
    ) -> None:
        self._name = name
        self._recorder = recorder
        self._lock = threading.Lock()
        self._requests: dict[str, Canonical] = {}
        self._answers: dict[str, list[Completion]] = {}
        self._replayed: dict[str, int] = {}
        for each in () if recorder is not None and recorder.anew else recordings:
            request = canonical(each["request"])
            key = digest(request)
            self._requests[key] = request
            if each.get("anew") is True:
                self._answers[key] = []
            self._answers.setdefault(key, []).append(each["completion"])

    @property
    def label(self) -> str:
        """What is asked, for people."""
        recorder = self._recorder
        return "a cassette" if recorder is None else f"{recorder.upstream.label}, recorded"

    def ask(self, request: Request, watch: Watch) -> Completion:
        """The recorded answer, or a new one; ModelError if there is neither."""
        asked = canonical(request)
        key = digest(asked)
        completion = self._next(key)
        if completion is not None:
            content = completion["choices"][0]["message"].get("content")
            if watch.delta is not None and isinstance(content, str) and content:
                watch.came()
                watch.delta("text", content)
            return completion
        if self._recorder is None:
            text = f"the cassette `{self._name}` has no answer to this request: "
            text += explain_miss(asked, list(self._requests.values()))
            raise ModelError(400, text, Code.INVALID_REQUEST, advice=_HOW)
        return self._recorder.ask(request, asked, key, watch)

    def close(self) -> None:
        """Nothing is open; the model that is recorded is closed by itself."""

    def _next(self, key: str) -> Completion | None:
        with self._lock:
            answers = self._answers.get(key)
            if answers is None:
                return None
            position = self._replayed.get(key, 0)
            self._replayed[key] = position + 1
            return answers[min(position, len(answers) - 1)]


class Recorder:
    """Asks a model and appends its answers to a cassette. Used from any thread.

    Args:
        path: of the cassette; made if it is not there.
        upstream: the model.
        anew: earlier answers to what is asked no longer count.
    """

    def __init__(self, path: Path, upstream: Upstream, *, anew: bool) -> None:
        self._path = path
        self.upstream = upstream
        self.anew = anew
        self._lock = threading.Lock()
        self._renewed: set[str] = set()

    def ask(self, request: Request, asked: Canonical, key: str, watch: Watch) -> Completion:
        """The model's answer; that it could not be recorded is a warning, as it has been paid."""
        completion = self.upstream.ask(request, watch)
        secrets = tuple(self._secrets())
        recording: dict[str, Any] = {
            "request": scrubbed(asked, secrets),
            "completion": scrubbed(completion, secrets),
        }
        try:
            with self._lock:
                if self.anew and key not in self._renewed:
                    recording["anew"] = True
                append(self._path, recording)
                self._renewed.add(key)
        except (OSError, DamagedCassette) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            watch.warn(f"the answer is not recorded: cannot write `{self._path}`: {reason}")
        return completion

    def _secrets(self) -> Iterable[Secret]:
        if isinstance(self.upstream, Endpoint):
            # It has answered, so that its key has been read.
            secret = self.upstream.target.key()
            if secret is not None:
                yield secret


def append(path: Path, recording: Recording) -> None:
    """Add a line to a cassette, whole or not at all, whoever else does so.

    Raises:
        OSError: it cannot be written.
        DamagedCassette: the file is something else.
    """
    line = json.dumps(recording, sort_keys=True, ensure_ascii=False, allow_nan=False)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        end = _end(descriptor)
        data = line.encode() + b"\n"
        data = data if end else HEADER + data
        # What comes behind the end is the torn line of a run that was killed.
        os.ftruncate(descriptor, end)
        if end and os.pread(descriptor, 1, end - 1) != b"\n":
            data = b"\n" + data
        try:
            if os.write(descriptor, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.ftruncate(descriptor, end)
            raise
    finally:
        os.close(descriptor)


def _end(descriptor: int) -> int:
    """Where the last whole line ends. Reads the file only if its last line has no newline."""
    size = os.fstat(descriptor).st_size
    if not size or os.pread(descriptor, 1, size - 1) == b"\n":
        return size
    return read_cassette(os.pread(descriptor, size, 0)).whole
