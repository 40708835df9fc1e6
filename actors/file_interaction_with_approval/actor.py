"""Tools that read and edit text files, where experts review every edit that is not tiny.

The review is advice: the edit is made in any case, and the model gets what the experts said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from wasmind_actor import (
    U32,
    Call,
    Config,
    Deferred,
    Envelope,
    Param,
    ToolError,
    ToolResult,
    on,
    tool,
)
from wasmind_actor.chat import SystemMessage, UserMessage
from wasmind_actor.library import ApprovalResponse, RequestChanges
from wasmind_actor.messages import AddMessage
from wasmind_actor.panel import SEPARATOR, Panel, PanelActor
from wasmind_actor.workspace.actor import READING, FileActor, PlannedEdit, editing
from wasmind_actor.workspace.edits import Edit

_VERDICTS = ("hcwe_approve", "hcwe_request_changes")


class ReviewedFilesConfig(Config):
    """Who reviews, and what."""

    approvers: Annotated[
        Mapping[str, tuple[str, ...]],
        Param("Name of each expert and the actors it is made of.", refers="actors"),
    ]
    min_diff_size: Annotated[
        U32, Param("Edits whose diff is shorter than this many bytes are made without review.")
    ] = 200


class ReviewedFiles(FileActor[ReviewedFilesConfig], PanelActor[ReviewedFilesConfig]):
    """Reads files, and has edits reviewed before it makes them."""

    contributions = (READING, editing())
    spawns = _VERDICTS
    waiting_for = "waiting for experts:"

    def start(self) -> None:
        """No file is known and no review under way."""
        FileActor.start(self)
        PanelActor.start(self)
        self.decided: list[Panel] = []
        self.task = ""

    @on(AddMessage)
    def task_given(self, message: AddMessage) -> None:
        """Experts judge a change better when they know what it is for."""
        if isinstance(message.message, UserMessage):
            self.task = message.message.content

    @tool
    def edit_file(
        self,
        call: Call,
        path: Annotated[
            str, Param("The file; one that does not exist is made, with missing folders.")
        ],
        edits: Annotated[tuple[Edit, ...], Param("The replacements, applied in order.")],
    ) -> ToolResult | Deferred:
        """Changes a text file by exact search and replace, or makes a new one.

        Either all edits are applied or none. The file must have been read before. Experts review
        the change and you get their feedback with the result: follow it unless you are certain
        that it is wrong.
        """
        planned = self.plan_edit(path, edits)
        if len(planned.diff.encode()) < self.config.min_diff_size:
            return self.carry_out(planned, "The change was too small for a review.")
        if not self.config.approvers:
            return self.carry_out(planned, "No experts are configured, so nobody reviewed it.")
        question = SystemMessage(content=self._question(planned))
        self.convene(call, self.config.approvers, _VERDICTS, question, (planned, edits))
        return call.defer()

    @on(ApprovalResponse)
    def expert_answered(self, message: ApprovalResponse, envelope: Envelope) -> None:
        """An expert has spoken."""
        self.give_opinion(envelope.from_scope, message.value)

    def concluded(self, panel: Panel) -> None:
        """Make the edit, but after those of the same file that were asked for earlier."""
        self.decided.append(panel)
        self.decided.sort(key=lambda each: each.number)
        while ready := next((each for each in self.decided if not self._must_wait(each)), None):
            self.decided.remove(ready)
            self._make(ready)

    def _must_wait(self, panel: Panel) -> bool:
        return any(
            _path(other) == _path(panel) and other.number < panel.number for other in self.panels
        )

    def _make(self, panel: Panel) -> None:
        planned, edits = panel.subject
        try:
            # The file may have changed while the experts read.
            again = self.plan_edit(planned.given, edits)
            result = self.carry_out(again, _review(panel))
        except ToolError as error:
            panel.call.fail(error)
        else:
            panel.call.answer(result)

    def _question(self, planned: PlannedEdit) -> str:
        task = f"<task>\n{self.task}\n</task>\n\n" if self.task else ""
        return (
            "Review this change before it is made. End with `approve` or `request_changes`.\n\n"
            f"{task}```diff\n{planned.diff}```"
        )


def _path(panel: Panel) -> str:
    planned: PlannedEdit = panel.subject[0]
    return planned.path


def _review(panel: Panel) -> str:
    """What the experts said, labelled with their names."""
    objections = [
        f"{member.name}:\n{member.opinion.changes}"
        for member in panel.members.values()
        if isinstance(member.opinion, RequestChanges)
    ]
    silent = f"\n\nNo opinion came from: {', '.join(panel.silent)}." if panel.silent else ""
    if objections:
        return f"Experts request these changes:\n\n{SEPARATOR.join(objections)}{silent}"
    if len(panel.silent) == len(panel.members):
        return f"No expert gave an opinion.{silent}"
    return f"The experts approve.{silent}"
