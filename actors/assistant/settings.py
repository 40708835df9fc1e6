"""What users can configure."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Literal, TypeAlias

from wasmind_actor import U32, Config, Param, Section

#: Contributions under other keys are never accepted.
ContributionKey: TypeAlias = Annotated[str, Param(pattern="^[a-z0-9_-]+:.")]
#: One of those everybody knows, or another one.
SectionName: TypeAlias = Annotated[str, Param(examples=tuple(each.value for each in Section))]


class SystemPromptConfig(Config):
    """How the system prompt is put together."""

    base_template: Annotated[
        str | None,
        Param(
            "Jinja template of the whole prompt; sees `sections`, pairs of name and texts.",
            refers="template",
        ),
    ] = None
    overrides: Annotated[
        Mapping[ContributionKey, str],
        Param("Templates for contributions with data, by contribution key.", refers="template"),
    ] = field(default_factory=dict)
    exclude: Annotated[
        tuple[ContributionKey, ...], Param("Keys of contributions to leave out.")
    ] = ()
    defaults: Annotated[
        Mapping[SectionName, str], Param("Texts of the assistant's own, by section name.")
    ] = field(default_factory=dict)


class AssistantConfig(Config):
    """The assistant's configuration."""

    model_name: Annotated[str, Param("The model to ask.", refers="model")]
    base_url: Annotated[
        str | None,
        Param("Its endpoint, as the provider shows it; what the host announces by default."),
    ] = None
    timeout_seconds: Annotated[
        U32 | None,
        Param(
            "After this long without the whole answer a request counts as failed; with a "
            "`base_url` 600 by default.",
            minimum=1,
        ),
    ] = None
    require_tool_call: Annotated[bool, Param("Ask again when an answer contains no tool call.")] = (
        False
    )
    allow_empty_responses: Annotated[
        bool, Param("Accept answers with neither text nor tool calls.")
    ] = False
    system_prompt: SystemPromptConfig = SystemPromptConfig()
    system_messages_as: Annotated[
        Literal["system", "user"],
        Param("Role in which messages of other agents reach the model; some accept no other."),
    ] = "system"
    tool_timeout_seconds: Annotated[
        U32, Param("After this long without an answer a tool call counts as failed.", minimum=1)
    ] = 3600
