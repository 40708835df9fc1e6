"""The source files of an actor, for places in them."""

from __future__ import annotations

from collections.abc import Callable

from wasmind_compiler.analysis.contract import Place
from wasmind_compiler.diagnostics import Span, TextIndex
from wasmind_compiler.resolution.tree import Tree


class ActorFiles:
    """The texts of an actor's folder, read when something is to be shown there.

    Args:
        tree: the folder.
        shown: what its files are called for people.
        opened: hears of each file that something is shown from.
    """

    def __init__(
        self, tree: Tree, shown: Callable[[str], str], opened: Callable[[TextIndex], None]
    ) -> None:
        self._tree = tree
        self._shown = shown
        self._opened = opened
        self._texts: dict[str, TextIndex] = {}

    def text(self, path: str) -> TextIndex:
        """The text of a file in the folder, by its path there."""
        if path not in self._texts:
            content = (self._tree.content(path) or b"").decode("utf-8", "replace")
            index = TextIndex(self._shown(path), content.removeprefix("\ufeff"))
            self._opened(index)
            self._texts[path] = index
        return self._texts[path]

    def span(self, place: Place) -> Span:
        """Where a place is."""
        text = self.text(place.file)
        return text.span(text.offset(*place.start), text.offset(*place.end))
