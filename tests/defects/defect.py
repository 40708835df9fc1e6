"""What a seeded defect is: data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

#: In mutated text, these enclose what the primary span should cover. They are not written.
OPEN: Final = "⟦"
CLOSE: Final = "⟧"
#: In texts of an instance, this stands for the folder of real git repositories.
REPOSITORIES: Final = "/REPOSITORIES"


@dataclass(frozen=True, slots=True)
class Planted:
    """One instance: a piece of a valid file, and what stands there instead.

    Attributes:
        system: name of the valid system.
        file: path of the file that is changed.
        old: what is replaced; occurs once in the file. Empty to append to it.
        new: the replacement, with the expected span marked unless `at` says where it is.
        at: file and text with a mark, for a span outside `new`; no text for a span that is
            nowhere. The text without its marks occurs once in the file.
        also: further replacements that the defect needs, without marks: file, old, new.
        fixed: what stands there after the right fix; None for what stood there before.
        elsewhere: what else the right fix changes in the valid files: file, old, new.
    """

    system: str
    file: str
    old: str
    new: str
    at: tuple[str, str] | None = None
    also: tuple[tuple[str, str, str], ...] = ()
    fixed: str | None = None
    elsewhere: tuple[tuple[str, str, str], ...] = ()

    def over(self, repositories: Path) -> Planted:
        """The same with the folder of repositories in its place."""

        def placed(text: str) -> str:
            return text.replace(REPOSITORIES, str(repositories))

        return replace(
            self,
            new=placed(self.new),
            also=tuple((file, old, placed(new)) for file, old, new in self.also),
            fixed=None if self.fixed is None else placed(self.fixed),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """A class of defects.

    Attributes:
        title: what was done wrong.
        area: section of the catalogue of diagnostics.
        code: what should be reported; `fnmatch` patterns are allowed.
        typo: a slip of the pen, for which a fix should be offered.
        fixable: no typo, but a fix should be offered all the same.
        instances: at least three.
    """

    title: str
    area: str
    code: str
    typo: bool = False
    fixable: bool = False
    instances: tuple[Planted, ...] = field(repr=False)
