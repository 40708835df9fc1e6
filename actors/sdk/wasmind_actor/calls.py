"""What an actor's code gives to functions of this library, where the code says it literally."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from wasmind_actor.sources import Place, Sources

_LIBRARY: Final = "wasmind_actor"
#: What stands for a value that is not written down.
UNKNOWN: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The first argument of one call: its value or `UNKNOWN`, and where it is."""

    value: Any
    place: Place


def given_to(function: str, parameter: str, modules: Mapping[str, bool], sources: Sources) -> Any:
    """All first arguments a function of the library is called with.

    Args:
        function: like `agents.spawn`.
        parameter: the name of its first one.
        modules: whether each of the actor's modules can reach the function's module.
        sources: of the actor.

    Returns:
        What is given, in order; None where the sources are unknown, or the function is used other
        than by calling it.
    """
    found: list[Given] = []
    for module, reaches in modules.items():
        tree = sources.tree(module) if reaches else None
        if not reaches:
            continue
        if tree is None:
            return None
        names = _Names(tree, module)
        for node, is_called in names.uses(function):
            if not is_called:
                return None
            argument = _first(node, parameter)
            value = UNKNOWN if argument is None else names.value(argument)
            place = sources.node_place(module, argument or node)
            found.append(Given(value=value, place=place))
    return found


class _Names:
    """What names mean in one module: those imported from the library, and constants."""

    def __init__(self, tree: ast.Module, module: str) -> None:
        self._tree = tree
        self._module = module
        self._imported = dict(self._imports())
        self._constants = self._read_constants()

    def uses(self, function: str) -> Iterator[tuple[Any, bool]]:
        """Every use of a function of the library: the call, or whatever else names it."""
        wanted = f"{_LIBRARY}.{function}"
        module = wanted.rpartition(".")[0]
        if f"{module}.*" in self._imported.values():
            yield self._tree.body[0], False
        # Where a function is called, or a member of its module is named, nothing else is done.
        harmless = {
            id(node.func if isinstance(node, ast.Call) else node.value)
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Call | ast.Attribute)
        }
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call) and self._full_name(node.func) == wanted:
                yield node, True
            elif (
                isinstance(node, ast.Name | ast.Attribute)
                and id(node) not in harmless
                and self._full_name(node) in (wanted, module)
            ):
                yield node, False

    def value(self, node: ast.expr) -> Any:
        """What an expression is: a string, or a tuple of them."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.Name):
            return self._constants.get(node.id, UNKNOWN)
        if isinstance(node, ast.List | ast.Tuple):
            items = [self.value(each) for each in node.elts]
            return tuple(items) if all(isinstance(each, str) for each in items) else UNKNOWN
        return UNKNOWN

    def _imports(self) -> Iterator[tuple[str, str]]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Import):
                for each in node.names:
                    bound = each.asname or each.name.partition(".")[0]
                    yield bound, each.name if each.asname else bound
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for each in node.names:
                    yield each.asname or each.name, f"{node.module}.{each.name}"

    def _full_name(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            return self._imported.get(node.id)
        if isinstance(node, ast.Attribute):
            inner = self._full_name(node.value)
            return None if inner is None else f"{inner}.{node.attr}"
        return None

    def _read_constants(self) -> dict[str, Any]:
        """Names of the module that are bound once, to what can be read."""
        bound: dict[str, int] = {}
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                bound[node.id] = bound.get(node.id, 0) + 1
            elif isinstance(node, ast.arg):
                bound[node.arg] = bound.get(node.arg, 0) + 1
        self._constants = {}
        for each in self._tree.body:
            targets = each.targets if isinstance(each, ast.Assign) else []
            targets = [each.target] if isinstance(each, ast.AnnAssign) else targets
            for target in targets:
                if isinstance(target, ast.Name) and bound[target.id] == 1:
                    value = getattr(each, "value", None)
                    if value is not None:
                        self._constants[target.id] = self.value(value)
        return self._constants


def _first(call: ast.Call, parameter: str) -> ast.expr | None:
    if call.args:
        return None if isinstance(call.args[0], ast.Starred) else call.args[0]
    return next((each.value for each in call.keywords if each.arg == parameter), None)
