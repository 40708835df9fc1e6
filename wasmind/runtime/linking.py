"""Joins a component's imports with host interfaces, and finds its exports."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import wasmtime
from wasmtime import WasmtimeError
from wasmtime import _ffi as ffi
from wasmtime.component import Component, Linker, LinkerInstance, ResourceType
from wasmtime.component import _types as reflected

from wasmind.records import Record
from wasmind.runtime import abi
from wasmind.runtime.errors import EngineError
from wasmind.runtime.host import door
from wasmind.runtime.host.interface import Interface

ACTOR_INTERFACE: Final = "wasmind:actor/actor@0.1.0"
CONTRACT_INTERFACE: Final = "wasmind:ext/contract@0.1.0"
MAILBOX_INTERFACE: Final = "wasmind:ext/mailbox@0.1.0"

#: Host interface versions; a guest built for the same major and minor number fits.
_VERSIONS: Final = {"wasmind:actor": "0.1", "wasmind:ext": "0.1", "wasi": "0.2"}

# Type-only: components import them because other interfaces use their types.
_TYPE_ONLY: Final = ("wasmind:actor/actor", "wasmind:ext/types")


_NO_FINALIZER: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(0)


class Export(Record):
    """An exported function of a component, valid for all its instances."""

    index: Any
    signature: abi.Signature


@dataclass(slots=True)
class Linked:
    """A component ready to be instantiated.

    Attributes:
        actor: functions of the actor interface by canonical name; empty if it is not exported.
        contract: likewise for the contract interface.
        mailbox: likewise for the mailbox interface, which takes messages as text.
        files: whether its WASI is wasmtime's, with files; its stores then get the granted folders.
    """

    component: Component
    linker: Linker
    actor: Mapping[str, Export]
    contract: Mapping[str, Export]
    mailbox: Mapping[str, Export]
    files: bool = False
    keep: list[Any] = field(default_factory=list)


def link(
    engine: wasmtime.Engine,
    component: Component,
    interfaces: Sequence[Interface],
    *,
    files: bool = False,
) -> Linked:
    """Define every import of `component` that `interfaces` offer.

    WASI functions we do not offer are linked as traps: toolchains import more than they call.

    Args:
        engine: that compiled it.
        component: what to link.
        interfaces: what there is.
        files: use wasmtime's WASI instead of ours, for a component that was granted folders and
            reaches them through WASI. It shares resource types among all its interfaces, so one
            cannot have its files and our streams. It has no sockets either way.

    Raises:
        EngineError: an import nobody offers, or one of another version or type.
    """
    offered = {interface.name: interface for interface in interfaces}
    linker = Linker(engine)
    linker.allow_shadowing = True
    keep: list[Any] = []
    try:
        if files:
            # No traps then: a trap under the exact version would win over wasmtime's own version.
            linker.add_wasip2()
            offered = {name: item for name, item in offered.items() if _family(name) != "wasi"}
        else:
            # Order matters: definitions shadow traps, traps would hide definitions.
            linker.define_unknown_imports_as_traps(component)
        component_type = component.type
        with linker.root() as root:
            for name, extern in component_type.imports(engine).items():
                _define(engine, root, name, extern.ty, offered, keep)
        exports = component_type.exports(engine)
        mailbox = _exports(engine, component, exports, MAILBOX_INTERFACE)
        if any(not abi.MessageArguments.fit(export.signature) for export in mailbox.values()):
            raise EngineError(f"the component exports another `{MAILBOX_INTERFACE}` than ours")
        return Linked(
            component,
            linker,
            _exports(engine, component, exports, ACTOR_INTERFACE),
            _exports(engine, component, exports, CONTRACT_INTERFACE),
            mailbox,
            files,
            keep,
        )
    except WasmtimeError as error:
        raise EngineError(f"cannot link: {error}") from None


def _define(
    engine: wasmtime.Engine,
    root: LinkerInstance,
    full_name: str,
    kind: Any,
    offered: Mapping[str, Interface],
    keep: list[Any],
) -> None:
    name, _, version = full_name.partition("@")
    family = _family(name)
    interface = offered.get(name)
    if interface is None:
        if family == "wasi" or name in _TYPE_ONLY:
            return
        raise EngineError(f"the component imports `{full_name}`, which this host does not offer")
    wanted = _VERSIONS.get(family, version)
    if version != wanted and not version.startswith(f"{wanted}."):
        raise EngineError(f"the component imports `{full_name}`; this host offers {wanted}.x")
    if not isinstance(kind, reflected.ComponentInstanceType):
        raise EngineError(f"the component imports `{full_name}`, but not as an interface")
    with root.add_instance(full_name) as instance:
        for resource, tag in interface.resources.items():
            instance.add_resource(resource, ResourceType.host(tag), _drop)
        for item, extern in kind.exports(engine).items():
            item_type = extern.ty
            if isinstance(item_type, reflected.FuncType):
                _define_function(instance, interface, item, item_type, keep)


def _family(name: str) -> str:
    return "wasi" if name.startswith("wasi:") else name.partition("/")[0]


def imports_files(engine: wasmtime.Engine, component: Component) -> bool:
    """Whether a component could reach files through WASI."""
    return any(name.startswith("wasi:filesystem/") for name in component.type.imports(engine))


def _drop(_store: Any, rep: int) -> None:
    door.dropped(rep)


def _define_function(
    instance: LinkerInstance,
    interface: Interface,
    name: str,
    kind: reflected.FuncType,
    keep: list[Any],
) -> None:
    function = interface.functions.get(name)
    if function is None:
        if interface.name.startswith("wasi:"):
            return  # stays a trap
        raise EngineError(f"`{interface.name}` has no function `{name}`")
    callback = abi.host_function(kind, door.passage(interface, name, function))
    encoded = name.encode()
    abi.raise_if(
        ffi.wasmtime_component_linker_instance_add_func(
            instance.ptr(),
            ctypes.create_string_buffer(encoded),
            len(encoded),
            callback,
            None,
            _NO_FINALIZER,
        )
    )
    keep.append(callback)


def _exports(
    engine: wasmtime.Engine, component: Component, exports: Mapping[str, Any], interface: str
) -> dict[str, Export]:
    extern = exports.get(interface)
    if extern is None:
        return {}
    instance = component.get_export_index(interface)
    found = {}
    for name, item in extern.ty.exports(engine).items():
        kind = item.ty
        if isinstance(kind, reflected.FuncType):
            index = component.get_export_index(name, instance)
            found[name] = Export(index, abi.Signature.of(kind, guest_resources=True))
    return found
