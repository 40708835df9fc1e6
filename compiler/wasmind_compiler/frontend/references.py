"""How sources are written: URLs, refs and paths that cannot work or do not mean what they seem to.

Everything here is known from the text alone; nothing is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.frontend.actor_entry import ActorEntry
from wasmind_compiler.frontend.source import GitRef, GitSource, PathSource, Source

_SCHEMES: Final = ("https://", "file:///")
_PLAIN: Final = re.compile(r"[\w./@:+-]+")


def check_references(entries: Iterable[ActorEntry], collector: Collector) -> None:
    """Report what is wrong with how the sources of actors are written."""
    for entry in entries:
        if entry.source is not None and not _is_plain(entry.source):
            # Loaded only for what needs a closer look.
            from wasmind_compiler.frontend import reference_findings

            collector.extend(reference_findings.explain(entry.source))


def _is_plain(source: Source) -> bool:
    """Whether there is certainly nothing to say."""
    if isinstance(source, PathSource):
        return _PLAIN.fullmatch(source.path) is not None
    if isinstance(source, GitSource):
        return source.git.startswith(_SCHEMES) and _all_plain(source)
    return True


def _all_plain(source: GitSource) -> bool:
    texts = [source.git.partition("//")[2], source.sub_dir or "-x"]
    simple = all(re.fullmatch(r"[\w./-]*\w[\w./-]*", text) and ".." not in text for text in texts)
    absolute = source.sub_dir is not None and source.sub_dir.startswith("/")
    return simple and not absolute and (source.ref is None or _is_plain_ref(source.ref))


def _is_plain_ref(ref: GitRef) -> bool:
    if ref.kind == "rev":
        return re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", ref.text) is not None
    return re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", ref.text) is not None
