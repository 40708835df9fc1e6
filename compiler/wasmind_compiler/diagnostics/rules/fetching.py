"""WM11: fetching git sources."""

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Example, Rule
from wasmind_compiler.diagnostics.rules.references import LOCAL_SOURCE, written_source

BAD_URL = Rule(
    code="WM1101",
    title="malformed git URL",
    explanation="""
A git source names a repository by a URL with a scheme: `https://`, `ssh://` or `file://`. Paths,
the `user@host:path` form of scp, and git's remote helpers (`ext::`, which runs programs) are
refused.
""",
    example=Example(
        failing=written_source('git = "git@example.org:team/actors.git"'),
        fixed=LOCAL_SOURCE,
    ),
)

SCHEME_NOT_ALLOWED = Rule(
    code="WM1102",
    title="transport not allowed",
    explanation="""
Nothing on `http://` and `git://` proves that the right host answers, so that anybody on the way
could hand over other code. They need `insecure = true` beside `git`, except on this machine. All
further transports are refused.
""",
    example=Example(
        failing=written_source('git = "http://example.org/actors.git"'),
        fixed=LOCAL_SOURCE,
    ),
)

URL_CREDENTIALS = Rule(
    code="WM1103",
    title="credentials in a URL",
    severity=Severity.WARNING,
    explanation="""
A URL with a password or token in it ends up in version control. It is used for fetching and appears
nowhere else: not in the lockfile, not in messages, not in the cache. Leave it out and let git ask a
credential program.
""",
    example=Example(
        failing=written_source('git = "https://user:hunter2secret@example.org/actors.git"'),
        fixed=LOCAL_SOURCE,
    ),
)

SUB_DIR_LEAVES = Rule(
    code="WM1104",
    title="folder outside the repository",
    explanation="""
`sub_dir` is relative to the root of the repository, with `/` between its parts, and cannot leave
it.
""",
    example=Example(
        failing=written_source('git = "https://example.org/actors.git", sub_dir = "../desk"'),
        fixed=LOCAL_SOURCE,
    ),
)

BAD_REF_NAME = Rule(
    code="WM1105",
    title="malformed ref name",
    explanation="""
Git does not allow such a name for a branch or tag. The rules are those of `git check-ref-format`.
""",
    example=Example(
        failing=written_source(
            'git = "https://example.org/actors.git", git_ref = { branch = "my branch" }'
        ),
        fixed=LOCAL_SOURCE,
    ),
)

ABBREVIATED_REV = Rule(
    code="WM1106",
    title="abbreviated revision",
    severity=Severity.WARNING,
    explanation="""
The beginning of a commit id means one commit only until another one begins alike, and it takes the
whole history to find out. The lockfile has the full id; write that.
""",
    example=Example(
        failing=written_source(
            'git = "https://example.org/actors.git", git_ref = { rev = "9b2c6f0" }'
        ),
        fixed=LOCAL_SOURCE,
    ),
)

MUTABLE_REV = Rule(
    code="WM1107",
    title="revision that can move",
    severity=Severity.WARNING,
    explanation="""
`rev` names a ref such as `refs/pull/1/head` that can point to another commit tomorrow. The lockfile
pins the commit it points to now.
""",
)

GIT_MISSING = Rule(
    code="WM1108",
    title="git is missing or too old",
    explanation="""
Git sources are fetched by the `git` program on the path. It is not needed for sources that are in
the cache already.
""",
)

UNREACHABLE = Rule(
    code="WM1109",
    title="repository unreachable",
    explanation="""
The remote could not be reached, or it has no such repository, or it gave up on the way. What git
said is in the note. What is in the cache can be used with `--offline`.
""",
)

AUTHENTICATION = Rule(
    code="WM1110",
    title="authentication failed",
    explanation="""
The remote does not let this user in. Git asks credential programs, `netrc` and the ssh agent, never
the terminal. Some hosts say that a repository does not exist when they mean that it is private.
""",
)

HOST_KEY = Rule(
    code="WM1111",
    title="unknown or changed host key",
    explanation="""
The host that answered could not prove to be the one known to ssh. Compare its fingerprint with the
one its owner publishes before adding it to `known_hosts`.
""",
)

REF_NOT_FOUND = Rule(
    code="WM1112",
    title="no such branch or tag",
    explanation="""
The remote has no branch or tag of this name. Names are looked up by kind: a `branch` never means a
tag.
""",
)

REV_NOT_FOUND = Rule(
    code="WM1113",
    title="no such commit",
    explanation="""
The commit is neither in the cache, nor given out by the remote on request, nor part of any of its
branches and tags. It may have been removed by a forced push.
""",
)

REV_AMBIGUOUS = Rule(
    code="WM1114",
    title="ambiguous revision",
    explanation="""
Several commits begin with these digits. Write more of them, best all.
""",
)

EMPTY_REPOSITORY = Rule(
    code="WM1115",
    title="repository without commits",
    explanation="""
The repository has no commit, or its default branch has none.
""",
)

SUB_DIR_MISSING = Rule(
    code="WM1116",
    title="no such folder in the repository",
    explanation="""
The commit has no folder of the name given by `sub_dir`. Symbolic links are not followed on the way.
""",
)

SUB_DIR_WITHOUT_MANIFEST = Rule(
    code="WM1117",
    title="folder of the repository without a manifest",
    explanation="""
Every actor has a `Wasmind.toml` in its folder. Folders above and below are not searched.
""",
)

PATH_CLASH = Rule(
    code="WM1118",
    title="paths that cannot coexist",
    explanation="""
Two paths of the actor's folder differ only in case or in how an accented letter is composed, or a
path could not be written safely. Some file systems would keep only one of them, so the digest that
pins the actor would not be the same everywhere.
""",
)

UNPORTABLE_NAME = Rule(
    code="WM1119",
    title="name that some systems refuse",
    severity=Severity.WARNING,
    explanation="""
Windows cannot have a file of this name, so the actor cannot be used there.
""",
)

SUBMODULES_OFF = Rule(
    code="WM1120",
    title="submodules left out",
    severity=Severity.WARNING,
    explanation="""
The actor's folder contains submodules, which are left out unless the source says `submodules =
true`. Their folders are empty.
""",
)

SUBMODULE_FAILED = Rule(
    code="WM1121",
    title="submodule cannot be fetched",
    explanation="""
A submodule below the actor's folder is not described in `.gitmodules`, or its repository or commit
cannot be had. Submodules are judged like any other source.
""",
)

LFS_INPUT = Rule(
    code="WM1122",
    title="file is kept in Git LFS",
    explanation="""
The repository holds a pointer instead of the file, which the build would take for the file. Say
`lfs = true` beside `git` to have the file itself.
""",
)

LFS_POINTER = Rule(
    code="WM1123",
    title="LFS pointer in the actor's folder",
    severity=Severity.WARNING,
    explanation="""
The repository holds a pointer instead of the file, so the actor sees the pointer. Say `lfs = true`
beside `git` to have the file itself.
""",
)

OFFLINE = Rule(
    code="WM1124",
    title="not in the cache",
    explanation="""
The network is not to be used (`--offline`, `--frozen`, `lock --check`), and what the source names
is not in the cache. Nothing else is ever taken instead.
""",
)

LIMIT_EXCEEDED = Rule(
    code="WM1125",
    title="git source exceeds a limit",
    explanation="""
Fetching and reading are bounded in time, bytes and files, so that no repository can exhaust this
machine. The message names the environment variable that sets the limit: `WASMIND_GIT_SECONDS`,
`WASMIND_GIT_MIB`, `WASMIND_GIT_FILES` or `WASMIND_GIT_FOLDER_MIB`.
""",
)

REDIRECTED = Rule(
    code="WM1126",
    title="repository has moved",
    severity=Severity.WARNING,
    explanation="""
The remote answered from another URL. It was followed for this fetch only.
""",
)

TAG_MOVED = Rule(
    code="WM1127",
    title="tag points to another commit",
    severity=Severity.WARNING,
    explanation="""
Tags are meant to stay. The commit in the lockfile is kept until `--accept-moved-tags` confirms the
new one; find out first why the tag was moved.
""",
)

BRANCH_MOVED = Rule(
    code="WM1128",
    title="branch has moved on",
    severity=Severity.NOTE,
    explanation="""
The branch is at another commit than the one in the lockfile. `wasmind lock --upgrade` follows it,
`wasmind check --outdated` only says so.
""",
)

DEFAULT_BRANCH_CHANGED = Rule(
    code="WM1129",
    title="another default branch",
    severity=Severity.NOTE,
    explanation="""
The source names no ref, so it follows the remote's default branch, and that is another one now.
""",
)

PATH_LEAVES_REPOSITORY = Rule(
    code="WM1130",
    title="path outside the repository",
    explanation="""
A relative path in the manifest of a git actor names a folder of the same repository at the same
commit. It cannot be absolute and cannot leave the repository: the files of the machine that happens
to compile are none of the actor's business.
""",
)

UNCOMMITTED = Rule(
    code="WM1131",
    title="uncommitted changes are not used",
    severity=Severity.WARNING,
    explanation="""
A `file://` repository is read like a remote one: only what is committed counts. For work in
progress use a `path` source.
""",
)

LFS_FAILED = Rule(
    code="WM1132",
    title="file cannot be fetched from Git LFS",
    explanation="""
The source says `lfs = true`, and a file of the actor's folder is kept in Git LFS. The server has no
such file, does not give it out, or sent something that is not what the pointer in the repository
promises by size and sha256. Files of `file://` repositories are looked for in their `lfs/objects`.
""",
)

HOST_NOT_ALLOWED = Rule(
    code="WM1133",
    title="host not allowed",
    explanation="""
The environment variable `WASMIND_GIT_HOSTS` lists the only hosts that git sources may come from,
separated by commas; `*.example.org` stands for all hosts below `example.org`. It holds for the
sources of all manifests, for submodules and for Git LFS, and with it no redirect is followed. The
notes say through which manifests the source was reached.
""",
)
