"""Gathers the problems of a run, so that nothing stops at the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from wasmind_compiler.diagnostics.model import Diagnostic, Label, Severity, Span
from wasmind_compiler.diagnostics.text_index import TextIndex

if TYPE_CHECKING:
    from wasmind_compiler.diagnostics.registry import Rule

#: Rules about keys without a meaning where they stand: in files, beside `config`, in `config`, in
#: dependency tables. The reference implementation ignores such keys.
LENIENT: Final = frozenset({"WM0201", "WM0207", "WM0412", "WM0501"})

#: Rules about sources that are judged by their text at once, part by part, and as a whole when the
#: source is looked up: what was said about a part need not be said about the whole again.
JUDGED_TWICE: Final = frozenset({"WM1101", "WM1102", "WM1103", "WM1104", "WM1105", "WM1106"})


class Collector:
    """Takes diagnostics in any order and gives them back sorted and without duplicates.

    With `lenient`, keys without a meaning are warnings. What follows from them, like a missing key
    that is only misspelled, is then to be reported as well.

    The order is that of the files as they were opened (the config first, then manifests in
    resolution order), then of the positions in them, so it is the same in every run.
    """

    def __init__(self, *, lenient: bool = False) -> None:
        self.lenient = lenient
        self._texts: dict[str, TextIndex] = {}
        self._found: dict[Diagnostic, None] = {}
        #: What `JUDGED_TWICE` lists, by file and line.
        self._judged: dict[tuple[str, int], list[Diagnostic]] = {}

    def opened(self, text: TextIndex) -> None:
        """Remember a file, for its place in the order and for the excerpts shown from it."""
        self._texts.setdefault(text.file, text)

    def add(self, diagnostic: Diagnostic) -> None:
        """Take one problem; the same one again changes nothing. Secrets in it are covered."""
        if self.lenient and diagnostic.code in LENIENT:
            diagnostic = diagnostic._replace(severity=Severity.WARNING)
        if diagnostic.code in JUDGED_TWICE and self._said_closer(diagnostic):
            return
        found = _without_secrets(diagnostic)
        if found in self._found:
            return
        self._found[found] = None
        if found.code in JUDGED_TWICE and found.span is not None:
            self._judged.setdefault((found.span.file, found.span.start.line), []).append(found)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Take several problems."""
        for diagnostic in diagnostics:
            self.add(diagnostic)

    def _said_closer(self, again: Diagnostic) -> bool:
        if again.span is None:
            return False
        file, first, last = again.span.file, again.span.start.line, again.span.end.line
        return any(
            _is_closer(found, again)
            for line in range(first, last + 1)
            for found in self._judged.get((file, line), ())
        )

    def replace(self, rule: Rule, better: Diagnostic) -> None:
        """Take a problem instead of what `rule` said about the same place or a part of it."""
        for found in [each for each in self._found if each.code == rule.code]:
            if _is_within(found, better):
                del self._found[found]
                if found.code in JUDGED_TWICE and found.span is not None:
                    self._judged[found.span.file, found.span.start.line].remove(found)
        self.add(better)

    def doubt(self, rule: Rule, span: Span) -> None:
        """Make a guess of what `rule` would have written at just this place."""
        for found in [each for each in self._found if each.code == rule.code]:
            if found.span == span and found.fix is not None:
                del self._found[found]
                self._found[found._replace(fix=found.fix._replace(applicability="maybe"))] = None

    def has(self, rule: Rule, span: Span | None) -> bool:
        """Whether `rule` was broken at just this place."""
        return any(found.code == rule.code and found.span == span for found in self._found)

    @property
    def failed(self) -> bool:
        """Whether one of them is an error."""
        return any(found.severity is Severity.ERROR for found in self._found)

    @property
    def texts(self) -> Mapping[str, TextIndex]:
        """The files opened so far, by the name shown to people."""
        return self._texts

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All problems, sorted."""
        rank = {file: number for number, file in enumerate(self._texts)}

        def place(found: Diagnostic) -> tuple[int, str, int, int, str, str]:
            if found.span is None:
                return (-1, "", 0, 0, found.code, found.message)
            file, start = found.span.file, found.span.start
            order = rank.get(file, len(rank))
            return (order, file, start.line, start.column, found.code, found.message)

        return tuple(sorted(self._found, key=place))


def _is_closer(found: Diagnostic, again: Diagnostic) -> bool:
    """Whether `found` makes `again` superfluous: an error, or the same, about part of its place."""
    if not _is_within(found, again):
        return False
    return found.code == again.code or found.severity is Severity.ERROR


def _is_within(part: Diagnostic, whole: Diagnostic) -> bool:
    one, other = part.span, whole.span
    if one is None or other is None or one.file != other.file:
        return False
    return one.start.byte >= other.start.byte and one.end.byte <= other.end.byte


def _without_secrets(found: Diagnostic) -> Diagnostic:
    # Not needed by runs without findings.
    from wasmind_compiler.diagnostics.masking import masked

    return found._replace(
        message=masked(found.message),
        label=masked(found.label),
        labels=tuple(Label(label.span, masked(label.text)) for label in found.labels),
        notes=tuple(masked(note) for note in found.notes),
        help=None if found.help is None else masked(found.help),
    )
