"""Tools that read and edit text files."""

from __future__ import annotations

from typing import Annotated

from wasmind_actor import Config, Param, ToolResult, tool
from wasmind_actor.workspace.actor import READING, FileActor, editing
from wasmind_actor.workspace.edits import Edit


class FileInteractionConfig(Config):
    """What may be done."""

    allow_edits: Annotated[bool, Param("Offer `edit_file` besides `read_file`.")] = True


class FileInteraction(FileActor[FileInteractionConfig]):
    """Reads files, and edits them where that is allowed."""

    contributions = (READING, editing(when="allow_edits"))

    @tool(when="allow_edits")
    def edit_file(
        self,
        path: Annotated[
            str, Param("The file; one that does not exist is made, with missing folders.")
        ],
        edits: Annotated[tuple[Edit, ...], Param("The replacements, applied in order.")],
    ) -> ToolResult:
        """Changes a text file by exact search and replace, or makes a new one.

        Either all edits are applied or none. The file must have been read before.
        """
        return self.carry_out(self.plan_edit(path, edits))
