"""Places in an actor's sources, for people who read what is wrong with it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from wasmind_actor.findings import Subject

#: File, and first and last line and column, from 1; the last column is behind the end.
Place: TypeAlias = dict[str, Any]
_Named: TypeAlias = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_NAMED = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Sources:
    """The source texts of an actor's modules.

    Args:
        texts: by name of the module; that of a package ends in `.__init__`.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._trees: dict[str, ast.Module] = {}

    def full_name(self, module: str) -> str | None:
        """The name under which a module, called as it is imported, is kept; None for others."""
        return next((x for x in (module, f"{module}.__init__") if x in self._texts), None)

    def tree(self, module: str) -> ast.Module | None:
        """The syntax tree of a module; None for a module of somebody else."""
        name = self.full_name(module)
        if name is None:
            return None
        if name not in self._trees:
            self._trees[name] = ast.parse(self._texts[name])
        return self._trees[name]

    def find(self, subject: Subject) -> ast.AST | None:
        """The class, function, field or parameter; None if there is no such thing."""
        tree = self.tree(subject.module)
        if tree is None or not subject.owner:
            return None
        found: ast.AST | None = tree
        for part in subject.owner.split("."):
            if part != "<locals>" and found is not None:
                found = next((x for x in _definitions(found) if x.name == part), None)
        if found is None or not subject.member:
            return found
        return _member(found, subject.member)

    def place(self, subject: Subject) -> Place | None:
        """Where a subject is; None if its module is somebody else's."""
        name = self.full_name(subject.module)
        if name is None:
            return None
        found = self.find(subject)
        if found is None and subject.member:
            # Inherited, perhaps: the class or function is the closest there is.
            return self.place(Subject(module=subject.module, owner=subject.owner))
        if found is not None:
            return self.node_place(subject.module, found)
        return self._line_place(name, subject.line or 1)

    def node_place(self, module: str, node: Any) -> Place:
        """Where a node of a module's tree is; for classes and functions, where their name is."""
        name = self.full_name(module) or module
        lines = self._lines(name)
        if isinstance(node, _NAMED):
            text = lines[node.lineno - 1]
            start = text.index(node.name, _column(text, node.col_offset) - 1) + 1
            return _place(name, node.lineno, start, node.lineno, start + len(node.name))
        first, last = lines[node.lineno - 1], lines[node.end_lineno - 1]
        start, end = _column(first, node.col_offset), _column(last, node.end_col_offset)
        return _place(name, node.lineno, start, node.end_lineno, end)

    def _line_place(self, name: str, line: int) -> Place:
        lines = self._lines(name)
        text = lines[line - 1] if line <= len(lines) else ""
        start = len(text) - len(text.lstrip()) + 1
        return _place(name, line, start, line, max(len(text.rstrip()) + 1, start + 1))

    def _lines(self, name: str) -> list[str]:
        # Not `splitlines`, which knows more line ends than Python's grammar.
        text = self._texts[name].replace("\r\n", "\n").replace("\r", "\n")
        return text.split("\n")


def _definitions(node: ast.AST) -> Iterator[_Named]:
    """Classes and functions of a scope, the last one first: it is what a name means in the end."""
    inner = [x for x in ast.iter_child_nodes(node) if not isinstance(x, ast.expr)]
    for each in reversed(inner):
        if isinstance(each, _NAMED):
            yield each
        else:
            yield from _definitions(each)


def _member(node: ast.AST, name: str) -> ast.AST | None:
    if isinstance(node, ast.ClassDef):
        fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
        return next((x for x in fields if getattr(x.target, "id", "") == name), None)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        if name == "return":
            return node.returns
        of = node.args
        every = (*of.posonlyargs, *of.args, of.vararg, *of.kwonlyargs, of.kwarg)
        return next((each for each in every if each is not None and each.arg == name), None)
    return None


def _column(line: str, offset: int) -> int:
    """A column in characters for an offset in bytes, as syntax trees have them."""
    return len(line.encode()[:offset].decode("utf-8", "replace")) + 1


def _place(name: str, line: int, column: int, end_line: int, end_column: int) -> Place:
    return {"file": f"{name.replace('.', '/')}.py", "span": [line, column, end_line, end_column]}
