"""Sources that are legal but probably not what was meant."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

from wasmind_compiler.diagnostics import Collector, Diagnostic, Label
from wasmind_compiler.diagnostics.rules import graph
from wasmind_compiler.frontend.source import PathSource
from wasmind_compiler.resolution.found import Found
from wasmind_compiler.resolution.walk import Walk


def report_doubtful_sources(walk: Walk, collector: Collector) -> None:
    """Report one actor_id for different sources, and absolute paths in manifests."""
    first: dict[str, Found] = {}
    for found in walk.found.values():
        _report_absolute_paths(found, collector)
        actor_id = found.manifest.actor_id
        other = first.setdefault(actor_id, found) if actor_id else found
        if other.identity != found.identity:
            collector.add(_two_commits(found, other) or _two_actors(found, other))


def _two_commits(found: Found, other: Found) -> Diagnostic | None:
    """One actor of one repository, as it was at two different times."""
    here, there = found.identity.origin, other.identity.origin
    if here is None or there is None or here.revision == there.revision:
        return None
    if (here.canonical, here.sub_dir) != (there.canonical, there.sub_dir):
        return None
    return graph.TWO_COMMITS.at(
        found.source.span(),
        f"`{found.name}` and `{other.name}` are one actor at two commits: {here.revision[:7]} and "
        f"{there.revision[:7]}",
        labels=(Label(other.source.span(), f"{there.revision[:7]} comes from here"),),
    )


def _two_actors(found: Found, other: Found) -> Diagnostic:
    return graph.AMBIGUOUS_ACTOR_ID.at(
        found.manifest.document.value(("actor_id",)),
        f"`{found.name}` and `{other.name}` are different actors with one `actor_id`:"
        f" `{found.manifest.actor_id}`",
        labels=(Label(other.manifest.document.value(("actor_id",)), "also here"),),
        help="give each kind of actor an id of its own",
    )


def _report_absolute_paths(found: Found, collector: Collector) -> None:
    for entry in found.manifest.dependencies:
        source = entry.source
        if isinstance(source, PathSource) and _is_absolute(source.path):
            message = f"the path `{source.path}` exists on one machine only"
            help_line = "use a path relative to this manifest, or a git source"
            collector.add(graph.ABSOLUTE_PATH.at(source.span(), message, help=help_line))


def _is_absolute(path: str) -> bool:
    return PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()
