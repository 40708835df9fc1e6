"""A tool that keeps a plan and shows it in the system prompt."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from wasmind_actor import (
    U32,
    Actor,
    Contribution,
    Param,
    Struct,
    ToolError,
    ToolResult,
    replace,
    tool,
)
from wasmind_actor.messages import Data, SystemPromptContribution

GUIDE: Final = """
Keeps a plan that you and people can see, with the state of each task.

Plan work of several phases, work with dependencies, and work that runs in parallel. Do without a
plan for what is simple or urgent. A good task has a result that can be checked; name dependencies,
risks, and how the whole will be validated. Update the plan whenever a task starts or ends.

- `{"action": "create", "title": "Move the API to v2", "tasks": ["List all callers of v1",
  "Implement v2 beside v1", "Move callers, tests green after each", "Remove v1", "Run all tests"]}`
- `{"action": "create", "title": "Find the memory leak", "tasks": ["Reproduce it in a script",
  "Bisect the release", "Fix it", "Show flat memory over 10 minutes"]}`
- `{"action": "update", "task_number": 1, "status": "inprogress"}`
"""

TEMPLATE: Final = """\
{% if data.plan %}# {{ data.plan.title }}
{% for task in data.plan.tasks %}{{ task.number }}. {{ task.icon }} {{ task.description }}
{% endfor %}{% else %}There is no active plan.{% endif %}"""


class Status(StrEnum):
    """How far a task is."""

    PENDING = "pending"
    INPROGRESS = "inprogress"
    COMPLETED = "completed"
    SKIPPED = "skipped"


_ICONS: Final = {
    Status.PENDING: "[ ]",
    Status.INPROGRESS: "[~]",
    Status.COMPLETED: "[x]",
    Status.SKIPPED: "[>>]",
}
_HAPPENED: Final = {
    Status.PENDING: "reset to pending",
    Status.INPROGRESS: "started",
    Status.COMPLETED: "completed",
    Status.SKIPPED: "skipped",
}


class Task(Struct):
    """A step of a plan."""

    description: str
    status: Status = Status.PENDING


class Plan(Struct):
    """A titled list of tasks."""

    title: str
    tasks: tuple[Task, ...]

    def text(self) -> str:
        """The plan as people see it."""
        lines = [
            f"{number}. {_ICONS[task.status]} {task.description}"
            for number, task in enumerate(self.tasks, start=1)
        ]
        return "\n".join([self.title, *lines])


class Planner(Actor):
    """Keeps at most one plan."""

    contributions = (Contribution.guide("planner", GUIDE, priority=800),)

    plan: Plan | None

    def start(self) -> None:
        """There is no plan yet."""
        self.plan = None

    @tool
    def planner(
        self,
        action: Annotated[
            Literal["create", "update"], Param("Make a new plan, or set the status of a task.")
        ],
        title: Annotated[str, Param("Title of the plan, to create one.")] = "",
        tasks: Annotated[tuple[str, ...], Param("The tasks in order, to create a plan.")] = (),
        task_number: Annotated[U32 | None, Param("The task to update, counted from 1.")] = None,
        status: Annotated[Status | None, Param("The new status of the task.")] = None,
    ) -> ToolResult:
        """Makes a plan, or records that one of its tasks has started, ended or been skipped."""
        if action == "create":
            return self._create(title, tasks)
        return self._update(task_number, status)

    def _create(self, title: str, tasks: tuple[str, ...]) -> ToolResult:
        if not title.strip():
            raise ToolError("A plan needs a `title`.")
        if not tasks:
            raise ToolError("The list of tasks is empty; a plan needs at least one.")
        self.plan = Plan(title=title, tasks=tuple(Task(description=each) for each in tasks))
        self._show(self.plan)
        message = f"Created the plan `{title}` with {len(tasks)} tasks."
        return ToolResult(message, f"Plan: {title}", self.plan.text())

    def _update(self, number: int | None, status: Status | None) -> ToolResult:
        plan = self.plan
        if plan is None:
            raise ToolError("There is no plan yet; create one first.")
        if number is None or status is None:
            raise ToolError("To update a task give its `task_number` and the new `status`.")
        if not 1 <= number <= len(plan.tasks):
            raise ToolError(
                f"There is no task {number}; the plan has tasks 1 to {len(plan.tasks)}."
            )
        tasks = list(plan.tasks)
        tasks[number - 1] = replace(tasks[number - 1], status=status)
        self.plan = replace(plan, tasks=tuple(tasks))
        self._show(self.plan)
        message = f"Task {number} {_HAPPENED[status]}: {tasks[number - 1].description}"
        return ToolResult(message, message, self.plan.text())

    def _show(self, plan: Plan) -> None:
        tasks = [
            {
                "number": number,
                "description": task.description,
                "status": str(task.status),
                "icon": _ICONS[task.status],
            }
            for number, task in enumerate(plan.tasks, start=1)
        ]
        data = {"plan": {"title": plan.title, "tasks": tasks}}
        self.broadcast(
            SystemPromptContribution(
                agent=self.scope,
                key="planner:current_plan",
                content=Data(data=data, default_template=TEMPLATE),
                priority=600,
                section="Current Plan",
            )
        )
