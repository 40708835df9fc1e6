"""WM10: the lockfile."""

from wasmind_compiler.diagnostics.registry import Rule

LOCK_MISSING = Rule(
    code="WM1001",
    title="lockfile is missing",
    explanation="""
The command was asked to leave the lockfile alone, but there is none.
""",
)

LOCK_STALE = Rule(
    code="WM1002",
    title="lockfile is stale",
    explanation="""
The lockfile does not say what the config resolves to now. `wasmind lock` brings it up to date.
""",
)

LOCK_NEWER = Rule(
    code="WM1003",
    title="lockfile of a newer Wasmind",
    explanation="""
The lockfile was written by a newer version in a format this one does not know. It is not touched.
""",
)
