"""What has moved at a remote since it was locked: said, and followed where that is wanted."""

from __future__ import annotations

from collections.abc import Callable

from wasmind_compiler.diagnostics import Collector, Diagnostic, Label
from wasmind_compiler.diagnostics.rules import fetching
from wasmind_compiler.frontend.source import GitRef, GitSource
from wasmind_compiler.reporter import Reporter
from wasmind_compiler.resolution.git.revisions import Resolved, full_name
from wasmind_compiler.resolution.git.store import Advertised
from wasmind_compiler.resolution.pins import Pin

#: How many commits lie between an old and a new one, if that is known.
Distance = Callable[[str, str], int | None]


class Moves:
    """Compares pins with what the remote has now.

    Args:
        collector: takes what has moved.
        reporter: hears which pins follow.
        accept_moved_tags: a tag may mean another commit than the locked one.
    """

    def __init__(
        self, collector: Collector, reporter: Reporter, *, accept_moved_tags: bool
    ) -> None:
        self._collector = collector
        self._reporter = reporter
        self._accept_moved_tags = accept_moved_tags
        self._reported: set[int] = set()

    def followed(
        self, pin: Pin, resolved: Resolved, source: GitSource, distance: Distance
    ) -> Resolved:
        """What a pin becomes on request: tags need consent, branches a word."""
        locked, ref = pin.locked, source.ref
        self._compare_default(pin, resolved.default_branch, source)
        if resolved.revision == locked.revision:
            if resolved.tag_object != locked.tag_object:
                self._reporter.status("Updating", f"{locked.shown}, tagged anew at its commit")
            return resolved
        if _is_tag(ref) and not self._accept_moved_tags:
            help_line = f"{locked.revision[:7]} is kept; confirm the new commit with "
            self._add(pin, resolved.revision, source, help_line + "`--accept-moved-tags`")
            return pinned(pin)
        commits = distance(locked.revision, resolved.revision)
        counted = "" if commits is None else f" ({commits} commit{'s' * (commits != 1)})"
        moved = f"{locked.revision[:7]} -> {resolved.revision[:7]}"
        self._reporter.status("Updating", f"{locked.shown} {moved}{counted}")
        if ref is None or ref.kind == "branch":
            self._add(pin, resolved.revision, source)
        return resolved

    def report(self, pin: Pin, now: Advertised, source: GitSource) -> None:
        """Say what an update would find; each pin once."""
        name = full_name(source.ref)
        if name is None or id(pin) in self._reported:
            return
        self._reported.add(id(pin))
        self._compare_default(pin, now.head, source)
        locked = pin.locked.revision
        revision = now.refs.get(f"{name}^{{}}") or now.refs.get(name)
        if revision is None:
            self._add(pin, None, source, f"{locked[:7]} is kept until you name another")
        elif revision != locked:
            consent = " --accept-moved-tags" * _is_tag(source.ref)
            self._add(pin, revision, source, f"`wasmind lock --upgrade{consent}` follows it")

    def _add(
        self, pin: Pin, revision: str | None, source: GitSource, help_line: str | None = None
    ) -> None:
        """The locked commit is not that of the ref any more."""
        ref, old = source.ref, pin.locked.revision
        moved = f"has moved from {old[:7]} to {revision[:7]}" if revision else "is gone"
        rule = fetching.TAG_MOVED if _is_tag(ref) else fetching.BRANCH_MOVED
        self._collector.add(
            rule.at(
                source.written.value("git_ref", ref.kind) if ref else source.span(),
                f"{_named(ref)} {moved}",
                labels=(Label(pin.place.value("revision"), "locked here"),),
                notes=(f"locked: {old}\nnow:    {revision}",) if revision else (),
                help=help_line,
            )
        )

    def _compare_default(self, pin: Pin, now: str | None, source: GitSource) -> None:
        before = pin.locked.default_branch
        if source.ref is None and before is not None and now is not None and before != now:
            self._collector.add(_other_default(pin, before, now, source))


def pinned(pin: Pin) -> Resolved:
    """What a pin says."""
    locked = pin.locked
    return Resolved(
        revision=locked.revision,
        default_branch=locked.default_branch,
        tag_object=locked.tag_object,
    )


def _is_tag(ref: GitRef | None) -> bool:
    return ref is not None and ref.kind == "tag"


def _named(ref: GitRef | None) -> str:
    if ref is None:
        return "the default branch"
    return f"`{ref.text}`" if ref.kind == "rev" else f"the {ref.kind} `{ref.text}`"


def _other_default(pin: Pin, before: str, now: str, source: GitSource) -> Diagnostic:
    return fetching.DEFAULT_BRANCH_CHANGED.at(
        source.span(),
        f"the default branch was `{before}` and is `{now}` now",
        labels=(Label(pin.place.value("default_branch"), "locked here"),),
    )
