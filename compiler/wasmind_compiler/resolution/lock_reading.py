"""A lockfile from disk: read, or refused with the place of every fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from wasmind.records import Record
from wasmind_compiler.diagnostics import Collector, Diagnostic, Label, TextIndex
from wasmind_compiler.diagnostics.rules import locking
from wasmind_compiler.errors import CompilerFailure
from wasmind_compiler.frontend.document import Document, parse
from wasmind_compiler.frontend.limits import read_bounded
from wasmind_compiler.frontend.schemas import Schemas
from wasmind_compiler.resolution.lockfile import VERSION, Lock, read_lock

#: Programs write it, for as many actors as there are: it may be larger than what people write.
_MOST_BYTES: Final = 64 * 1024 * 1024
_ADVICE: Final = "restore it from version control, or delete it and run `wasmind lock`"


class LoadedLock(Record):
    """A lockfile without faults, its text and where its entries stand."""

    lock: Lock
    document: Document
    content: bytes


def load_lock(
    path: Path, shown: str, config: str, schemas: Schemas, collector: Collector
) -> LoadedLock | None:
    """Read a lockfile.

    Args:
        path: the file.
        shown: its name for people.
        config: file name of the config it should belong to.
        schemas: for its form.
        collector: takes its faults; after an error the lockfile is not to be used or overwritten.

    Returns:
        None if there is none, or it has faults.

    Raises:
        CompilerFailure: it cannot be read.
    """
    try:
        content = read_bounded(path, _MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CompilerFailure(f"cannot read the lockfile `{shown}`: {error.strerror}") from error
    if (conflict := _conflict(shown, content, collector)) is not None:
        collector.add(conflict)
        return None
    faults = Collector()
    document = parse(shown, content, faults, _MOST_BYTES)
    for index in faults.texts.values():
        collector.opened(index)
    if document is None or not _is_known(document, collector):
        collector.extend(_as_corruption(each) for each in faults.diagnostics())
        return None
    if not schemas.check(document, "lock", faults) or _has_duplicates(document, faults):
        collector.extend(_explained(faults.diagnostics(), document))
        return None
    lock = read_lock(document.data)
    if lock.config and lock.config != config:
        message = f"the lockfile belongs to `{lock.config}`, not to `{config}`"
        help_line = f'if the config was renamed, set `config = "{config}"` in the lockfile'
        span = document.value(("config",))
        collector.add(locking.LOCK_FOREIGN.at(span, message, help=help_line))
        return None
    return LoadedLock(lock, document, content)


def _conflict(shown: str, content: bytes, collector: Collector) -> Diagnostic | None:
    """Conflict markers, each line of them."""
    if b"<<<<<<<" not in content and b">>>>>>>" not in content:
        return None
    # Not needed by lockfiles without them.
    from wasmind_compiler.frontend.conflicts import conflict_markers

    index = TextIndex(shown, content.decode("utf-8", "replace"))
    collector.opened(index)
    spans = conflict_markers(index)
    if not spans:
        return None
    return locking.LOCK_CONFLICT.at(
        spans[0],
        "the lockfile has unresolved merge conflicts",
        labels=tuple(Label(span, "") for span in spans[1:]),
        help="resolve the configs first, then take either lockfile and run `wasmind lock`",
    )


def _is_known(document: Document, collector: Collector) -> bool:
    version = document.data.get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        return True
    if version > VERSION:
        message = f"the lockfile `{document.file}` was written by a newer Wasmind"
        notes = (f"its format is {version}; this Wasmind knows up to {VERSION}",)
        span = document.value(("version",))
        collector.add(locking.LOCK_NEWER.at(span, message, notes=notes, help="update Wasmind"))
        return False
    return True


def _has_duplicates(document: Document, faults: Collector) -> bool:
    found = False
    for table, keys in (("actor", ("name",)), ("git", ("url", "git_ref"))):
        entries = document.data.get(table, ())
        names = [repr([entry.get(key) for key in keys]) for entry in entries]
        for name in [name for name, count in Counter(names).items() if count > 1]:
            first, second = [index for index, each in enumerate(names) if each == name][:2]
            labels = (Label(document.header((table, first)), "first entry"),)
            message = f"two entries for `{entries[first][keys[0]]}`"
            span = document.header((table, second))
            faults.add(locking.LOCK_CORRUPT.at(span, message, labels=labels))
            found = True
    return found


def _explained(faults: Iterable[Diagnostic], document: Document) -> Iterator[Diagnostic]:
    """Faults in the form of a lockfile; a missing digest has an entry of its own."""
    lacking = {
        document.header(("actor", index)): entry.get("name")
        for index, entry in enumerate(document.data.get("actor", ()))
        if isinstance(entry, dict) and "digest" not in entry
    }
    for fault in faults:
        if fault.span is not None and fault.span in lacking:
            message = f"the lock entry of `{lacking[fault.span]}` has no digest"
            help_line = "remove the entry and run `wasmind lock`"
            yield locking.LOCK_NO_DIGEST.at(fault.span, message, help=help_line)
        else:
            yield _as_corruption(fault)


def _as_corruption(fault: Diagnostic) -> Diagnostic:
    rule = locking.LOCK_CORRUPT
    message = f"the lockfile is corrupt: {fault.message}"
    # Not mended either: who knows what else is wrong with it.
    return fault._replace(
        code=rule.code, severity=rule.severity, message=message, help=_ADVICE, fix=None
    )
