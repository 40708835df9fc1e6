"""The forms of Python types in JSON: those that have none, and how models are told of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_origin

#: Any value, for providers that want a type everywhere.
_ANY: Final = ({"type": "string"}, {"type": "number"}, {"type": "boolean"}, {"type": "object"})
_GENERAL: Final = (
    "JSON has `str`, `int`, `float`, `bool`, `list[...]`, `Mapping[str, ...]`, `Literal`, enums of"
    " strings or integers, and subclasses of `Record`"
)
#: By module and name of the class.
_INSTEAD: Final[Mapping[str, str]] = {
    "builtins.bytes": "use `str`, holding base64 for example",
    "builtins.bytearray": "use `str`, holding base64 for example",
    "builtins.set": "use `list[...]`",
    "builtins.frozenset": "use `list[...]`",
    "builtins.tuple": "use `tuple[T, ...]` for items of one type, a `Record` for others",
    "builtins.dict": "the keys of a JSON object are strings: use `Mapping[str, ...]`",
    "collections.abc.Mapping": "the keys of a JSON object are strings: use `Mapping[str, ...]`",
    "datetime.datetime": "use `str`, as in `2030-01-31T12:00:00`",
    "datetime.date": "use `str`, as in `2030-01-31`",
    "datetime.time": "use `str`, as in `12:00:00`",
    "datetime.timedelta": "use `float` for seconds",
    "decimal.Decimal": "use `str` or `float`",
    "uuid.UUID": "use `str`",
    "pathlib.Path": "use `str`",
    "types.UnionType": "use variants, or records with a `tag`, to tell the cases apart",
    "typing.Union": "use variants, or records with a `tag`, to tell the cases apart",
}


class NoJsonFormError(TypeError):
    """JSON has nothing for an annotation; `help` says what to write instead."""

    def __init__(self, annotation: Any) -> None:
        super().__init__(f"`{_shown(annotation)}` has no JSON form")
        self.help = _help(annotation)


def _shown(annotation: Any) -> str:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__qualname__
    return str(annotation).removeprefix("typing.").replace("typing.", "")


def _help(annotation: Any) -> str:
    origin = get_origin(annotation) or annotation
    full = _full_name(origin)
    if full in _INSTEAD:
        return _INSTEAD[full]
    fields = ("__dataclass_fields__", "_fields", "__required_keys__", "model_fields")
    if any(hasattr(origin, each) for each in fields):
        return f"make `{getattr(origin, '__name__', origin)}` a subclass of `wasmind_actor.Record`"
    return _GENERAL


def _full_name(origin: Any) -> str:
    name = getattr(origin, "__qualname__", None) or getattr(origin, "_name", None) or ""
    module = str(getattr(origin, "__module__", ""))
    # Private modules that only some versions of Python have.
    module = {"pathlib._local": "pathlib", "_pydatetime": "datetime"}.get(module, module)
    return f"{module}.{name}"


def for_models(schema: Any) -> Any:
    """A schema that says a type everywhere, without which some providers refuse the request."""
    if not isinstance(schema, dict):
        return schema
    typed = dict(schema)
    for keyword in ("items", "additionalProperties"):
        if keyword in typed:
            typed[keyword] = for_models(typed[keyword])
    if "properties" in typed:
        typed["properties"] = {key: for_models(x) for key, x in typed["properties"].items()}
    if "anyOf" in typed:
        typed["anyOf"] = [for_models(each) for each in typed["anyOf"]]
    elif "type" not in typed:
        items = {"anyOf": [dict(each) for each in _ANY]}
        typed["anyOf"] = [*map(dict, _ANY), {"type": "array", "items": items}]
    return typed
