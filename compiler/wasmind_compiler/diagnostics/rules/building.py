"""WM08: building actors."""

from wasmind_compiler.diagnostics.registry import Rule

NOTHING_TO_BUILD = Rule(
    code="WM0801",
    title="nothing to build",
    explanation="""
The actor's folder has neither Python sources (`actor.py` or `actor/__init__.py`) nor a `[build]`
table in its manifest, so there is no component to run.
""",
)

MISSING_ARTIFACT = Rule(
    code="WM0802",
    title="component file is missing",
    explanation="""
`[build] component` names a file that does not exist in the actor's folder.
""",
)

BUILD_NOT_ALLOWED = Rule(
    code="WM0803",
    title="build command needs permission",
    explanation="""
Building this actor runs a program on this machine with all your rights. Build it yourself and name
the result with `[build] component`, or allow build commands.
""",
)

PYTHON_SYNTAX = Rule(
    code="WM0804",
    title="Python module does not compile",
    explanation="""
The actor's Python source is not valid for the interpreter that actors run on.
""",
)

DESCRIBE_FAILED = Rule(
    code="WM0805",
    title="actor cannot be described",
    explanation="""
The compiler loads every Python actor once, in a sandbox, to learn what it handles, offers and
needs. Loading this one failed; the traceback says where.
""",
)

ARTIFACT_LEAVES_FOLDER = Rule(
    code="WM0806",
    title="path out of the actor's folder",
    explanation="""
Files that a manifest names lie in the actor's own folder, so that its digest covers them.
""",
)
