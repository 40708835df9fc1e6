"""What is wrong with the text of a Jinja template; nothing in it is evaluated."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from wasmind.records import Record
from wasmind_compiler.diagnostics.suggestions import nearest


class Fault(Record):
    """What is wrong, and the line of the text it is in."""

    line: int
    message: str
    help: str | None = None


def faults(text: str) -> Iterator[Fault]:
    """What keeps a template from being compiled."""
    environment = SandboxedEnvironment()
    try:
        inside: list[nodes.Node] = [environment.parse(text)]
    except TemplateSyntaxError as error:
        yield Fault(line=error.lineno, message=_lowered(error.message or "syntax error"))
        return
    except RecursionError:
        yield Fault(line=1, message="it is nested too deeply")
        return
    # Compiling would also find them, but computes whatever is constant, however long that takes.
    while inside:
        node = inside.pop()
        if isinstance(node, nodes.Filter):
            yield from _unknown("filter", node.name, node.lineno, environment.filters)
        elif isinstance(node, nodes.Test):
            yield from _unknown("test", node.name, node.lineno, environment.tests)
        # A condition may ask whether there is such a filter, so Jinja itself waits with these.
        if not isinstance(node, nodes.If | nodes.CondExpr):
            inside += node.iter_child_nodes()


def _unknown(kind: str, name: str, line: int, known: Collection[str]) -> Iterator[Fault]:
    if name not in known:
        near = nearest(name, known)
        help_line = f"did you mean `{near[0]}`?" if near else None
        yield Fault(line=line, message=f"no {kind} named `{name}`", help=help_line)


def _lowered(text: str) -> str:
    """The first sentence, as messages are written."""
    text = text.partition(". ")[0].rstrip(".")
    return (text[:1].lower() + text[1:]).replace("'", "`")
