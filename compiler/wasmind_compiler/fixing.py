"""From the fixes of a report to changed files: chosen, proved harmless, written at once.

The edits leave comments and layout alone because they touch nothing else. That they also leave
every other value alone is checked: the changed file is read again, by `tomllib` and by `tomlkit`,
and each value away from the edits must be what it was.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from wasmind_compiler.atomic import replace_file
from wasmind_compiler.diagnostics import Diagnostic, Edit, Fix
from wasmind_compiler.diagnostics.edits import Change, apply, choose
from wasmind_compiler.errors import CompilerFailure
from wasmind_compiler.frontend.key_path import KeyPath
from wasmind_compiler.frontend.positions import Node, scan

#: Only what people write is mended: neither lockfiles nor what was named by mistake.
_ENDING: Final = ".toml"
_MARK: Final = "\ufeff".encode()


def certain_fixes(
    diagnostics: Iterable[Diagnostic], folder: Path, config: Path | None = None
) -> list[Fix]:
    """The fixes that may be applied unasked.

    Args:
        diagnostics: with their fixes; names of files are relative to `folder`.
        folder: the working directory.
        config: the config. What lies neither below its folder nor below the working directory
            belongs to somebody else: an actor shipped with Wasmind, whatever a path leads to.
    """
    fixes = [each.fix for each in diagnostics if each.fix and each.fix.applicability == "always"]
    files = {edit.span.file for fix in fixes for edit in fix.edits}
    mine = [folder.resolve()]
    if config is not None:
        # The config itself may be a link to a file elsewhere.
        mine += [(folder / config).parent.resolve(), (folder / config).resolve()]
    changed = {file for file in files if file.endswith(_ENDING) and _is_below(folder / file, mine)}
    return [fix for fix in fixes if all(edit.span.file in changed for edit in fix.edits)]


def _is_below(path: Path, roots: Sequence[Path]) -> bool:
    return path.is_file() and any(path.resolve().is_relative_to(root) for root in roots)


def plan_changes(
    diagnostics: Iterable[Diagnostic], folder: Path, config: Path | None = None
) -> list[Change]:
    """What the certain fixes make of the files, one change for each; see `applicable_fixes`."""
    fixes = certain_fixes(diagnostics, folder, config)
    contents = _contents(fixes, folder)
    return apply(_applicable(fixes, contents, twice=True), contents)


def applicable_fixes(
    diagnostics: Iterable[Diagnostic], folder: Path, config: Path | None = None
) -> Sequence[Fix]:
    """The certain fixes without those that would change more than they say, or each other's work.

    Only for saying how many there are: changed files are read by `tomllib` alone, because `tomlkit`
    takes seconds for a large one.

    Args:
        diagnostics, folder, config: see `certain_fixes`.
    """
    fixes = certain_fixes(diagnostics, folder, config)
    return _applicable(fixes, _contents(fixes, folder), twice=False)


def _contents(fixes: Iterable[Fix], folder: Path) -> Mapping[str, bytes]:
    files = {edit.span.file for fix in fixes for edit in fix.edits}
    return {file: (folder / file).read_bytes() for file in files}


def _applicable(
    fixes: Iterable[Fix], contents: Mapping[str, bytes], *, twice: bool
) -> Sequence[Fix]:
    return _compatible(_faithful(choose(fixes), contents, twice=twice), contents)


def _faithful(fixes: Sequence[Fix], contents: Mapping[str, bytes], *, twice: bool) -> Sequence[Fix]:
    """Fixes that do what they say. All are tried at once, then parts of them where one does not:
    each try reads whole files."""
    edits = [edit for fix in fixes for edit in fix.edits]
    if all(is_faithful(change, edits, twice=twice) for change in apply(fixes, contents)):
        return fixes
    if len(fixes) == 1:
        return ()
    middle = len(fixes) // 2
    halves = fixes[:middle], fixes[middle:]
    return [each for half in halves for each in _faithful(half, contents, twice=twice)]


def _compatible(fixes: Sequence[Fix], contents: Mapping[str, bytes]) -> Sequence[Fix]:
    """Fixes that leave files readable when all are applied: two may give one key, for example."""
    if _stays_readable(apply(fixes, contents)):
        return fixes
    chosen: list[Fix] = []
    for fix in fixes:
        if _stays_readable(apply([*chosen, fix], contents)):
            chosen.append(fix)
    return chosen


def _stays_readable(changes: Iterable[Change]) -> bool:
    return all(
        _loaded(_text(change.before)) is None or _loaded(_text(change.after)) is not None
        for change in changes
    )


def write_changes(changes: Sequence[Change], folder: Path) -> None:
    """Replace the files, each at once: readers see the old or the new content.

    Raises:
        CompilerFailure: a file cannot be written, or was changed meanwhile.
    """
    for change in changes:
        path = (folder / change.file).resolve()
        try:
            if path.read_bytes() != change.before:
                raise CompilerFailure(f"`{change.file}` was changed by somebody else meanwhile")
            replace_file(path, change.after)
        except OSError as error:
            raise CompilerFailure(f"cannot write `{change.file}`: {error.strerror}") from error


def is_faithful(change: Change, edits: Sequence[Edit], *, twice: bool = True) -> bool:
    """Whether a change only touches what its edits touch.

    Args:
        change: of one file.
        edits: all that were made, in other files too.
        twice: whether `tomlkit` has to read the same in the result as `tomllib`.
    """
    before, after = _text(change.before), _text(change.after)
    old = _loaded(before)
    new = _loaded(after)
    if old is None:
        # A syntax error was mended, or one of several: there are no values to compare.
        return True
    if new is None or (twice and not _is_read_alike(after, new)):
        return False
    touched, written = _stretches(change, edits)
    was, now = dict(_leaves(old)), dict(_leaves(new))
    lost = [path for path in was if path not in now or not _same(was[path], now[path])]
    gained = [path for path in now if path not in was or not _same(was[path], now[path])]
    # A table that became empty, or was until now, is not news of its own.
    gained = [path for path in gained if now[path] != {} or not _any_below(lost, path)]
    lost = [path for path in lost if was[path] != {} or not _any_below(gained, path)]
    return _all_near(scan(before), lost, touched) and _all_near(scan(after), gained, written)


def _is_read_alike(text: str, read: Mapping[str, Any]) -> bool:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        # Unlike tomllib, tomlkit keeps the line ends of strings as they are.
        return _agree(tomlkit.parse(text.replace("\r\n", "\n")).unwrap(), read)
    except TOMLKitError:
        return False


def _agree(one: Any, other: Any) -> bool:
    mine, theirs = dict(_leaves(one)), dict(_leaves(other))
    return mine.keys() == theirs.keys() and all(
        value == theirs[path] or _same(value, theirs[path]) for path, value in mine.items()
    )


def _any_below(paths: Iterable[KeyPath], table: KeyPath) -> bool:
    return any(path[: len(table)] == table for path in paths)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and repr(one) == repr(other)


def _text(content: bytes) -> str:
    return content.removeprefix(_MARK).decode()


def _loaded(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Values that are no tables; an array counts as one."""
    if isinstance(value, dict) and (value or not path):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, value


def _stretches(
    change: Change, edits: Sequence[Edit]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """What the edits cover in the text before, and in the text after, in characters."""
    mark = len(_MARK) if change.before.startswith(_MARK) else 0
    before, after, moved = [], [], 0
    mine = [edit for edit in edits if edit.span.file == change.file]
    for edit in sorted(mine, key=lambda each: each.span.start.byte):
        start = len(change.before[mark : edit.span.start.byte].decode())
        end = len(change.before[mark : edit.span.end.byte].decode())
        before.append((start, end))
        after.append((start + moved, start + moved + len(edit.replacement)))
        moved += len(edit.replacement) - (end - start)
    return before, after


def _all_near(root: Node, paths: Iterable[KeyPath], stretches: Sequence[tuple[int, int]]) -> bool:
    return all(_is_near(root, path, stretches) for path in paths)


def _is_near(root: Node, path: KeyPath, stretches: Sequence[tuple[int, int]]) -> bool:
    """Whether a value, or a key or header that leads to it, touches one of the stretches."""
    node, places = root, []
    for part in path:
        node = node.children[part]
        places += [place for place in (node.key, node.value, node.header) if place is not None]
    return any(
        start <= place[1] and place[0] <= end for place in places for start, end in stretches
    )
