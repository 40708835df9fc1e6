"""What the resolver asks of the outside world. It does no I/O of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from wasmind.records import Record
from wasmind_compiler.diagnostics import Diagnostic, Edit, Fix, Label, Severity, Span
from wasmind_compiler.frontend.manifest import Manifest
from wasmind_compiler.frontend.source import GitRef, Source

if TYPE_CHECKING:
    from wasmind_compiler.diagnostics.registry import Rule


class GitOrigin(Record):
    """Where a git actor comes from, as the lockfile records it.

    Attributes:
        url: as written, without secrets.
        canonical: the same for all spellings of the repository.
        ref: as written; None for the remote's default branch.
        revision: full commit id.
        sub_dir: normalised folder in the repository; empty for its root.
        submodules: whether submodules belong to it.
        lfs: whether files kept in Git LFS do.
        default_branch: what the remote's HEAD pointed to, if there is no ref.
        tag_object: id of the annotated tag, if the ref is one.
    """

    url: str
    canonical: str
    ref: GitRef | None
    revision: str
    sub_dir: str
    submodules: bool = False
    lfs: bool = False
    default_branch: str | None = None
    tag_object: str | None = None

    @property
    def place(self) -> str:
        """The folder for people: `URL@COMMIT` or `URL@COMMIT:FOLDER`."""
        folder = f":{self.sub_dir}" if self.sub_dir else ""
        return f"{self.url}@{self.revision[:7]}{folder}"

    def file(self, path: str) -> str:
        """A file of the folder for people: `URL@COMMIT:PATH`."""
        return f"{self.place}{'/' if self.sub_dir else ':'}{path}"


@dataclass(frozen=True, slots=True)
class Identity:
    """A source in canonical form: two sources are the same actor exactly if these are equal.

    `key` is the real path of the folder for `path`, the actor's name for `library`, repository,
    commit and folder for `git`, which also has an `origin`.
    """

    kind: Literal["path", "library", "git"]
    key: str
    origin: GitOrigin | None = field(default=None, compare=False, repr=False)


class SourceProblem(Record):
    """Why a source leads nowhere. The resolver knows where the source is written and reports it.

    Attributes:
        key: keys inside the source's table that lead to the value at fault; empty for the value
            that names the place.
        span: used instead, where the problem is not in the source's table.
        replacement: the value that was probably meant.
        escalates: the rule has warned of the text of the source already; this is what came of it.
    """

    rule: Rule
    message: str
    notes: tuple[str, ...] = ()
    help: str | None = None
    key: tuple[str, ...] = ()
    span: Span | None = None
    labels: tuple[Label, ...] = ()
    replacement: str | None = None
    escalates: bool = False

    def at(self, source: Source, *notes: str) -> Diagnostic:
        """The diagnostic for a source, with further notes."""
        written = source.written.value(*self.key) if self.key else source.span()
        fix = None
        if self.replacement is not None:
            edit = Edit(written, json.dumps(self.replacement, ensure_ascii=False))
            fix = Fix(title=f"replace by `{self.replacement}`", edits=(edit,))
        found = self.rule.at(
            self.span or written,
            self.message,
            labels=self.labels,
            notes=(*self.notes, *notes),
            help=self.help,
            fix=fix,
        )
        return found._replace(severity=Severity.ERROR)


class SourceFailure(Exception):
    """Carries a `SourceProblem` to whoever knows the source."""

    def __init__(self, problem: SourceProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class SourceProvider(Protocol):
    """Finds actors. Answers must not change during a resolution."""

    def identify(self, source: Source, declared_in: Identity | None) -> Identity | SourceProblem:
        """The canonical form of a source.

        Args:
            source: as written.
            declared_in: the actor whose manifest it is written in; None for the app config.
        """
        ...

    def manifest(self, identity: Identity) -> Manifest | SourceProblem | None:
        """The manifest of an actor; None if it is unusable and has been reported already."""
        ...
