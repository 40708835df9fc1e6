"""A tool with which a manager makes agents that work for it."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from guide import GUIDE

from wasmind_actor import (
    Actor,
    Call,
    Config,
    Contribution,
    FlexibleBool,
    Param,
    Record,
    Scope,
    Section,
    ToolError,
    ToolResult,
    agents,
    tool,
)
from wasmind_actor.chat import UserMessage
from wasmind_actor.library import DelegatedAgentSpawned
from wasmind_actor.messages import AddMessage, SystemPromptContribution, Text


class SpawnAgentConfig(Config):
    """Which actors make up an agent of each type."""

    worker_actors: Annotated[tuple[str, ...], Param("Actors of a Worker.", refers="actors")]
    sub_manager_actors: Annotated[
        tuple[str, ...], Param("Actors of a SubManager.", refers="actors")
    ]


class AgentDefinition(Record):
    """An agent to be made."""

    agent_role: Annotated[str, Param("What it is, in a few words; people see it as its name.")]
    task_description: Annotated[
        str, Param("The whole task. The agent knows nothing else: goal, context, paths, criteria.")
    ]
    agent_type: Annotated[
        Literal["Worker", "SubManager"],
        Param("A Worker does the work itself, a SubManager leads agents of its own."),
    ]


class Made(NamedTuple):
    """An agent that has been made."""

    scope: Scope
    definition: AgentDefinition


class SpawnAgent(Actor[SpawnAgentConfig]):
    """Makes agents below the own one and gives them their tasks."""

    contributions = (Contribution.guide("spawn_agent", GUIDE, priority=1000),)

    @tool
    def spawn_agent(
        self,
        call: Call,
        agents_to_spawn: Annotated[
            tuple[AgentDefinition, ...], Param("The agents, in the order they are made.")
        ],
        wait: Annotated[FlexibleBool, Param("Pause until one of them reports.")] = False,
    ) -> ToolResult:
        """Makes agents that work for you, each with a task of its own."""
        if not agents_to_spawn:
            raise ToolError("At least one agent is needed in `agents_to_spawn`.")
        made: list[Made] = []
        for definition in agents_to_spawn:
            made.append(Made(self._spawn(definition, made), definition))
        if wait:
            call.pause_agent()
        return _report(made)

    def _spawn(self, definition: AgentDefinition, made: list[Made]) -> Scope:
        actors = (
            self.config.worker_actors
            if definition.agent_type == "Worker"
            else self.config.sub_manager_actors
        )
        try:
            scope = agents.spawn(actors, definition.agent_role)
        except agents.SpawnError as error:
            raise ToolError(_refusal(definition, str(error), made)) from None
        self._instruct(scope, definition)
        self.broadcast(DelegatedAgentSpawned(agent_type=definition.agent_type, agent_id=scope))
        return scope

    def _instruct(self, scope: Scope, definition: AgentDefinition) -> None:
        task = definition.task_description
        self.broadcast(
            SystemPromptContribution(
                agent=scope,
                key="spawn_agent:task",
                content=Text(f"Your role: {definition.agent_role}\n\nYour task:\n{task}"),
                priority=100,
                section=Section.INSTRUCTIONS,
            )
        )
        text = f"You have been given this task:\n\n{task}\n\nStart working on it with your tools."
        self.broadcast(AddMessage(agent=scope, message=UserMessage(content=text)))


def _report(made: list[Made]) -> ToolResult:
    lines = [
        f"- {each.definition.agent_role} ({each.definition.agent_type}): id {each.scope}"
        for each in made
    ]
    count = "One agent was" if len(made) == 1 else f"{len(made)} agents were"
    tasks = [
        f"{number}. {each.definition.agent_role} ({each.definition.agent_type}, {each.scope})\n"
        f"   {each.definition.task_description}"
        for number, each in enumerate(made, start=1)
    ]
    roles = ", ".join(f"{each.definition.agent_role} ({each.scope})" for each in made)
    return ToolResult(
        f"{count} spawned:\n" + "\n".join(lines), f"Spawned {roles}", "\n".join(tasks)
    )


def _refusal(definition: AgentDefinition, reason: str, made: list[Made]) -> str:
    """What went wrong, and which agents exist nevertheless."""
    text = f"The {definition.agent_type} `{definition.agent_role}` could not be spawned: {reason}"
    if made:
        already = ", ".join(f"{each.definition.agent_role} ({each.scope})" for each in made)
        text += f"\nAlready at work: {already}."
    return text
