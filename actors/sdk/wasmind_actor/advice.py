"""What an actor's code shows to be a mistake before any of it runs."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, NoReturn, Union, get_args, get_origin

from wasmind_actor.actor import Actor
from wasmind_actor.findings import (
    CANNOT_LOAD,
    NO_DESCRIPTION,
    NOT_TEXT,
    OWN_CONSTRUCTOR,
    Finding,
    Subject,
    subject_of,
)
from wasmind_actor.signatures import result_of
from wasmind_actor.sources import Sources
from wasmind_actor.struct import members
from wasmind_actor.tools import Deferred, ToolMethod, ToolResult

_TEXT_HELP: Final = "return text, a `ToolResult` or `call.defer()`"
_LITERALS: Final = (
    *(ast.Dict, ast.List, ast.Tuple, ast.Set),
    *(ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp),
)


def advise(cls: type[Actor[Any]], sources: Sources) -> Iterator[Finding]:
    """The mistakes in an actor whose declarations are in order."""
    yield from _own_constructor(cls, sources)
    for tool in cls.tool_methods.values():
        yield from _no_description(cls, tool)
        yield from _not_text(tool, getattr(cls, tool.method), sources)
        yield from _unknown_setting(cls, tool)
    yield from _same_names(cls)


def _own_constructor(cls: type[Actor[Any]], sources: Sources) -> Iterator[Finding]:
    for base in cls.__mro__:
        if "__init__" in vars(base) and sources.full_name(base.__module__) is not None:
            yield Finding(
                code=OWN_CONSTRUCTOR,
                message=f"`{base.__name__}` overrides `__init__`, which is the library's",
                subject=subject_of(vars(base)["__init__"]),
                help="move what it does into `start`, which is called once the configuration is"
                " read",
            )


def _no_description(cls: type[Actor[Any]], tool: ToolMethod) -> Iterator[Finding]:
    if not tool.description.strip():
        yield Finding(
            code=NO_DESCRIPTION,
            message=f"tool `{tool.name}` has no description",
            subject=subject_of(getattr(cls, tool.method)),
            help="add a docstring: it is all a model knows of what the tool does",
        )


def _not_text(tool: ToolMethod, method: Any, sources: Sources) -> Iterator[Finding]:
    annotation = result_of(method)
    if not _may_be_result(annotation):
        yield Finding(
            code=NOT_TEXT,
            message=f"tool `{tool.name}` returns `{_shown(annotation)}`",
            subject=subject_of(inspect.unwrap(method), "return"),
            help=_TEXT_HELP,
        )
        return
    found = sources.find(subject_of(inspect.unwrap(method)))
    if not isinstance(found, ast.FunctionDef):
        return
    body = list(_own_nodes(found))
    returned = [each for each in body if isinstance(each, ast.Return) and each.value is not None]
    for each in returned:
        if _is_certainly_not_text(each.value):
            yield Finding(
                code=NOT_TEXT,
                message=f"tool `{tool.name}` returns something other than text here",
                subject=Subject(module=method.__module__, line=each.lineno),
                help=_TEXT_HELP,
            )
    if not returned and not any(map(_may_not_return, body)):
        yield Finding(
            code=NOT_TEXT,
            message=f"tool `{tool.name}` returns nothing",
            subject=subject_of(inspect.unwrap(method)),
            help=_TEXT_HELP,
        )


def _may_not_return(node: ast.AST) -> bool:
    """Whether a function with this in it need not come to its end."""
    if isinstance(node, ast.While):
        return isinstance(node.test, ast.Constant) and bool(node.test.value)
    if isinstance(node, ast.Call):
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        return name in ("exit", "quit")
    return isinstance(node, ast.Raise | ast.Yield | ast.YieldFrom)


def _may_be_result(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _may_be_result(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return all(_may_be_result(each) for each in get_args(annotation))
    if get_origin(annotation) is Literal:
        return all(isinstance(each, str) for each in get_args(annotation))
    if annotation is type(None) or get_origin(annotation) is not None:
        return False
    if annotation is NoReturn or getattr(annotation, "__name__", "") == "Never":
        return True
    if not isinstance(annotation, type) or annotation in (object, inspect.Signature.empty):
        return True  # anything, or nobody knows
    return issubclass(annotation, str | ToolResult | Deferred)


def _is_certainly_not_text(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Constant):
        return not isinstance(value.value, str)
    return isinstance(value, _LITERALS)


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """What is in a function, but not in functions inside it."""
    for each in ast.iter_child_nodes(function):
        if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield each
            yield from _own_nodes(each)


def _unknown_setting(cls: type[Actor[Any]], tool: ToolMethod) -> Iterator[Finding]:
    settings = members(cls.config_class) if cls.config_class else ()
    if tool.when is not None and tool.when not in {each.name for each in settings}:
        yield Finding(
            code=CANNOT_LOAD,
            message=f"tool `{tool.name}` is offered when `{tool.when}` is set, which is no setting",
            subject=subject_of(getattr(cls, tool.method)),
            help=f"add `{tool.when}: bool` to the actor's `Config`",
        )


def _same_names(cls: type[Actor[Any]]) -> Iterator[Finding]:
    first: dict[str, Any] = {}
    for attribute in dir(cls):
        method = getattr(cls, attribute, None)
        name = getattr(method, "__tool__", {}).get("name")
        if name is None:
            continue
        other = first.setdefault(name, method)
        if other is not method:
            yield Finding(
                code=CANNOT_LOAD,
                message=f"two methods are the tool `{name}`",
                subject=subject_of(method),
                help="name one of them otherwise",
                others=((subject_of(other), "the other one"),),
            )


def _shown(annotation: Any) -> str:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return "None" if annotation is type(None) else annotation.__name__
    return str(annotation).replace("typing.", "")
