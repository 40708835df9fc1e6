"""The files of cassettes: what is recorded is put into the plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias

from wasmind.cassettes import DamagedCassette, Recording, read_cassette
from wasmind_compiler.diagnostics import Collector, Span
from wasmind_compiler.diagnostics.rules import models
from wasmind_compiler.diagnostics.suggestions import advice
from wasmind_compiler.display import Display
from wasmind_compiler.frontend.app_config import AppConfig, ModelEntry
from wasmind_compiler.frontend.key_path import quoted
from wasmind_compiler.frontend.limits import read_bounded

Cassettes: TypeAlias = Mapping[str, tuple[Recording, ...]]

_MOST_MIB: Final = 64


def read_cassettes(
    config: AppConfig, folder: Path, display: Display, collector: Collector
) -> Cassettes:
    """What is recorded in all cassettes, by model name.

    Args:
        config: the config.
        folder: what paths of cassettes are relative to.
        display: names of files as shown to people.
        collector: takes what is wrong with them.
    """
    found = {}
    for model in config.models:
        if model.kind == "cassette" and isinstance(model.settings.get("file"), str):
            try:
                found[model.name.text] = _read(model, folder, display)
            except _Unusable as fault:
                collector.add(models.CASSETTE.at(fault.span, str(fault), help=fault.cure))
    return found


class _Unusable(Exception):
    def __init__(self, span: Span, message: str, cure: str | None = None) -> None:
        super().__init__(message)
        self.span = span
        self.cure = cure


def _read(model: ModelEntry, folder: Path, display: Display) -> tuple[Recording, ...]:
    source, record = model.settings.get("model"), model.settings.get("record")
    if source is None and record in ("missing", "all"):
        text = f'`record = "{record}"` needs a `model` to ask'
        cure = f'add `model = "PROVIDER/MODEL"`, or the name of another model, beside `{record}`'
        raise _Unusable(_span(model, "record"), text, cure)
    name, span = model.settings["file"], _span(model, "file")
    if "\0" in name:
        text = f"no file can be called `{quoted(name)}`"
        raise _Unusable(span, text, "correct the path")
    path = folder / name
    shown = display(path)
    try:
        content = read_bounded(path, _MOST_MIB << 20)
    except FileNotFoundError:
        if source is not None and record != "never":
            return ()  # made by the first run
        near = [each.name for each in path.parent.glob("*.jsonl")]
        makes = "a run with `model` and without `record` makes it"
        cure = advice(path.name, near, "files there") or makes
        raise _Unusable(span, f"the cassette `{shown}` does not exist", cure) from None
    except OSError as error:
        text = f"cannot read the cassette `{shown}`: {error.strerror}"
        raise _Unusable(span, text) from None
    if len(content) > _MOST_MIB << 20:
        raise _Unusable(span, f"the cassette `{shown}` has more than {_MOST_MIB} MiB")
    try:
        return read_cassette(content).recordings
    except DamagedCassette as error:
        text = f"the cassette `{shown}` is damaged: {error}"
        cure = "remove the line, or the file, and record it again"
        raise _Unusable(span, text, cure) from None


def _span(model: ModelEntry, key: str) -> Span:
    return model.name.document.value((*model.name.path, key))
