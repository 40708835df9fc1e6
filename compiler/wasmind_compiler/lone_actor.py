"""An actor checked by itself, without a system around it.

It is resolved, built and linked as the only actor of a config that nobody wrote. What that finds
about the actor is shown at its manifest; what a config would still have to say is nobody's mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wasmind_compiler.diagnostics.rules import contracts, graph, models, names, settings

if TYPE_CHECKING:
    from wasmind_compiler.diagnostics import Diagnostic, Span

#: Beside the manifest, for relative paths; there is no such file.
CONFIG_NAME: Final = "(an actor by itself).toml"
_UNFIT: Final = re.compile(r"[^\w.-]")
_TEMPLATE: Final = """\
starting_actors = ["{name}"]

[actors."{name}"]
source = {{ path = "." }}
"""
#: What only a whole system can be blamed for: a config supplies models, settings and other actors.
_OF_SYSTEMS: Final = frozenset(
    rule.code
    for rule in (
        *(names.NOBODY_LISTENS, names.REDUNDANT_START, names.UNKNOWN_SPAWNED_ACTOR),
        *(graph.UNUSED_DEPENDENCY, models.UNKNOWN_MODEL, models.IMPLICIT_PROVIDER),
        models.VARIABLE_NOT_SET,
        *(contracts.NOBODY_SENDS, contracts.NOBODY_HEARS),
        *(settings.MISSING_SETTING, settings.PERMISSIVE_DEFAULT),
    )
)


def name_of(folder: Path) -> str:
    """What the actor in a folder is called: like the folder, and like none of its dependencies."""
    return f"./{_UNFIT.sub('_', folder.name)}"


def config_of(name: str) -> bytes:
    """The text of a config with nothing but the actor of that name, to lie in its folder."""
    return _TEMPLATE.format(name=name).encode()


def about_actor(
    found: Iterable[Diagnostic], config: str, manifest: str, place: Span | None
) -> Iterator[Diagnostic]:
    """What was found, without what only a system can be blamed for.

    Args:
        found: everything, in the order to show it.
        config: the config as it is called in diagnostics.
        manifest: likewise the manifest, which is named instead.
        place: where in it to show what concerns the actor as a whole.
    """
    written = re.compile(rf"{re.escape(config)}(:\d+)*")
    for each in found:
        if each.code in _OF_SYSTEMS:
            continue
        about_config = _is_in(config, each.span)
        edits = each.fix.edits if each.fix is not None else ()
        yield each._replace(
            span=place if about_config else each.span,
            label="" if about_config else each.label,
            labels=tuple(label for label in each.labels if label.span.file != config),
            notes=tuple(written.sub(lambda _: manifest, note) for note in each.notes),
            fix=None if any(_is_in(config, edit.span) for edit in edits) else each.fix,
        )


def _is_in(file: str, span: Span | None) -> bool:
    return span is not None and span.file == file
