"""Whether methods have a form that can be called as tools, handlers and the like.

What an actor is asked to do is done when its method returns: a coroutine or a generator would never
run. And a model names every argument, so a tool has no others.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any, Final, get_type_hints

from wasmind_actor.codec import Anything, Codec, Field, Object
from wasmind_actor.findings import CANNOT_LOAD, NEVER_RUNS, Finding, refuse, subject_of
from wasmind_actor.json_form import NoJsonFormError
from wasmind_actor.struct import REQUIRED
from wasmind_actor.wire import codec_of, never_null

_LATER: Final = {
    inspect.CO_COROUTINE: "a coroutine function (`async def`)",
    inspect.CO_ITERABLE_COROUTINE: "a coroutine function",
    inspect.CO_ASYNC_GENERATOR: "a generator (`async def` with `yield`)",
    inspect.CO_GENERATOR: "a generator (it has a `yield`)",
}
#: How parameters that take any number are written.
_STARS: Final = {"*": inspect.CO_VARARGS, "**": inspect.CO_VARKEYWORDS}
NOT_AT_RUN_TIME: Final = "import what it names at run time, not only for type checkers"
#: Of a handler besides `self`: the message and its envelope.
_MOST_TAKEN: Final = 2


def judge_plain(function: Any, what: str) -> None:
    """Refuse a method that does nothing when it is called.

    Args:
        function: the method, as a function.
        what: it is, for the message.
    """
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    for flag, kind in _LATER.items():
        if flags & flag:
            refuse(
                Finding(
                    code=NEVER_RUNS,
                    message=f"{what} is {kind}, so calling it does nothing",
                    subject=subject_of(function),
                    help="make it a plain `def`: it may take its time, since what waits holds up"
                    " this actor only",
                )
            )
            return


def judge_handler(function: Any) -> int:
    """Refuse a handler that cannot be called; returns how much of message and envelope it takes."""
    name = getattr(function, "__name__", "")
    judge_plain(function, f"handler `{name}`")
    parameters = list(inspect.signature(function).parameters.values())[1:]
    needed = [
        each
        for each in parameters
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    named = [each for each in needed if each.kind is each.KEYWORD_ONLY]
    if len(needed) > _MOST_TAKEN or named:
        odd = (named or needed[_MOST_TAKEN:])[0]
        refuse(
            Finding(
                code=CANNOT_LOAD,
                message=f"handler `{name}` cannot be called: nothing is passed for `{odd.name}`",
                subject=subject_of(function, odd.name),
                help="a handler takes the message and the envelope, or less",
            )
        )
    return len(parameters)


def parameters_of(function: Callable[..., Any], tool: str, call: type) -> tuple[Object, str | None]:
    """The codec of a tool's parameters, and the name of the one that takes the call itself.

    Args:
        function: the tool's method.
        tool: its name, for messages.
        call: the class whose annotation asks for the call.
    """
    judge_plain(function, f"tool `{tool}`")
    inner = inspect.unwrap(function)
    code, hints = inner.__code__, _hints(inner)
    # Not `inspect.signature`, which is slow: every actor comes by here when it starts.
    count = code.co_argcount + code.co_kwonlyargcount
    names, starred = code.co_varnames[1:count], code.co_varnames[count:]
    defaults = _defaults(inner)
    call_parameter, fields = None, []
    for number, name in enumerate(names, 1):
        if hints.get(name) is call:
            call_parameter = name
        elif number < code.co_posonlyargcount:
            _refuse(inner, tool, name, "it cannot be passed by name, as a model does")
        elif name not in hints:
            _refuse(inner, tool, name, "it has no annotation")
        else:
            codec = _codec(inner, tool, name, hints[name])
            fields.append(never_null(Field(name, codec, defaults.get(name, REQUIRED))))
    stars = [x for x, flag in _STARS.items() if code.co_flags & flag]
    for each, name in zip(stars, starred, strict=False):
        advice = (
            "name each parameter; what there can be any number of is a list, like"
            " `items: list[str]`"
        )
        _refuse(inner, tool, name, f"`{each}{name}` cannot be offered to a model", advice)
    return Object(make=dict, fields=tuple(fields)), call_parameter


def _defaults(function: Any) -> dict[str, Any]:
    code, values = function.__code__, function.__defaults__ or ()
    positional = code.co_varnames[: code.co_argcount]
    found = dict(zip(positional[len(positional) - len(values) :], values, strict=True))
    return found | (function.__kwdefaults__ or {})


def result_of(function: Any) -> Any:
    """The annotation of what a function returns; `inspect.Signature.empty` if there is none."""
    return _hints(inspect.unwrap(function)).get("return", inspect.Signature.empty)


def _hints(function: Any) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError:
        return _hints_one_by_one(function)


def _hints_one_by_one(function: FunctionType) -> dict[str, Any]:
    """The annotations that can be evaluated as such, others as what they could not be."""
    found: dict[str, Any] = {}
    try:
        annotations = dict(function.__annotations__)
    except NameError:  # since CPython 3.14 they are evaluated on demand
        from annotationlib import Format, get_annotations  # type: ignore[import-not-found]

        annotations = get_annotations(function, format=Format.FORWARDREF)
    for name, annotation in annotations.items():
        try:
            alone = FunctionType(function.__code__, function.__globals__)
            alone.__annotations__ = {name: annotation}
            found.update(get_type_hints(alone, include_extras=True))
        except NameError as error:
            found[name] = error
    return found


def _codec(function: Any, tool: str, name: str, annotation: Any) -> Codec:
    if isinstance(annotation, NameError):
        _refuse(
            function, tool, name, f"its annotation cannot be read: {annotation}", NOT_AT_RUN_TIME
        )
        return Anything()
    try:
        return codec_of(annotation)
    except NoJsonFormError as error:
        _refuse(function, tool, name, str(error), error.help)
        return Anything()


def _refuse(function: Any, tool: str, parameter: str, reason: str, advice: str = "") -> None:
    refuse(
        Finding(
            code=CANNOT_LOAD,
            message=f"parameter `{parameter}` of tool `{tool}`: {reason}",
            subject=subject_of(function, parameter),
            help=advice or "give every parameter a name and an annotation, like `text: str`",
        )
    )
