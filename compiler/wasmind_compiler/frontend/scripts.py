"""The rules files of scripted models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.diagnostics.rules import models
from wasmind_compiler.display import Display
from wasmind_compiler.frontend.app_config import AppConfig, ModelEntry
from wasmind_compiler.frontend.document import Document, parse
from wasmind_compiler.frontend.limits import read_bounded
from wasmind_compiler.frontend.schemas import Schemas


def read_scripts(
    config: AppConfig, folder: Path, schemas: Schemas, display: Display, collector: Collector
) -> Mapping[str, Document]:
    """The checked scripts of all scripted models, by model name.

    Args:
        config: the config.
        folder: what paths of scripts are relative to.
        schemas: for the scripts.
        display: names of files as shown to people.
        collector: takes what is wrong with scripts.
    """
    scripts = {}
    for model in config.models:
        if model.kind == "scripted" and isinstance(model.settings.get("script"), str):
            path = folder / model.settings["script"]
            document = _read(model, path, display, collector)
            if document is not None:
                schemas.check(document, "model-script", collector)
                scripts[model.name.text] = document
    return scripts


def _read(model: ModelEntry, path: Path, display: Display, collector: Collector) -> Document | None:
    try:
        content = read_bounded(path)
    except OSError as error:
        span = model.name.document.value((*model.name.path, "script"))
        message = f"cannot read the script `{display(path)}`: {error.strerror}"
        collector.add(models.SCRIPT_NOT_FOUND.at(span, message))
        return None
    return parse(display(path), content, collector)
