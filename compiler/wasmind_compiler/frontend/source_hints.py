"""What a user probably meant in the table of a source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from wasmind_compiler.diagnostics import Label
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.hint import Hint, rewritten
from wasmind_compiler.frontend.key_path import KeyPath, quoted
from wasmind_compiler.frontend.rewriting import rename_key, wrap

#: Keys of a source's table.
SOURCE_KEYS: Final = frozenset({"path", "git", "library", "git_ref", "sub_dir"})
SHAPES: Final = 'write `{ path = "…" }`, `{ git = "…" }` or `{ library = "…" }`'
_SYNONYMS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("subdir", "subdirectory", "directory", "dir", "folder"), "sub_dir"),
    **dict.fromkeys(("url", "repo", "repository"), "git"),
    **dict.fromkeys(("commit", "ref", "sha", "revision", "hash"), "rev"),
    **dict.fromkeys(("lib", "builtin", "shipped"), "library"),
}
_LEADS: Final = ("path", "git", "library")
_REFS: Final = ("branch", "tag", "rev")


def unknown_key(document: Document, path: KeyPath, key: str, value: Any) -> Hint | None:
    """About a key nobody knows in the source at `path`."""
    beside_git = document.has((*path, "git"))
    if beside_git and key in _REFS and isinstance(value, str):
        if document.has((*path, "git_ref")):
            return Hint(help=f"put `{key}` into `git_ref`")
        refs = [f"`{name}`" for name in _REFS if document.has((*path, name))]
        if len(refs) > 1:
            return Hint(help=f"{' and '.join(refs)} exclude one another: put one into `git_ref`")
        fix = wrap(document, (*path, key), "git_ref")
        return Hint(help=f"write `git_ref = {{ {key} = {quoted(value)} }}`", fix=fix)
    if document.has((*path, "path")) and key in (*_REFS, "git_ref", "sub_dir"):
        label = Label(document.key((*path, "path")), "this is a path source")
        advice = "add the folder to the path" if key == "sub_dir" else "only a git source has refs"
        return Hint(
            message=f"`{key}` has no meaning in a path source",
            labels=(label,),
            help=f"{advice}, or use `git`",
        )
    meant = _SYNONYMS.get(key)
    if meant == "rev" and beside_git:
        return Hint(help=f"write `git_ref = {{ rev = {quoted(str(value))} }}`")
    if meant is None or not _fits(document, path, key):
        return None
    return Hint(help=f"it is called `{meant}`", fix=rename_key(document, (*path, key), meant))


def is_lead(document: Document, path: KeyPath, key: str) -> bool:
    """Whether a key nobody knows stands for one that says what kind of source it is."""
    if path[-1:] == ("git_ref",):
        return _SYNONYMS.get(key) == "rev"
    return _SYNONYMS.get(key) in _LEADS and _fits(document, path, key)


def _fits(document: Document, path: KeyPath, key: str) -> bool:
    """Whether what a key stands for can be in the table beside the others."""
    meant = _SYNONYMS.get(key)
    kinds = [lead for lead in _LEADS if document.has((*path, lead))]
    if meant == "sub_dir":
        return kinds == ["git"] and not document.has((*path, meant))
    return meant in _LEADS and not kinds


def unknown_ref(document: Document, path: KeyPath, key: str) -> Hint | None:
    """About a key nobody knows in the `git_ref` at `path`."""
    if _SYNONYMS.get(key) != "rev":
        return None
    return Hint(help="a commit is called `rev`", fix=rename_key(document, (*path, key), "rev"))


def wrong_shape(document: Document, path: KeyPath, value: Any) -> Hint | None:
    """About a source that is no table."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str):
        return Hint(help=SHAPES)
    return rewritten(document, path, from_string(value), sure=True)


def from_string(text: str) -> str:
    """The table of a source that was written as a string."""
    return f"{{ {'git' if looks_like_git(text) else 'path'} = {quoted(text)} }}"


def ref_as_string(document: Document, path: KeyPath, value: str) -> Hint:
    """About a `git_ref` that does not say which kind of ref it is."""
    return rewritten(document, path, f"{{ {_kind_of_ref(value)} = {quoted(value)} }}")


def looks_like_git(text: str) -> bool:
    """Whether a text is the URL of a repository rather than a path."""
    return "://" in text or text.endswith(".git") or re.match(r"[\w.-]+@[\w.-]+:", text) is not None


def _kind_of_ref(text: str) -> str:
    if re.fullmatch(r"[0-9a-f]{7,40}", text):
        return "rev"
    return "tag" if re.fullmatch(r"v?\d+(\.\d+)*([-+.]\w+)*", text) else "branch"
