"""What a user probably meant: the mistakes people carry over from other tools and files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from wasmind_compiler.diagnostics import Edit, Fix, Label
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath, dotted
from wasmind_compiler.frontend.rewriting import quoted, rename_key, wrap

_SYNONYMS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("subdir", "subdirectory", "directory", "dir", "folder"), "sub_dir"),
    **dict.fromkeys(("url", "repo", "repository"), "git"),
    **dict.fromkeys(("commit", "ref", "sha", "revision", "hash"), "rev"),
}
_REFS: Final = ("branch", "tag", "rev")
_SECTIONS: Final = ("actors", "actor_overrides", "dependencies")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What to say instead of the general words; None leaves them as they are."""

    message: str | None = None
    labels: tuple[Label, ...] = ()
    help: str | None = None
    fix: Fix | None = None


def unknown_key(document: Document, path: KeyPath, key: str, value: Any) -> Hint | None:
    """About a key nobody knows in the table at `path`."""
    if not path:
        return _top_level(document, key)
    if path[-1] == "source":
        return _in_source(document, path, key, value)
    if path[-1] == "git_ref" and _SYNONYMS.get(key) == "rev":
        fix = rename_key(document, (*path, key), "rev")
        return Hint(help="a commit is called `rev`", fix=fix)
    if len(path) == 2 and path[0] in _SECTIONS:
        return _in_actor(document, path, key, value)
    return None


def wrong_shape(document: Document, path: KeyPath, value: Any) -> Hint | None:
    """About a value of another type than the key at `path` takes."""
    if isinstance(value, str) and path[-1:] == ("source",):
        kind = "git" if _looks_like_git(value) else "path"
        return _rewritten(document, path, f"{{ {kind} = {quoted(value)} }}", sure=True)
    if isinstance(value, str) and path[-1:] == ("git_ref",):
        return _rewritten(document, path, f"{{ {_kind_of_ref(value)} = {quoted(value)} }}")
    if path == ("litellm", "models") and isinstance(value, dict) and document.is_section(path):
        return _doubled_brackets(document, path)
    return None


def _top_level(document: Document, key: str) -> Hint | None:
    for section in ("actors", "actor_overrides"):
        if document.has((section, key)):
            where = dotted((section, key))
            return Hint(help=f"did you mean `[{where}]`?")
    return None


def _in_source(document: Document, path: KeyPath, key: str, value: Any) -> Hint | None:
    beside_git = document.has((*path, "git"))
    if beside_git and key in _REFS and isinstance(value, str):
        if document.has((*path, "git_ref")):
            return Hint(help=f"put `{key}` into `git_ref`")
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
    if meant in ("git", "sub_dir") and not document.has((*path, meant)):
        if meant == "sub_dir" and not beside_git:
            return None
        fix = rename_key(document, (*path, key), meant)
        return Hint(help=f"it is called `{meant}`", fix=fix)
    return None


def _in_actor(document: Document, path: KeyPath, key: str, value: Any) -> Hint | None:
    if isinstance(value, dict) and ("source" in value or "config" in value):
        return _dotted_name(document, path, key)
    if key == "name":
        label = Label(document.header(path), "this is the name")
        return Hint(
            message=f"`name` has no meaning in `{dotted(path)}`",
            labels=(label,),
            help="the header names the actor; remove the key",
        )
    return None


def _dotted_name(document: Document, path: KeyPath, key: str) -> Hint:
    section, name = path
    label = Label(document.key(path), f"read as an actor `{name}`")
    return Hint(
        message=f"`{name}.{key}` is not one name: the dot makes `{key}` a table inside `{name}`",
        labels=(label,) if document.is_section(path) else (),
        help=f'write `[{section}."{name}.{key}"]`, or a name without a dot',
    )


def _doubled_brackets(document: Document, path: KeyPath) -> Hint:
    span = document.header(path)
    name = dotted(path)
    if not document.text(span).startswith("["):
        return Hint(help=f"begin every element with `[[{name}]]`")
    return _rewritten(document, path, f"[{document.text(span)}]", sure=True)


def _rewritten(document: Document, path: KeyPath, text: str, *, sure: bool = False) -> Hint:
    fix = Fix(
        title=f"write `{text}`",
        edits=(Edit(document.value(path), text),),
        applicability="always" if sure else "maybe",
    )
    return Hint(help=fix.title, fix=fix)


def _looks_like_git(text: str) -> bool:
    return "://" in text or text.endswith(".git") or re.match(r"[\w.-]+@[\w.-]+:", text) is not None


def _kind_of_ref(text: str) -> str:
    if re.fullmatch(r"[0-9a-f]{7,40}", text):
        return "rev"
    return "tag" if re.fullmatch(r"v?\d+(\.\d+)*([-+.]\w+)*", text) else "branch"
