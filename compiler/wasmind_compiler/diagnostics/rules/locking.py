"""WM10: the lockfile."""

from wasmind_compiler.diagnostics.model import Severity
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

LOCK_CORRUPT = Rule(
    code="WM1004",
    title="corrupt lockfile",
    explanation="""
The lockfile is not TOML, or not of the form that `wasmind lock` writes: a value has the wrong type,
a commit id or digest the wrong length, an entry is there twice. It is not touched, because what it
pinned may be recoverable from version control.
""",
)

LOCK_CONFLICT = Rule(
    code="WM1005",
    title="merge conflict in the lockfile",
    explanation="""
A merge left conflict markers in the lockfile. Resolve the configs and manifests; then take either
version of the lockfile and let `wasmind lock` bring it up to date.
""",
)

LOCK_OLDER = Rule(
    code="WM1006",
    title="lockfile of an older Wasmind",
    severity=Severity.NOTE,
    explanation="""
The lockfile has an older format. Its pins are used, and it is rewritten in the present format when
it is next written.
""",
)

LOCK_NO_DIGEST = Rule(
    code="WM1007",
    title="lock entry without a digest",
    explanation="""
Every locked actor has the digest of its folder: it is what makes sure that the same code runs
everywhere. An entry without one pins nothing.
""",
)

LOCK_ORPHAN = Rule(
    code="WM1008",
    title="lock entry without use",
    explanation="""
The lockfile has an entry that nothing in the config leads to any more. `wasmind lock` removes it.
""",
)

LOCK_FOREIGN = Rule(
    code="WM1009",
    title="lockfile of another config",
    explanation="""
The lockfile records which config it was made for, and that is another one: configs whose names
differ only in their ending would share a lockfile. Give them different names.
""",
)

LOCK_INTERPRETER = Rule(
    code="WM1012",
    title="another Python interpreter than the lockfile records",
    severity=Severity.NOTE,
    explanation="""
Python actors run on an interpreter component that comes with Wasmind. All who install the same
release have the same one; a checkout builds its own, and no two builds are alike. The lockfile
records which one it was written with. With another one, the same system becomes a bundle with
other bytes and another digest. That is no error, because the interpreter is part of the installed
Wasmind and not of the config, and `--locked` does not forbid it. To make the very same bundle,
install the release that wrote the lockfile; to record the present interpreter, run `wasmind lock`.
""",
)

DIGEST_MISMATCH = Rule(
    code="WM1010",
    title="content differs from the lockfile",
    explanation="""
What was fetched is not what was locked, although the commit is the same. Somebody may have tampered
with the repository, the cache or the lockfile, or a host rewrites what it serves. Nothing is used
and nothing is repaired.
""",
)

CAPABILITIES_WIDEN = Rule(
    code="WM1011",
    title="actor gains capabilities",
    explanation="""
The actor could do more than it could when it was locked: it has further capabilities, its manifest
narrows one less than before (`command.programs`, say), or a locked actor has brought along a new
one that can do something. Look at what changed; then confirm with `--accept-capabilities`, or
narrow it with `grants`. What the `grants` of the config itself list needs no further consent. For
an actor in a folder below the config, which has the same author, this is a note and nothing stops.

What was accepted is also kept in your own folder, by config (`~/.local/state/wasmind/accepted`). If
the lockfile is gone, actors are compared with that, those below the config too: whoever removed it
may have changed them as well.
""",
)
