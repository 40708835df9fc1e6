"""The rules files of scripted models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from wasmind_compiler.diagnostics import Collector, Diagnostic, Edit, Fix, Span
from wasmind_compiler.diagnostics.rules import models
from wasmind_compiler.diagnostics.suggestions import advice, nearest
from wasmind_compiler.display import Display
from wasmind_compiler.frontend.app_config import AppConfig, ModelEntry
from wasmind_compiler.frontend.document import Document, parse
from wasmind_compiler.frontend.key_path import quoted
from wasmind_compiler.frontend.limits import read_bounded
from wasmind_compiler.frontend.schemas import Schemas

_PLACEHOLDER: Final = "${"


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
                if _PLACEHOLDER in document.index.text:
                    # Loaded only for scripts that insert something.
                    from wasmind_compiler.frontend.script_findings import unknown_groups

                    collector.extend(unknown_groups(document))
                scripts[model.name.text] = document
    return scripts


def _read(model: ModelEntry, path: Path, display: Display, collector: Collector) -> Document | None:
    if "\0" in model.settings["script"]:
        message = f"no file can be called `{quoted(model.settings['script'])}`"
        collector.add(models.SCRIPT_NOT_FOUND.at(_span(model), message, help="correct the path"))
        return None
    try:
        content = read_bounded(path)
    except FileNotFoundError:
        collector.add(_missing(model, path, display))
        return None
    except OSError as error:
        message = f"cannot read the script `{display(path)}`: {error.strerror}"
        collector.add(models.SCRIPT_NOT_FOUND.at(_span(model), message))
        return None
    return parse(display(path), content, collector)


def _span(model: ModelEntry) -> Span:
    return model.name.document.value((*model.name.path, "script"))


def _missing(model: ModelEntry, path: Path, display: Display) -> Diagnostic:
    scripts = [found.name for found in path.parent.glob("*.toml")]
    near, fix = nearest(path.name, scripts), None
    if len(near) == 1:
        written = PurePosixPath(model.settings["script"]).with_name(near[0]).as_posix()
        edit = Edit(_span(model), json.dumps(written, ensure_ascii=False))
        fix = Fix(title=f"write `{written}`", edits=(edit,))
    return models.SCRIPT_NOT_FOUND.at(
        _span(model),
        f"the script `{display(path)}` does not exist",
        help=advice(path.name, scripts, "TOML files there"),
        fix=fix,
    )
