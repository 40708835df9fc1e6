"""An actor's contract, read off its code: what it handles, emits, offers and needs.

The JSON is described in `docs/CONTRACT.md`. Nothing is run but the actor's modules themselves; what
they send and use is found in their bytecode.
"""

from __future__ import annotations

import dis
import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import CodeType, ModuleType
from typing import Any, Final, TypeAlias

from wasmind_actor.actor import Actor
from wasmind_actor.messages import (
    ExecuteToolCall,
    SystemPromptContribution,
    ToolCallStatusUpdate,
    ToolsAvailable,
    UserNotification,
)
from wasmind_actor.modules import ActorModules
from wasmind_actor.tools import SENT_BY_METHOD
from wasmind_actor.wire import Message, schema_of

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

    Raises:
        EntryError: there is not exactly one actor.
    """
    codes = {name: _nested(code) for name, code in modules.code()}
    cls = modules.entry()
    document = {
        "contract": VERSION,
        "name": cls.__name__,
        "summary": inspect.cleandoc(cls.__doc__ or "").partition("\n")[0],
        "handles": _handles(cls),
        "emits": _emits(cls, codes),
        "tools": _tools(cls),
        "config": schema_of(cls.config_class) if cls.config_class else None,
        "capabilities": sorted({*_ALWAYS, *_capabilities(codes.values())}),
        "spawns": _spawns(cls, codes.values()),
    }
    return json.dumps(document, sort_keys=True, ensure_ascii=False)


def _handles(cls: type[Actor[Any]]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    if cls.tool_methods:
        found[ExecuteToolCall.message_type] = _message(ExecuteToolCall, scope="own")
    for handler in (handler for group in cls.handlers.values() for handler in group):
        entry = found.setdefault(
            handler.message.message_type, _message(handler.message, scope="own")
        )
        if handler.scope == "any":
            entry["scope"] = "any"
    return [found[name] for name in sorted(found)]


def _emits(cls: type[Actor[Any]], codes: Mapping[str, _Nested]) -> list[dict[str, Any]]:
    classes: set[type[Message]] = {UserNotification}
    if cls.tool_methods:
        classes |= {ToolsAvailable, ToolCallStatusUpdate}
    if cls.contributions:
        classes.add(SystemPromptContribution)
    for name, nested in codes.items():
        classes |= set(_messages_used(nested, _namespace(name)))
    found = {each.message_type: _message(each) for each in classes}
    return [found[name] for name in sorted(found)]


def _message(cls: type[Message], **more: str) -> dict[str, Any]:
    return {"type": cls.message_type, "schema": schema_of(cls), **more}


def _tools(cls: type[Actor[Any]]) -> list[dict[str, Any]]:
    tools = []
    for name in sorted(cls.tool_methods):
        method = cls.tool_methods[name]
        tools.append(
            {
                "name": name,
                "description": method.description,
                "parameters": method.schema(),
                **({"when": method.when} if method.when else {}),
            }
        )
    return tools


def _spawns(cls: type[Actor[Any]], codes: Iterable[_Nested]) -> list[str] | None:
    if cls.spawns is not None:
        return sorted(cls.spawns)
    for nested in codes:
        spawns = any("spawn" in each.co_names for each in nested)
        if spawns and "agent" in _capabilities([nested]):
            return None  # whatever its configuration or its code says
    return []


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
            yield from _as_message(getattr(sys.modules.get(module), name, None))
        for name in each.co_names:
            value = namespace.get(name)
            yield from _as_message(value)
            if isinstance(value, ModuleType):
                for attribute in each.co_names:
                    yield from _as_message(getattr(value, attribute, None))
            if name in SENT_BY_METHOD:
                yield SENT_BY_METHOD[name]


def _is_function(code: CodeType) -> bool:
    # Neither a module nor a class body; nor the annotations of a function, which CPython 3.14
    # evaluates in one of their own.
    return bool(code.co_flags & inspect.CO_NEWLOCALS) and code.co_name != "__annotate__"


def _as_message(value: Any) -> Iterator[type[Message]]:
    cls = type(value) if isinstance(value, Message) else value
    if isinstance(cls, type) and issubclass(cls, Message) and cls.message_type:
        yield cls


def _namespace(name: str) -> dict[str, Any]:
    """The globals of one of the actor's modules; empty if nothing imported it."""
    module = sys.modules.get(name.removesuffix(".__init__"))
    return vars(module) if module else {}
