"""9.2 to 9.6: habits from other formats and tools, and names in the wrong place."""

from __future__ import annotations

from typing import Final

from tests.defects.defect import Defect
from tests.defects.defect import Planted as P

CLASSES: Final = (
    Defect(
        title="doubled brackets around an actor",
        area="9.3",
        code="WM0203",
        typo=True,
        instances=(
            P("offline", "app.toml", "[actors.bash]\n", "⟦[[actors.bash]]⟧\n"),
            P("deep", "app.toml", "[actors.observer]\n", "⟦[[actors.observer]]⟧\n"),
            P("support", "app.toml", "[actors.technical]\n", "⟦[[actors.technical]]⟧\n"),
        ),
    ),
    Defect(
        title="misspelled section with several tables",
        area="9.3",
        code="WM0201",
        typo=True,
        instances=(
            P(
                "deep",
                "app.toml",
                "[actor_overrides.sensor.config]",
                "[⟦actor_override⟧.sensor.config]",
                also=(("app.toml", "[actor_overrides.valve.", "[actor_override.valve."),),
            ),
            P(
                "offline",
                "app.toml",
                "[actors.assistant]\n",
                "[⟦Actors⟧.assistant]\n",
                also=(
                    ("app.toml", "[actors.assistant.config]", "[Actors.assistant.config]"),
                    ("app.toml", "[actors.bash]\n", "[Actors.bash]\n"),
                    ("app.toml", "[actors.bash.grants]", "[Actors.bash.grants]"),
                    ("app.toml", "[actors.planner]", "[Actors.planner]"),
                ),
            ),
            P(
                "support",
                "technical/Wasmind.toml",
                "[dependencies.knowledge]",
                "[⟦dependancies⟧.knowledge]",
                also=(
                    (
                        "technical/Wasmind.toml",
                        "[dependencies.ticket_store]",
                        "[dependancies.ticket_store]",
                    ),
                ),
            ),
        ),
    ),
    Defect(
        title="`config` called otherwise",
        area="9.3",
        code="WM0201",
        typo=True,
        instances=(
            P(
                "offline",
                "app.toml",
                "[actors.assistant.config]",
                "[actors.assistant.⟦settings⟧]",
            ),
            P(
                "network",
                "app.toml",
                "[actor_overrides.worker_assistant.config]",
                "[actor_overrides.worker_assistant.⟦options⟧]",
            ),
            P("deep", "app.toml", "[actors.observer.config]", "[actors.observer.⟦params⟧]"),
        ),
    ),
    Defect(
        title="table of an actor at the top",
        area="9.3",
        code="WM0201",
        typo=True,
        instances=(
            P("offline", "app.toml", "[actors.assistant.config]", "[⟦assistant⟧.config]"),
            P("support", "app.toml", "[actors.front_desk.config]", "[⟦front_desk⟧.config]"),
            P(
                "support",
                "app.toml",
                "[actor_overrides.audit.config]",
                "[⟦audit⟧.config]",
            ),
        ),
    ),
    Defect(
        title="header in quotes as a whole",
        area="9.3",
        code="WM0201",
        typo=True,
        instances=(
            P("offline", "app.toml", "[actors.bash]\n", '[⟦"actors.bash"⟧]\n'),
            P("deep", "app.toml", "[actors.observer]\n", '[⟦"actors.observer"⟧]\n'),
            P("support", "app.toml", "[actors.technical]\n", '[⟦"actors.technical"⟧]\n'),
        ),
    ),
    Defect(
        title="path repeated inside its section",
        area="9.3",
        code="WM0201",
        typo=True,
        instances=(
            P(
                "offline",
                "app.toml",
                'source = { path = "actors/execute_bash" }',
                '⟦actors⟧.bash.source = { path = "actors/execute_bash" }',
            ),
            P(
                "deep",
                "app.toml",
                'source = { path = "plant" }',
                '⟦actors⟧.plant.source = { path = "plant" }',
            ),
            P(
                "support",
                "technical/Wasmind.toml",
                'source = { path = "../shared_knowledge" }',
                '⟦dependencies⟧.knowledge.source = { path = "../shared_knowledge" }',
            ),
        ),
    ),
    Defect(
        title="source's key in the actor's table",
        area="9.3",
        code="WM0201",
        fixable=True,
        instances=(
            P(
                "offline",
                "app.toml",
                'source = { path = "actors/execute_bash" }',
                '⟦path⟧ = "actors/execute_bash"',
                fixed='source.path = "actors/execute_bash"',
            ),
            P(
                "deep",
                "app.toml",
                'source = { path = "observer" }',
                '⟦path⟧ = "observer"',
                fixed='source.path = "observer"',
            ),
            P(
                "network",
                "actors/coordinator/Wasmind.toml",
                '[dependencies.main_manager_assistant]\nsource = { path = "../assistant" }',
                '[dependencies.main_manager_assistant]\n⟦path⟧ = "../assistant"',
                fixed='[dependencies.main_manager_assistant]\nsource.path = "../assistant"',
            ),
        ),
    ),
    Defect(
        title="key of the file below a table",
        area="9.3",
        code="WM0201",
        fixable=True,
        instances=(
            P(
                "deep",
                "app.toml",
                'starting_actors = ["plant"]\n\n[actors.plant]\n',
                '[actors.plant]\n⟦starting_actors⟧ = ["plant"]\n',
                fixed='starting_actors = ["plant"]\n\n[actors.plant]\n',
            ),
            P(
                "offline",
                "app.toml",
                'starting_actors = ["assistant", "bash"]\n\n[actors.assistant]\n',
                '[actors.assistant]\n⟦starting_actors⟧ = ["assistant", "bash"]\n',
                fixed='starting_actors = ["assistant", "bash"]\n\n[actors.assistant]\n',
            ),
            P(
                "support",
                "app.toml",
                'starting_actors = ["front_desk", "billing", "technical"]\n\n[actors.front_desk]\n',
                "\n[actors.front_desk]\n"
                '⟦starting_actors⟧ = ["front_desk", "billing", "technical"]\n',
                fixed='\nstarting_actors = ["front_desk", "billing", "technical"]\n\n'
                "[actors.front_desk]\n",
            ),
        ),
    ),
    Defect(
        title="override of an own actor in another section",
        area="9.5",
        code="WM0306",
        fixable=True,
        instances=(
            P(
                "offline",
                "app.toml",
                "[actors.planner]\n",
                "[actor_overrides.⟦assistant⟧.config]\nrequire_tool_call = false\n\n"
                "[actors.planner]\n",
                fixed="[actors.planner]\n",
                elsewhere=(
                    (
                        "app.toml",
                        "allow_empty_responses = false",
                        "allow_empty_responses = false\nrequire_tool_call = false",
                    ),
                ),
            ),
            P(
                "deep",
                "app.toml",
                "[actor_overrides.sensor.config]",
                "⟦[actor_overrides.plant]⟧\nauto_spawn = false\n\n[actor_overrides.sensor.config]",
                fixed="[actor_overrides.sensor.config]",
                elsewhere=(
                    (
                        "app.toml",
                        'source = { path = "plant" }',
                        'source = { path = "plant" }\nauto_spawn = false',
                    ),
                ),
            ),
            P(
                "support",
                "app.toml",
                "[actor_overrides.knowledge]\n",
                "⟦[actor_overrides.technical]⟧\n# Always.\nauto_spawn = true\n\n"
                "[actor_overrides.knowledge]\n",
                fixed="[actor_overrides.knowledge]\n",
                elsewhere=(
                    (
                        "app.toml",
                        'source = { path = "technical" }',
                        'source = { path = "technical" }\n# Always.\nauto_spawn = true',
                    ),
                ),
            ),
        ),
    ),
    Defect(
        title="override under `[actors]`",
        area="9.5",
        code="WM0204",
        fixable=True,
        instances=(
            P(
                "deep",
                "app.toml",
                "[actor_overrides.sensor.config]",
                "[actors.⟦sensor⟧.config]",
            ),
            P(
                "support",
                "app.toml",
                "[actor_overrides.audit]\n",
                "⟦[actors.audit]⟧\n",
                also=(("app.toml", "[actor_overrides.audit.config]", "[actors.audit.config]"),),
            ),
            P(
                "network",
                "app.toml",
                "[actor_overrides.worker_assistant.config]",
                "[actors.⟦worker_assistant⟧.config]",
            ),
        ),
    ),
    Defect(
        title="misspelled folder on the way",
        area="9.6",
        code="WM0401",
        typo=True,
        instances=(
            P("offline", "app.toml", '"actors/planner"', '⟦"actor/planner"⟧'),
            P("deep", "plant/Wasmind.toml", '"../lines/hall"', '⟦"../line/hall"⟧'),
            P("experts", "app.toml", '"actors/execute_bash"', '⟦"Actors/execute-bash"⟧'),
        ),
    ),
    Defect(
        title="path to the manifest",
        area="9.6",
        code="WM0402",
        fixable=True,
        instances=(
            P("offline", "app.toml", '"actors/planner"', '⟦"actors/planner/Wasmind.toml"⟧'),
            P("deep", "plant/Wasmind.toml", '"../lines/hall"', '⟦"../lines/hall/Wasmind.toml"⟧'),
            P(
                "support",
                "app.toml",
                'path = "billing"',
                'path = ⟦"billing/Wasmind.toml"⟧',
            ),
        ),
    ),
    Defect(
        title="empty path",
        area="9.3",
        code="WM0205",
        instances=(
            P("offline", "app.toml", '"actors/planner"', '⟦""⟧'),
            P("deep", "plant/Wasmind.toml", '"../lines/hall"', '⟦""⟧'),
            P("experts", "app.toml", '"actors/execute_bash"', '⟦""⟧'),
        ),
    ),
    Defect(
        title="look-alike character",
        area="9.2",
        code="WM0103",
        typo=True,
        instances=(
            P("offline", "app.toml", 'model_name = "demo"', "model_name = ⟦“⟧demo”"),
            P("deep", "app.toml", "interval = 5", "interval ⟦＝⟧ 5"),
            P("support", "app.toml", "[actors.technical]\n", "[⟦\u200b⟧actors.technical]\n"),
        ),
    ),
    Defect(
        title="comma between elements forgotten",
        area="9.2",
        code="WM0103",
        typo=True,
        instances=(
            P(
                "offline",
                "app.toml",
                '["assistant", "bash"]',
                '["assistant" ⟦"bash"⟧]',
                fixed='["assistant", "bash"]',
            ),
            P(
                "experts",
                "app.toml",
                '"root_assistant",\n    "file_interaction_with_approval",\n',
                '"root_assistant"\n    ⟦"file_interaction_with_approval"⟧,\n',
            ),
            P(
                "compact",
                "app.toml",
                'read = ["."], read_write',
                'read = ["."] ⟦read_write⟧',
                fixed='read = ["."], read_write',
            ),
        ),
    ),
    Defect(
        title="inline table written as in JSON",
        area="9.2",
        code="WM0112",
        fixable=True,
        instances=(
            P(
                "offline",
                "app.toml",
                'source = { path = "actors/planner" }',
                'source = {⟦⟧\n    path = "actors/planner",\n}',
            ),
            P(
                "deep",
                "plant/Wasmind.toml",
                'source = { path = "../lines/hall" }',
                'source = {⟦⟧\n  path = "../lines/hall"\n}',
            ),
            P(
                "offline",
                "app.toml",
                "limits = { agents = 10, depth = 2 }",
                "limits = {⟦⟧\n  agents = 10\n  depth = 2\n}",
            ),
        ),
    ),
    Defect(
        title="model without its section",
        area="9.8",
        code="WM0601",
        instances=(
            P(
                "offline",
                "app.toml",
                '\n[models.demo]\nkind = "scripted"\nscript = "demo.model.toml"\n',
                "",
                at=("app.toml", 'model_name = ⟦"demo"⟧'),
            ),
            P(
                "support",
                "app.toml",
                'model_name = "small"\ngreeting',
                'model_name = ⟦"gpt-4o"⟧\ngreeting',
            ),
            P(
                "experts",
                "app.toml",
                'config = { model_name = "gemini-2.5-flash", token',
                'config = { model_name = ⟦"claude"⟧, token',
            ),
        ),
    ),
    Defect(
        title="misspelled model script",
        area="9.8",
        code="WM0602",
        typo=True,
        instances=(
            P("offline", "app.toml", '"demo.model.toml"', '⟦"demo.models.toml"⟧'),
            P("compact", "app.toml", '"fast.model.toml"', '⟦"fast.modell.toml"⟧'),
            P("offline", "app.toml", '"demo.model.toml"', '⟦"Demo.model.toml"⟧'),
        ),
    ),
    Defect(
        title="parameter of a model beside `litellm_params`",
        area="9.8",
        code="WM0201",
        fixable=True,
        instances=(
            P(
                "experts",
                "app.toml",
                '[litellm.models.litellm_params]\nmodel = "openai/gpt-4o"\n',
                '⟦max_tokens⟧ = 5\n[litellm.models.litellm_params]\nmodel = "openai/gpt-4o"\n',
                fixed='[litellm.models.litellm_params]\nmax_tokens = 5\nmodel = "openai/gpt-4o"\n',
            ),
            P(
                "support",
                "app.toml",
                'litellm_params = { model = "openai/gpt-4o-mini", ',
                '⟦max_tokens⟧ = 5\nlitellm_params = { model = "openai/gpt-4o-mini", ',
                fixed='litellm_params = { max_tokens = 5, model = "openai/gpt-4o-mini", ',
            ),
            P(
                "network",
                "app.toml",
                'litellm_params = { model = "openrouter/qwen/qwen3-coder", ',
                '⟦temperature⟧ = 1\nlitellm_params = { model = "openrouter/qwen/qwen3-coder", ',
                fixed='litellm_params = { temperature = 1, model = "openrouter/qwen/qwen3-coder", ',
            ),
        ),
    ),
    Defect(
        title="key and action swapped",
        area="9.16",
        code="WM1601",
        typo=True,
        instances=(
            P("network", "app.toml", '"ctrl-a" = "Assist"', '⟦"Assist" = "ctrl-a"⟧'),
            P("experts", "app.toml", '"shift-up" = "SelectUp"', '⟦"SelectUp" = "shift-up"⟧'),
            P("network", "app.toml", '"esc" = "InterruptAgent"', '⟦"InterruptAgent" = "esc"⟧'),
        ),
    ),
)
