"""What a user probably meant: the mistakes people carry over from other tools and files."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from wasmind_compiler.diagnostics import Edit, Fix, Label
from wasmind_compiler.diagnostics.suggestions import nearest
from wasmind_compiler.frontend import credential_hints, grant_hints, source_hints, top_level
from wasmind_compiler.frontend.bindings import ACTIONS, is_key, is_swapped
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.hint import Hint, rewritten
from wasmind_compiler.frontend.key_path import KeyPath, dotted, quoted
from wasmind_compiler.frontend.rewriting import move_into
from wasmind_compiler.frontend.sections import renamed_key, renamed_section
from wasmind_compiler.frontend.source_hints import SOURCE_KEYS

_SECTIONS: Final = ("actors", "actor_overrides", "dependencies")
#: Sections with grants of actors, and a manifest's own.
_GRANTING: Final = ("actors", "actor_overrides", "capabilities")
#: Sections with a table for each name.
_NAMED: Final = (*_SECTIONS, "models")
#: What other tools call a key of an actor's table.
_SYNONYMS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("settings", "cfg", "conf", "options", "params", "parameters"), "config"),
    **dict.fromkeys(("requires", "required", "depends_on", "needs"), "required_spawn_with"),
    **dict.fromkeys(("capabilities", "permissions"), "grants"),
}

#: What people write beside `litellm_params` that belongs in them.
_PARAMETERS: Final = frozenset({"model", "api_key", "api_base", "temperature", "max_tokens"})

_A_MODEL: Final = "add a `[[litellm.models]]` with a `model_name` and `litellm_params`"

#: About settings in a manifest.
_DEFAULTS: Final = (
    "whoever uses the actor gives it its `config`; defaults stand in the schema that"
    " `config_schema` names, or in the `Config` class of a Python actor"
)


def unknown_key(
    document: Document, path: KeyPath, key: str, value: Any, known: Collection[str]
) -> Hint | None:
    """About a key nobody knows in the table at `path`, which takes the `known` ones."""
    if not path:
        return _at_the_top(document, key, value, known)
    if key in top_level.PLAIN_KEYS and document.has(("actors",)):
        return top_level.below_a_table(document, (*path, key))
    if path[-1] == "source":
        return source_hints.unknown_key(document, path, key, value)
    if path[-1] == "git_ref":
        return source_hints.unknown_ref(document, path, key)
    if len(path) == 2 and path[0] in _SECTIONS:
        return _in_actor(document, path, key, value, known)
    if path[:2] == ("litellm", "models") and len(path) == 3 and key in _PARAMETERS:
        fix = move_into(document, (*path, key), "litellm_params")
        return Hint(help="it is one of the `litellm_params`", fix=fix)
    if path[0] == "tui" and len(path) == 2 and isinstance(value, str):
        return _outside_bindings(document, path, key, value)
    return None


def is_meant_by(path: KeyPath, wanted: str, key: str, value: Any) -> bool:
    """Whether a key nobody knows in the table at `path` stands for one that is missing there."""
    if len(path) != 2 or path[0] not in _SECTIONS:
        return False
    names_source = key in SOURCE_KEYS or key == path[0] or _is_actor(value)
    return _SYNONYMS.get(key) == wanted or (wanted == "source" and names_source)


def is_lost(document: Document, path: KeyPath, key: str) -> bool:
    """Whether the table at `path` has the key in another place: in a table at the top that is
    called like it, in part or as a whole in quotes."""
    names = [str(part) for part in path]
    return any(document.has((name, key)) for name in (".".join(names), *names[-1:]))


def missing_key(document: Document, path: KeyPath, key: str) -> Hint | None:
    """About a key that the table at `path` needs."""
    if key == "source" and path[:1] and path[0] in _SECTIONS:
        return Hint(help='add `source = { path = "…" }` or `source = { git = "…" }`')
    if key == "actor_id" and not path:
        folder = PurePosixPath(document.file).parent.name
        name = re.sub(r"[^a-z0-9_-]+", "_", folder.lower()) or "actor"
        line = f'actor_id = "example:{name}"'
        start = document.index.span(0, 0)
        fix = Fix(title=f"add `{line}`", edits=(Edit(start, f"{line}\n"),))
        return Hint(help=f"name the kind of actor by `namespace:name`, like `{line}`", fix=fix)
    return Hint(help=_A_MODEL) if (*path, key) == ("litellm", "models") else None


def is_config(key: str) -> bool:
    """Whether a key nobody knows in an actor's table probably stands for `config`."""
    return _SYNONYMS.get(key) == "config"


def wrong_shape(
    document: Document, path: KeyPath, value: Any, wanted: Collection[str], *, of_tables: bool
) -> Hint | None:
    """About a value of another type than the key at `path` takes.

    Args:
        document: the file.
        path: of the value.
        value: what is there.
        wanted: names of JSON types.
        of_tables: whether an array that is wanted is one of tables.
    """
    if len(path) == 2 and path[0] in _NAMED and path[1] in top_level.PLAIN_KEYS:
        return top_level.below_a_table(document, path)
    if of_tables and isinstance(value, dict):
        return _doubled_brackets(document, path)
    if (
        isinstance(value, list)
        and "object" in wanted
        and not (len(path) == 1 and path[0] in _NAMED)
    ):
        if document.is_section(path):
            return _single_brackets(document, path, len(value))
        if len(value) == 1 and isinstance(value[0], dict):
            return rewritten(document, path, document.text(document.value((*path, 0))), sure=True)
    if path[-1:] == ("source",):
        return source_hints.wrong_shape(document, path, value)
    if isinstance(value, str) and path[-1:] == ("git_ref",):
        return source_hints.ref_as_string(document, path, value)
    if path[:1] == ("models",) and path[2:] == ("api_key",) and isinstance(value, str):
        # Loaded for such a key only: it brings the table of providers.
        from wasmind_compiler.frontend.model_hints import literal_key

        return literal_key(document, path, value)
    if path[-1:] in (("grants",), ("capabilities",)) and isinstance(value, list):
        return grant_hints.listed(document, path, value)
    if path[:1] and path[0] in _NAMED:
        return _wrong_entry(document, path, value)
    return None


def missing_lead(path: KeyPath, table: Mapping[str, Any]) -> str | None:
    """Help for a table that lacks the key which says what kind of table it is."""
    if path[-1:] == ("git_ref",) and not table:
        return "remove it for the default branch"
    return source_hints.SHAPES if path[-1:] == ("source",) else None


def bad_name(document: Document, path: KeyPath, name: str) -> Hint | None:
    """About a name in the table at `path` that cannot be one."""
    stripped = name.strip()
    if not stripped.isprintable() or not stripped or document.has((*path, stripped)):
        return None
    title = f"write `{stripped}`"
    return Hint(fix=renamed_key(document, (*path, name), stripped, title, applicability="always"))


def bad_value(document: Document, path: KeyPath, value: Any) -> Hint | None:
    """About a value that the key at `path` cannot have."""
    if path[-2:] == ("source", "path") and value == "":
        hint = rewritten(document, path, '"."')
        return Hint(help='write `"."` if the folder of this file is meant', fix=hint.fix)
    if path[-2:] == ("source", "library"):
        return _library_name(document, path, str(value))
    if "http" in path[-3:] and path[0] in _GRANTING:
        return grant_hints.bad_value(document, path, value)
    if path[:2] == ("run", "credentials") and isinstance(value, str):
        return credential_hints.bad_value(document, path, value)
    return Hint(help=_A_MODEL) if (path, value) == (("litellm", "models"), []) else None


def _library_name(document: Document, path: KeyPath, name: str) -> Hint:
    plain = re.sub(r"[\s-]+", "_", name.strip().lower())
    if plain.isascii() and plain.isidentifier():
        return rewritten(document, path, quoted(plain))
    return Hint(help='name an actor shipped with Wasmind, like `"assistant"`')


def _at_the_top(document: Document, key: str, value: Any, known: Collection[str]) -> Hint | None:
    if "starting_actors" in known:
        return top_level.unknown_key(document, key, value)
    return _in_manifest(document, key, value) if "actor_id" in known else None


def _in_manifest(document: Document, key: str, value: Any) -> Hint | None:
    if is_config(key) or key == "config":
        return Hint(help=_DEFAULTS) if isinstance(value, dict) else None
    if _SYNONYMS.get(key, key) == "grants":
        return _needed_capabilities(document, key)
    if key != "actors" or not isinstance(value, dict) or document.has(("dependencies",)):
        if key not in top_level.OF_CONFIGS:
            return None
        return Hint(help=f"`{key}` belongs in the config; a manifest describes one actor")
    fix = renamed_key(document, (key,), "dependencies", "rename to `dependencies`")
    return Hint(help="a manifest names the actors it needs in `[dependencies]`", fix=fix)


def _needed_capabilities(document: Document, key: str) -> Hint:
    fix = None
    if not document.has(("capabilities",)):
        title = "rename to `capabilities`"
        fix = renamed_key(document, (key,), "capabilities", title, applicability="always")
    help_line = "a manifest names what the actor needs in `[capabilities]`; users grant it"
    return Hint(help=help_line, fix=fix)


def _in_actor(
    document: Document, path: KeyPath, key: str, value: Any, known: Collection[str]
) -> Hint | None:
    if key == path[0] and isinstance(value, dict) and path[1] in value:
        return _own_path(document, path)
    if _is_actor(value):
        return _dotted_name(document, path, key)
    if key == "name":
        label = Label(document.header(path), "this is the name")
        return Hint(
            message=f"`name` has no meaning in `{dotted(path)}`",
            labels=(label,),
            help="the header names the actor; remove the key",
        )
    if key in SOURCE_KEYS:
        return _beside_source(document, path, key, value)
    meant = _SYNONYMS.get(key)
    if meant is None or meant not in known or document.has((*path, meant)):
        return None
    title = f"rename to `{meant}`"
    fix = renamed_key(document, (*path, key), meant, title, applicability="always")
    return Hint(help=f"it is called `{meant}`", fix=fix)


def _outside_bindings(document: Document, path: KeyPath, key: str, value: str) -> Hint | None:
    """A key that is bound beside `key_bindings` instead of in it."""
    is_sure = value in ACTIONS or is_swapped(key, value) or bool(nearest(value, ACTIONS))
    if not is_sure and not is_key(key):
        return None
    fix = move_into(document, (*path, key), "key_bindings")
    if fix is not None and not is_sure:
        fix = fix._replace(applicability="maybe")
    return Hint(help="keys are bound in `key_bindings`", fix=fix)


def _own_path(document: Document, path: KeyPath) -> Hint:
    """Keys inside a section that repeat its name, like `actors.desk.source` in `[actors.desk]`."""
    prefix, name = dotted(path), (*path, *path)
    repeated = document.at(name)
    edits = []
    for key in repeated if isinstance(repeated, dict) else ():
        leaf = document.key((*name, key))
        start = document.index.offset(leaf.start.line, 1)
        end = document.index.offset(leaf.start.line, leaf.start.column)
        written = document.index.text[start:end]
        if re.sub(r"\s", "", written) == f"{prefix}.":
            start += len(written) - len(written.lstrip())
            edits.append(Edit(document.index.span(start, end), ""))
    title = f"remove `{prefix}.`"
    fix = Fix(title=title, edits=tuple(edits), applicability="always") if edits else None
    return Hint(
        message=f"`{prefix}` inside `[{prefix}]` means `{dotted(name)}`",
        labels=(Label(document.header(path), "the keys below belong to this table already"),),
        help=f"write the keys without `{prefix}.`",
        fix=fix,
    )


def _beside_source(document: Document, path: KeyPath, key: str, value: Any) -> Hint:
    """A key of a source's table, written in the actor's table."""
    fix = move_into(document, (*path, key), "source")
    if document.has((*path, "source")) or not isinstance(value, str):
        return Hint(help="it is a key of `source`", fix=fix)
    return Hint(help=f"write `source = {{ {key} = {quoted(value)} }}`", fix=fix)


def _is_actor(value: Any) -> bool:
    return isinstance(value, dict) and ("source" in value or "config" in value)


def _dotted_name(document: Document, path: KeyPath, key: str) -> Hint:
    section, name = path
    label = Label(document.key(path), f"read as an actor `{name}`")
    whole = (section, f"{name}.{key}")
    title = f"write `[{dotted(whole)}]`"
    return Hint(
        message=f"`{name}.{key}` is not one name: the dot makes `{key}` a table inside `{name}`",
        labels=(label,) if document.is_section(path) else (),
        help=f"{title}, or a name without a dot",
        fix=renamed_section(document, (*path, key), whole, title),
    )


def _wrong_entry(document: Document, path: KeyPath, value: Any) -> Hint | None:
    """About a section of actors or models, or the table of one of them, of another type."""
    section, what = path[0], "model" if path[0] == "models" else "actor"
    if len(path) == 1:
        names = value if isinstance(value, list) else []
        named = [x.get("name") if isinstance(x, dict) else x for x in names]
        first = next((name for name in named if isinstance(name, str)), "NAME")
        return Hint(help=f"write a table `[{dotted((section, first))}]` for each {what}")
    if len(path) != 2 or not isinstance(value, str):
        return None
    if section == "models":
        kind = f'kind = "scripted", script = {quoted(value)}'
        if not value.endswith(".toml"):
            kind = f'kind = "PROVIDER", model = {quoted(value)}'
        return rewritten(document, path, f"{{ {kind} }}")
    source = source_hints.from_string(value)
    return rewritten(document, path, f"{{ source = {source} }}", sure=True)


def _single_brackets(document: Document, path: KeyPath, count: int) -> Hint:
    what = "an actor" if len(path) == 2 and path[0] in _SECTIONS else "it"
    help_line = f"write `[{dotted(path)}]`: {what} is one table, not an array of tables"
    if count != 1:
        return Hint(help=help_line)
    span = document.header((*path, 0))
    text = document.text(span)
    fix = Fix(
        title=f"write `{text[1:-1]}`",
        edits=(Edit(span, text[1:-1]),),
        applicability="always",
    )
    return Hint(help=help_line, fix=fix if text.startswith("[[") else None)


def _doubled_brackets(document: Document, path: KeyPath) -> Hint:
    text, name = document.text(document.header(path)), dotted(path)
    if text.startswith("["):
        return rewritten(document, path, f"[{text}]", sure=True)
    if document.is_section(path) or document.is_dotted(path):
        return Hint(help=f"begin every element with `[[{name}]]`")
    return rewritten(document, path, f"[{document.text(document.value(path))}]", sure=True)
