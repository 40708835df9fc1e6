"""An actor's contract, read off its code: what it handles, emits, offers and needs.

The JSON is described in `docs/CONTRACT.md`. Nothing is run but the actor's modules themselves; what
they send and use is found in their bytecode, and what they give to functions in their sources.
"""

from __future__ import annotations

import dis
import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final, TypeAlias

from wasmind_actor.actor import Actor
from wasmind_actor.advice import advise
from wasmind_actor.calls import given_to
from wasmind_actor.findings import CANNOT_LOAD, Finding, collected, refuse, subject_of
from wasmind_actor.loading import load
from wasmind_actor.messages import (
    ExecuteToolCall,
    SystemPromptContribution,
    ToolCallStatusUpdate,
    ToolsAvailable,
    UserNotification,
)
from wasmind_actor.modules import ActorModules
from wasmind_actor.signatures import NOT_AT_RUN_TIME
from wasmind_actor.sources import Sources
from wasmind_actor.struct import declaring, members
from wasmind_actor.tools import SENT_BY_METHOD
from wasmind_actor.wire import Message, Record, schema_of

VERSION: Final = 1

#: Module that opens a capability to its name in manifests and plans.
CAPABILITIES: Final = {
    "wasmind_actor.agents": "agent",
    "wasmind_actor.command": "command",
    "wasmind_actor.files": "filesystem",
    "wasmind_actor.host": "host-info",
    "wasmind_actor.http": "http",
    "wit_world.imports.agent": "agent",
    "wit_world.imports.command": "command",
    "wit_world.imports.filesystem": "filesystem",
    "wit_world.imports.host_info": "host-info",
    "wit_world.imports.http": "http",
}
#: Every actor can talk, and reports its failures.
_ALWAYS: Final = ("logger", "messaging")

#: The code object of a module and all inside it.
_Nested: TypeAlias = Sequence[CodeType]

_IMPORT_NAME: Final = dis.opmap["IMPORT_NAME"]
_IMPORT_FROM: Final = dis.opmap["IMPORT_FROM"]


def describe(modules: ActorModules) -> str:
    """The contract of the actor in `modules`, as JSON; equal code gives equal text.

    What is wrong with the actor is among its findings, as far as it could be looked at; without a
    class there is nothing else. Findings and the rest have places where the sources are known.
    """
    sources = Sources(modules.sources)
    with collected() as found:
        cls = load(modules)
        document = {} if cls is None else _document(cls, modules, sources)
        if cls is not None:
            found += advise(cls, sources)
    document |= {
        "contract": VERSION,
        "findings": [_finding(each, sources) for each in dict.fromkeys(found)],
    }
    return json.dumps(document, sort_keys=True, ensure_ascii=False)


def _document(cls: type[Actor[Any]], modules: ActorModules, sources: Sources) -> dict[str, Any]:
    codes = {name: _nested(code) for name, code in modules.code()} | _inherited(cls)
    needs = {*_ALWAYS, *_capabilities(codes.values()), *_capabilities_of_bases(cls)}
    return {
        "name": cls.__name__,
        "summary": inspect.cleandoc(cls.__doc__ or "").partition("\n")[0],
        "handles": _handles(cls, sources),
        "emits": _emits(cls, codes, sources),
        "tools": _tools(cls, sources),
        "config": _schema(cls.config_class) if cls.config_class else None,
        "settings": _settings(cls.config_class, sources) if cls.config_class else {},
        "capabilities": sorted(needs),
        "programs": _programs(codes, sources),
        **_spawns(cls, codes, sources),
    }


def _finding(found: Finding, sources: Sources) -> dict[str, Any]:
    others = [
        {"text": text, "at": place}
        for subject, text in found.others
        if (place := sources.place(subject)) is not None
    ]
    return {
        "code": found.code,
        "message": found.message,
        "help": found.help,
        "notes": list(found.notes),
        "at": sources.place(found.subject),
        "others": others,
    }


def _schema(cls: type[Record]) -> dict[str, Any]:
    try:
        return schema_of(cls)
    except NameError as error:
        refuse(
            Finding(
                code=CANNOT_LOAD,
                message=f"an annotation in `{cls.__name__}` cannot be read: {error}",
                subject=subject_of(cls),
                help=NOT_AT_RUN_TIME,
            )
        )
        return {}


def _settings(cls: type[Record], sources: Sources) -> dict[str, Any]:
    """Where each setting is declared."""
    try:
        names = [each.name for each in members(cls)]
    except NameError:
        return {}  # which is a finding
    found = {name: sources.place(subject_of(declaring(cls, name), name)) for name in names}
    return {name: place for name, place in found.items() if place is not None}


def _handles(cls: type[Actor[Any]], sources: Sources) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    if cls.tool_methods:
        found[ExecuteToolCall.message_type] = _message(ExecuteToolCall, scope="own")
    for handler in (handler for group in cls.handlers.values() for handler in group):
        entry = found.setdefault(
            handler.message.message_type, _message(handler.message, scope="own")
        )
        if handler.scope == "any":
            entry["scope"] = "any"
        entry.setdefault("at", sources.place(subject_of(getattr(cls, handler.method))))
    return [found[name] for name in sorted(found)]


def _emits(
    cls: type[Actor[Any]], codes: Mapping[str, _Nested], sources: Sources
) -> list[dict[str, Any]]:
    classes: set[type[Message]] = {UserNotification}
    if cls.tool_methods:
        classes |= {ToolsAvailable, ToolCallStatusUpdate}
    if cls.contributions:
        classes.add(SystemPromptContribution)
    for name, nested in codes.items():
        classes |= set(_messages_used(nested, _namespace(name)))
    found = {
        each.message_type: _message(each, at=sources.place(subject_of(each))) for each in classes
    }
    return [found[name] for name in sorted(found)]


def _message(cls: type[Message], **more: Any) -> dict[str, Any]:
    return {"type": cls.message_type, "schema": _schema(cls), **more}


def _tools(cls: type[Actor[Any]], sources: Sources) -> list[dict[str, Any]]:
    tools = []
    for name in sorted(cls.tool_methods):
        method = cls.tool_methods[name]
        tools.append(
            {
                "name": name,
                "description": method.description,
                "parameters": method.schema(),
                "at": sources.place(subject_of(getattr(cls, method.method))),
                **({"when": method.when} if method.when else {}),
            }
        )
    return tools


def _spawns(
    cls: type[Actor[Any]], codes: Mapping[str, _Nested], sources: Sources
) -> dict[str, Any]:
    """What it puts into new agents: all names, and the lists that stand in its code."""
    if cls.spawns is not None:
        return {"spawns": sorted(cls.spawns), "agents": []}
    reaches = {name: "agent" in _capabilities([nested]) for name, nested in codes.items()}
    given = given_to("agents.spawn", "actors", reaches, sources)
    if _uses_wit(codes, "agent"):
        given = None
    lists = [each for each in given or () if isinstance(each.value, tuple)]
    agents = [{"actors": list(each.value), "at": each.place} for each in lists]
    if given is None or len(lists) < len(given):
        return {"spawns": None, "agents": agents}  # whatever its configuration or its code says
    return {"spawns": sorted({name for each in lists for name in each.value}), "agents": agents}


def _programs(codes: Mapping[str, _Nested], sources: Sources) -> list[str] | None:
    """The programs it starts; None if that cannot be told."""
    reaches = {name: "command" in _capabilities([nested]) for name, nested in codes.items()}
    if not any(reaches.values()):
        return []
    given = given_to("command.run", "program", reaches, sources)
    others = given_to("command.Command", "program", reaches, sources)
    if given is None or others is None or others or _uses_wit(codes, "command"):
        return None
    programs = {each.value for each in given}
    known = all(isinstance(each, str) for each in programs)
    return sorted(programs) if known else None


# --- bases that this library offers ---


def _library_bases(cls: type[Actor[Any]]) -> Iterator[type]:
    """The classes of this library that an actor is made of, but `Actor`, which needs nothing."""
    library = Actor.__module__.partition(".")[0]
    for base in cls.__mro__:
        if base is not Actor and base.__module__.partition(".")[0] == library:
            yield base


def _inherited(cls: type[Actor[Any]]) -> dict[str, _Nested]:
    """The code of methods that an actor has from bases of this library, by their modules."""
    found: dict[str, list[CodeType]] = {}
    for base in _library_bases(cls):
        methods = (value for value in vars(base).values() if isinstance(value, FunctionType))
        for method in methods:
            found.setdefault(base.__module__, []).extend(_nested(method.__code__))
    return dict(found)


def _capabilities_of_bases(cls: type[Actor[Any]]) -> set[str]:
    """What the modules of those bases import: an actor that builds on them needs it too."""
    modules = (
        value.__name__
        for base in _library_bases(cls)
        for value in vars(sys.modules[base.__module__]).values()
        if isinstance(value, ModuleType)
    )
    return {CAPABILITIES[name] for name in modules if name in CAPABILITIES}


# --- reading bytecode ---


def _nested(code: CodeType) -> _Nested:
    """The code object of a module and all inside it."""
    found = [code]
    for each in found:  # which grows on the way
        found += [constant for constant in each.co_consts if isinstance(constant, CodeType)]
    return found


def _imports(code: CodeType) -> Iterator[str]:
    """Full names of what a code object imports: `a.b` for `import a.b` and `from a import b`."""
    # `dis` would explain every instruction, which takes most of the time a contract does.
    operations, arguments = code.co_code[::2], code.co_code[1::2]
    if _IMPORT_NAME not in operations:
        return
    module, extended = "", 0
    for operation, low in zip(operations, arguments, strict=True):
        argument = extended << 8 | low
        extended = argument if operation == dis.EXTENDED_ARG else 0
        if operation == _IMPORT_NAME:
            module = code.co_names[argument]
            yield module
        elif operation == _IMPORT_FROM:
            yield f"{module}.{code.co_names[argument]}"


def _uses_wit(codes: Mapping[str, _Nested], interface: str) -> bool:
    """Whether the host is asked directly, and not through this library."""
    imported = {name for nested in codes.values() for each in nested for name in _imports(each)}
    return bool(imported & {"wit_world", "wit_world.imports", f"wit_world.imports.{interface}"})


def _capabilities(codes: Iterable[_Nested]) -> set[str]:
    used: set[str] = set()
    for code in (each for nested in codes for each in nested):
        imports = set(_imports(code))
        # `import wasmind_actor` reaches everything by attribute: what is named counts as used.
        if imports & {"wasmind_actor", "wit_world", "wit_world.imports"}:
            named = {name for each in _nested(code) for name in each.co_names}
            imports |= {each for each in CAPABILITIES if each.rpartition(".")[2] in named}
        used |= {CAPABILITIES[name] for name in imports if name in CAPABILITIES}
    return used


def _messages_used(nested: _Nested, namespace: dict[str, Any]) -> Iterator[type[Message]]:
    """The message classes that functions refer to: a function that names one sends it."""
    for each in nested:
        if not _is_function(each):
            continue
        for imported in _imports(each):
            module, _, name = imported.rpartition(".")
            yield from _as_message(_attribute(sys.modules.get(module), name))
        for name in each.co_names:
            value = namespace.get(name)
            yield from _as_message(value)
            if isinstance(value, ModuleType):
                for attribute in each.co_names:
                    yield from _as_message(_attribute(value, attribute))
            if name in SENT_BY_METHOD:
                yield SENT_BY_METHOD[name]


def _attribute(module: ModuleType | None, name: str) -> Any:
    # Some modules make names on demand, and may fail to: whoever uses them will hear of it.
    try:
        return getattr(module, name, None)
    except Exception:  # noqa: BLE001 - whatever strangers raise
        return None


def _is_function(code: CodeType) -> bool:
    # Neither a module nor a class body; nor the annotations of a function, which CPython 3.14
    # evaluates in one of their own.
    return bool(code.co_flags & inspect.CO_NEWLOCALS) and code.co_name != "__annotate__"


def _as_message(value: Any) -> Iterator[type[Message]]:
    cls = value if isinstance(value, type) else type(value)
    if issubclass(cls, Message) and cls.message_type:
        yield cls


def _namespace(name: str) -> dict[str, Any]:
    """The globals of one of the actor's modules; empty if nothing imported it."""
    module = sys.modules.get(name.removesuffix(".__init__"))
    return vars(module) if module else {}
