"""The sections of a config: what was meant by a name nobody knows at the top of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from wasmind_compiler.diagnostics import Applicability, Fix, Label
from wasmind_compiler.diagnostics.suggestions import nearest
from wasmind_compiler.frontend.actor_entry import ENTRY_KEYS, is_usable
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.hint import Hint
from wasmind_compiler.frontend.key_path import KeyPath, dotted
from wasmind_compiler.frontend.sections import lifted_key, renamed_key, renamed_section

#: Keys of the file itself, which stand above its first table.
PLAIN_KEYS: Final = frozenset({"starting_actors"})
_SECTIONS: Final = ("actors", "actor_overrides", "models", "litellm", "tui", "run")
_KNOWN: Final = (*_SECTIONS, "starting_actors", "name")
OF_CONFIGS: Final = frozenset({*_SECTIONS, *PLAIN_KEYS})
#: What people call a section who know other tools.
_SYNONYMS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("overrides", "override", "actors_overrides"), "actor_overrides"),
    **dict.fromkeys(("agents", "agent"), "actors"),
    **dict.fromkeys(("start", "starting", "start_actors", "initial_actors"), "starting_actors"),
}
_OF_MANIFESTS: Final = frozenset(
    {"actor_id", "dependencies", "required_spawn_with", "build", "capabilities", "contract"}
)
#: Tables in which anything may stand.
_FREE: Final = frozenset({"config", "litellm_params", "env_overrides"})


def unknown_key(document: Document, key: str, value: Any) -> Hint | None:
    """About a key nobody knows at the top of a config."""
    if "actor_id" in document.data and "starting_actors" not in document.data:
        return Hint(help="this is an actor's manifest: name a config whose `[actors]` has it")
    quoted = _unquoted(key)
    if quoted is not None:
        where = dotted(quoted)
        fix = renamed_section(document, (key,), quoted, f"write `[{where}]`", "always")
        message = f'`["{key}"]` is one name; the dots in it part nothing'
        return Hint(message=message, help=f"write `[{where}]`", fix=fix)
    place = _place_of_actor(document, key, value)
    if place is not None:
        return _moved(document, key, place)
    meant = _meant(key, value)
    if len(meant) == 1:
        title = f"rename to `{meant[0]}`"
        fix = renamed_key(document, (key,), meant[0], title, applicability="always")
        return Hint(help=f"did you mean `{meant[0]}`?", fix=fix)
    if key in _OF_MANIFESTS:
        return Hint(help=f"`{key}` is a key of actors' manifests; a config has `[actors]`")
    return None


def hides(document: Document, section: str) -> bool:
    """Whether tables of a section may be elsewhere, because it is misspelled or of another type."""
    inner = document.data.get(section, {})
    if not isinstance(inner, dict):
        return True
    if not all(is_usable(name) and isinstance(table, dict) for name, table in inner.items()):
        return True
    others = (key for key, value in document.data.items() if isinstance(value, dict))
    return any(nearest(key, (section,)) for key in others)


def doubtful(document: Document) -> frozenset[str]:
    """The sections and keys of a config whose content may only be misplaced, because a name is
    misspelled or something has another type."""
    data = document.data
    found = {section for section in _SECTIONS if not isinstance(data.get(section, {}), dict)}
    found |= {section for section in ("actors", "actor_overrides") if hides(document, section)}
    if _hides_models(data):
        found.add("models")
    for key, value in data.items():
        if key not in _KNOWN:
            found.update(_meant(key, value), map(str, (_unquoted(key) or ())[:1]))
            found |= {"actors"} if _is_actor(value) else set()
    below = (path for path in _judged(data, ()) if len(path) > 1 and path[0] in _SECTIONS)
    if "actor_id" in data or any(path[-1] in PLAIN_KEYS for path in below):
        found.add("starting_actors")
    return frozenset(found)


def _hides_models(data: Mapping[str, Any]) -> bool:
    """Whether the name of a model cannot be read where one should be."""
    own, proxy = data.get("models", {}), data.get("litellm")
    if isinstance(own, dict) and not all(_has_kind(x) for x in own.values()):
        return True
    proxied = proxy.get("models") if isinstance(proxy, dict) else None
    if proxy is not None and not (isinstance(proxied, list) and proxied):
        return True
    return any(not isinstance(x, dict) or "model_name" not in x for x in proxied or ())


def _has_kind(model: Any) -> bool:
    return isinstance(model, dict) and isinstance(model.get("kind"), str)


def is_misplaced(document: Document, name: str) -> bool:
    """Whether a table about an actor is in a section whose name is misspelled or in quotes."""
    for key, value in document.data.items():
        if key in _KNOWN or not isinstance(value, dict):
            continue
        if (name in value and _meant(key, value)) or name in (_unquoted(key) or ())[1:2]:
            return True
    return False


def below_a_table(document: Document, path: KeyPath) -> Hint:
    """A key of the file itself that stands below a `[table]`, which it then belongs to."""
    key, table = str(path[-1]), path[:-1]
    return Hint(
        message=f"`{key}` belongs to `{dotted(table)}` here, not to the file",
        labels=(Label(document.header(table), "everything below belongs to this table"),),
        help=f"move `{key}` above the first `[table]`",
        fix=lifted_key(document, path),
    )


def lost_key(document: Document, key: str) -> KeyPath | None:
    """Where a key of the file itself stands in a table in which anything may stand."""
    return next((path for path in _all(document.data, ()) if path[-1] == key), None)


def _place_of_actor(document: Document, key: str, value: Any) -> KeyPath | None:
    """Where the table of an actor belongs that is called like a section."""
    if not isinstance(value, dict):
        return None
    for section in ("actors", "actor_overrides"):
        if document.has((section, key)):
            return (section, key)
    return ("actors", key) if "source" in value and not _meant(key, value) else None


def _moved(document: Document, key: str, place: KeyPath) -> Hint:
    where = dotted(place)
    known = ENTRY_KEYS["actors"].issuperset(document.data[key])
    applicability: Applicability = "always" if known else "maybe"
    fix: Fix | None = renamed_section(document, (key,), place, f"write `[{where}]`", applicability)
    return Hint(help=f"did you mean `[{where}]`?", fix=fix)


def _unquoted(key: str) -> KeyPath | None:
    """The path that was put in quotes as a whole, as in `["actors.desk"]`."""
    parts = tuple(key.split("."))
    return parts if len(parts) > 1 and parts[0] in _SECTIONS and all(parts) else None


def _meant(key: str, value: Any) -> tuple[str, ...]:
    """The known names that a key may stand for, by its look and by the type of its value."""
    if key in _SYNONYMS:
        candidates: tuple[str, ...] = (_SYNONYMS[key],)
    else:
        candidates = nearest(key, _KNOWN)
    is_table = isinstance(value, dict)
    return tuple(name for name in candidates if (name in _SECTIONS) == is_table)


def _is_actor(value: Any) -> bool:
    """Whether a table looks like an actor's."""
    return isinstance(value, dict) and "source" in value


def _judged(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    """The paths of all keys in tables that have a schema of ours."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            if key not in _FREE:
                yield from _judged(inner, (*path, key))


def _all(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from _all(inner, (*path, key))
