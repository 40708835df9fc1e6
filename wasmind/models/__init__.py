"""What answers chat completions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wasmind.models.gateway import ChatModel
from wasmind.plan import Model


def chat_models(models: Sequence[Model]) -> Mapping[str, ChatModel]:
    """A chat model for each model of a plan, by name.

    Raises:
        ValueError: a kind this wasmind does not know.
    """
    return {model.name: _chat_model(model) for model in models}


def _chat_model(model: Model) -> ChatModel:
    if model.kind == "scripted":
        from wasmind.models.scripted import ScriptedModel

        return ScriptedModel(model.settings)
    raise ValueError(f"model `{model.name}` is of the unknown kind `{model.kind}`")
