"""Log records of a run: which are wanted, and a file for them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

import click

from wasmind.cli import terminal
from wasmind.runtime.events import Event, Failure, LogRecord, ModelCall, ModelRetry, Stopped
from wasmind.visible import json_visible, visible_line

LEVELS: Final = ("debug", "info", "warn", "error", "off")


@dataclass(frozen=True, slots=True)
class LogLevels:
    """The least level that is wanted, for all actors and for some of them."""

    default: str = "info"
    actors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, settings: Sequence[str], default: str = "info") -> LogLevels:
        """From `LEVEL` and `ACTOR=LEVEL`, also several separated by commas.

        Raises:
            click.BadParameter: something else.
        """
        actors: dict[str, str] = {}
        for setting in ",".join(settings).split(","):
            name, equals, level = setting.strip().rpartition("=")
            if not level:
                continue
            if level not in LEVELS:
                raise click.BadParameter(f"`{level}` is none of {', '.join(LEVELS)}")
            if equals:
                actors[name] = level
            else:
                default = level
        return cls(default, actors)

    def wants(self, record: LogRecord) -> bool:
        """Whether a record is wanted."""
        least = self.actors.get(record.actor, self.default)
        return LEVELS.index(record.level) >= LEVELS.index(least)


class LogFile:
    """Log records and failures of a run, one line each; JSON when the name ends in `.jsonl`."""

    def __init__(self, path: Path, levels: LogLevels) -> None:
        self._levels = levels
        self._failed = False
        self._json = path.suffix in (".jsonl", ".json")
        try:
            self._file: TextIO = path.open("a", encoding="utf-8")
        except OSError as error:
            raise click.BadParameter(f"cannot write `{path}`: {error.strerror}") from None

    def see(self, event: Event) -> None:
        """Write an event, if it is one for the log."""
        match event:
            case LogRecord() if self._levels.wants(event):
                self._write(event.level, event.actor, event.scope, event.text, event.id)
            case Failure():
                text = f"failed: {event.reason}; {event.outcome}"
                if event.traceback:
                    text = f"{text}\n{event.traceback}"
                self._write("error", event.actor, event.scope, text, None)
            case ModelRetry():
                text = f"{event.model}: {event.reason}; attempt {event.attempt} of {event.attempts}"
                self._write("warn", event.actor, event.scope, text, event.id)
            case ModelCall(error=str(error), final=True):
                text = f"no answer of {event.model}: {error}"
                self._write("error", event.actor, event.scope, text, event.id)
            case Stopped(reason=str(reason)):
                self._write("error", "runtime", "", f"stopped: {reason}", None)

    def close(self) -> None:
        """Write what is buffered."""
        with suppress(OSError):  # reported when it was written
            self._file.close()

    def _write(self, level: str, actor: str, scope: str, text: str, message: str | None) -> None:
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        if self._json:
            fields = {"time": time, "level": level, "actor": actor, "scope": scope}
            document = {**fields, "id": message, "text": text}
            line = json_visible(json.dumps(document, ensure_ascii=False))
        else:
            # One record, one line: what an actor says cannot look like a record of another.
            shown = visible_line(text.replace("\\", "\\\\"))
            line = f"{time} {level:<5} {visible_line(actor)}@{scope} {message or '-'} {shown}"
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:  # a full disk must not end the run
            if not self._failed:
                terminal.say(f"warning: cannot write the log: {error.strerror}")
            self._failed = True
