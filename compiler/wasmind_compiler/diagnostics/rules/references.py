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
_LOCAL: Final = _APP.replace("SOURCE", 'path = "echo"')


def _written(source: str) -> str:
    return _APP.replace("SOURCE", source)


BAD_URL = Rule(
    code="WM1701",
    title="unusable git URL",
    explanation="""
A `git` source is an absolute URL: `https://`, `ssh://` or `file://`. The short form
`user@host:path` of ssh is not a URL; the fix rewrites it.
""",
    example=Example(
        failing=_written('git = "git@example.org:team/actors.git"'),
        fixed=_LOCAL,
    ),
)

SCHEME = Rule(
    code="WM1702",
    title="transport that is not allowed",
    explanation="""
Sources are fetched over `https`, `ssh` or from `file`. Plain `http` and `git` can be changed on
their way, and the form `helper::address` runs a program on this machine.
""",
    example=Example(
        failing=_written('git = "http://example.org/actors.git"'),
        fixed=_LOCAL,
    ),
)

CREDENTIALS = Rule(
    code="WM1703",
    title="secret in a git URL",
    severity=Severity.WARNING,
    explanation="""
A password or token in a URL ends up in version control and in the lockfile of everybody who uses
the config. The secret is masked in this message; treat it as known to others.
""",
    example=Example(
        failing=_written('git = "https://user:hunter2secret@example.org/actors.git"'),
        fixed=_LOCAL,
    ),
)

BAD_REF = Rule(
    code="WM1704",
    title="malformed git ref",
    explanation="""
Git refuses such a name, so no repository can have it.
""",
    example=Example(
        failing=_written(
            'git = "https://example.org/actors.git", git_ref = { branch = "my branch" }'
        ),
        fixed=_LOCAL,
    ),
)

SHORT_REVISION = Rule(
    code="WM1705",
    title="abbreviated revision",
    severity=Severity.WARNING,
    explanation="""
The beginning of a commit id is not unique for ever: a repository that grows may get a second
commit that begins alike. Write all of it.
""",
    example=Example(
        failing=_written('git = "https://example.org/actors.git", git_ref = { rev = "9b2c6f0" }'),
        fixed=_LOCAL,
    ),
)

LEAVES_REPOSITORY = Rule(
    code="WM1706",
    title="sub_dir leads out of the repository",
    explanation="""
`sub_dir` is a folder below the root of the repository: no absolute path, no `..`.
""",
    example=Example(
        failing=_written('git = "https://example.org/actors.git", sub_dir = "../desk"'),
        fixed=_LOCAL,
    ),
)

NOT_EXPANDED = Rule(
    code="WM1707",
    title="path that is not expanded",
    severity=Severity.WARNING,
    explanation="""
Neither `~` nor variables are expanded in paths, so that a config means the same for everybody.
""",
    example=Example(
        failing=_written('path = "~/actors/desk"'),
        fixed=_LOCAL,
    ),
)

BACKSLASH = Rule(
    code="WM1708",
    title="backslashes in a path",
    severity=Severity.WARNING,
    explanation="""
Forward slashes work on every system, backslashes only on Windows.
""",
    example=Example(
        failing=_written("path = 'actors\\desk'"),
        fixed=_LOCAL,
    ),
)
