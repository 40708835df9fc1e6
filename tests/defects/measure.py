"""Plants every defect and compares what the compiler says with what it should say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.defects.defect import CLOSE, OPEN, Defect, Planted
from tests.defects.systems import NAMES, Laboratory
from wasmind_compiler.diagnostics import Diagnostic, Fix, Severity
from wasmind_compiler.pipeline import Report

#: File, first byte, first byte behind; None for a problem without a place.
Place = tuple[str, int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the compiler did on one instance.

    Attributes:
        found: a diagnostic of the expected code was given.
        exact: one of them was where it should be.
        fixed: it offered the right fix; None where none is expected.
        extra: errors of other codes.
        said: all diagnostics, for people.
    """

    defect: Defect
    planted: Planted
    found: bool
    exact: bool
    fixed: bool | None
    extra: int
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All outcomes, and what was reported about valid systems."""

    outcomes: tuple[Outcome, ...]
    false_positives: tuple[str, ...]

    @property
    def classes(self) -> int:
        """Number of classes of defects."""
        return len({outcome.defect.title for outcome in self.outcomes})

    @property
    def found(self) -> float:
        """Share of instances that were found."""
        return _share(outcome.found for outcome in self.outcomes)

    @property
    def exact(self) -> float:
        """Share of instances whose primary span was exact."""
        return _share(outcome.exact for outcome in self.outcomes)

    @property
    def typos_fixed(self) -> float:
        """Share of typos for which the right fix was offered."""
        return _share(bool(x.fixed) for x in self.outcomes if x.defect.typo)

    @property
    def others_fixed(self) -> float:
        """The same for defects that are no typos but can be mended by the program."""
        return _share(bool(x.fixed) for x in self.outcomes if x.defect.fixable)

    @property
    def alone(self) -> float:
        """Share of instances that caused no error of another code."""
        return _share(not outcome.extra for outcome in self.outcomes)


def measure(laboratory: Laboratory, defects: Iterable[Defect]) -> Figures:
    """Plant every instance of every class, one at a time."""
    outcomes = tuple(
        _try(laboratory, defect, planted.over(laboratory.repositories))
        for defect in defects
        for planted in defect.instances
    )
    positives = tuple(
        f"{name}: {_line(each)}"
        for name in NAMES
        for each in laboratory.check(name, {}).diagnostics
    )
    return Figures(outcomes=outcomes, false_positives=positives)


def _try(laboratory: Laboratory, defect: Defect, planted: Planted) -> Outcome:
    folder = laboratory.folder(planted.system)
    files = {planted.file: (folder / planted.file).read_text()}
    valid = files[planted.file]
    marked = _replaced(valid, planted.old, planted.new, planted)
    for file, old, new in planted.also:
        text = files.get(file) or (folder / file).read_text()
        source = marked if file == planted.file else text
        changed = _replaced(source, old, new, planted)
        if file == planted.file:
            marked = changed
        else:
            files[file] = changed
    files[planted.file] = _unmarked(marked)
    expected = _expected(planted, marked, files, laboratory)
    report = laboratory.check(planted.system, {x: text.encode() for x, text in files.items()})
    fitting = [x for x in report.diagnostics if fnmatchcase(x.code, defect.code)]
    here = [each for each in fitting if _place(each) == expected]
    mended = None
    if defect.typo or defect.fixable:
        mended = any(_is_right(each.fix, planted, report, laboratory) for each in here)
    return Outcome(
        defect=defect,
        planted=planted,
        found=bool(fitting),
        exact=bool(here),
        fixed=mended,
        extra=len(_other_errors(report, fitting)),
        said=(f"expected {defect.code} at {expected}", *map(_line, report.diagnostics)),
    )


def _replaced(text: str, old: str, new: str, planted: Planted) -> str:
    if not old:
        return text + new
    assert text.count(old) == 1, f"`{old}` occurs {text.count(old)} times: {planted}"
    return text.replace(old, new)


def _unmarked(text: str) -> str:
    return text.replace(OPEN, "").replace(CLOSE, "")


def _expected(
    planted: Planted, marked: str, files: dict[str, str], laboratory: Laboratory
) -> Place:
    if planted.at is None:
        return _marked_place(planted.file, marked)
    file, context = planted.at
    if not context:
        return None
    text = files.get(file) or (laboratory.folder(planted.system) / file).read_text()
    return _marked_place(file, _replaced(text, _unmarked(context), context, planted))


def _marked_place(file: str, marked: str) -> Place:
    before, opened, rest = marked.partition(OPEN)
    inside, closed, _ = rest.partition(CLOSE)
    assert opened, f"no mark in {file}"
    assert closed, f"half a mark in {file}"
    start = len(before.encode())
    return file, start, start + len(inside.encode())


def _place(found: Diagnostic) -> Place:
    span = found.span
    return None if span is None else (span.file, span.start.byte, span.end.byte)


def _is_right(fix: Fix | None, planted: Planted, report: Report, laboratory: Laboratory) -> bool:
    """Whether a fix is offered and leaves its file as it should be."""
    if fix is None:
        return False
    (file,) = {edit.span.file for edit in fix.edits}
    wanted = (laboratory.folder(planted.system) / file).read_text()
    if file == planted.file and planted.fixed is not None:
        wanted = _replaced(wanted, planted.old, planted.fixed, planted)
    for each, old, new in planted.elsewhere:
        wanted = _replaced(wanted, old, new, planted) if each == file else wanted
    text = report.texts[file].text.encode()
    for edit in sorted(fix.edits, key=lambda each: each.span.start.byte, reverse=True):
        start, end = edit.span.start.byte, edit.span.end.byte
        text = text[:start] + edit.replacement.encode() + text[end:]
    return text.decode() == wanted


def _other_errors(report: Report, fitting: list[Diagnostic]) -> Iterable[Diagnostic]:
    return [
        each
        for each in report.diagnostics
        if each.severity is Severity.ERROR and each not in fitting
    ]


def _line(found: Diagnostic) -> str:
    title = f"; fix: {found.fix.title}" if found.fix else ""
    return f"{found.code} {found.span or '-'} {_place(found)} {found.message}{title}"


def _share(values: Iterable[bool]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 1.0


def misses(figures: Figures) -> Iterator[tuple[str, Outcome]]:
    """The instances that fall short, with the reason."""
    for outcome in figures.outcomes:
        if not outcome.found:
            yield "not found", outcome
        elif not outcome.exact:
            yield "span", outcome
        elif outcome.fixed is False:
            yield "fix", outcome
