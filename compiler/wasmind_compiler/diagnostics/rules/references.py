"""WM17: how sources are written."""

from typing import Final

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Example, Rule

_APP: Final = """\
starting_actors = ["desk"]

[actors.desk]
source = { SOURCE }
"""
#: The mended config must be checked without a network.
LOCAL_SOURCE: Final = _APP.replace("SOURCE", 'path = "echo"')


def written_source(source: str) -> str:
    """A config with one actor of this source, for examples."""
    return _APP.replace("SOURCE", source)


NOT_EXPANDED = Rule(
    code="WM1707",
    title="path that is not expanded",
    severity=Severity.WARNING,
    explanation="""
Neither `~` nor variables are expanded in paths, so that a config means the same for everybody. It
is an error where no folder has that name.
""",
    example=Example(
        failing=written_source('path = "~/actors/desk"'),
        fixed=LOCAL_SOURCE,
    ),
)

BACKSLASH = Rule(
    code="WM1708",
    title="backslashes in a path",
    severity=Severity.WARNING,
    explanation="""
Forward slashes work on every system, backslashes only on Windows. It is an error where they are the
reason that a folder is not found.
""",
    example=Example(
        failing=written_source("path = 'actors\\desk'"),
        fixed=LOCAL_SOURCE,
    ),
)
