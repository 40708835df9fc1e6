"""9.9: actors' settings against the schemas they publish."""

from __future__ import annotations

from typing import Final

from tests.defects.defect import Defect
from tests.defects.defect import Planted as P

COORDINATOR: Final = "actors/coordinator/Wasmind.toml"
READ_FILE: Final = 'source = { path = "../file_interaction" }\nconfig = { allow_edits = false }'

CLASSES: Final = (
    Defect(
        title="misspelled setting",
        area="9.9",
        code="WM0501",
        typo=True,
        instances=(
            P("offline", "app.toml", "allow_empty_responses =", "⟦allow_empty_response⟧ ="),
            P("experts", "app.toml", "min_diff_size = 80", "⟦min_dif_size⟧ = 80"),
            P(
                "network",
                COORDINATOR,
                "config = { allow_edits = false }",
                "config = { ⟦alow_edits⟧ = false }",
            ),
            P("deep", "app.toml", "upper = 80", "⟦uper⟧ = 80"),
        ),
    ),
    Defect(
        title="misspelled setting in a table of settings",
        area="9.9",
        code="WM0501",
        typo=True,
        instances=(
            P("experts", "app.toml", "exclude = [", "⟦exlude⟧ = ["),
            P("support", "app.toml", "ranking = { limit = 20 }", "ranking = { ⟦limits⟧ = 20 }"),
            P("support", "technical/Wasmind.toml", "connect = 2.5", "⟦conect⟧ = 2.5"),
            P(
                "compact",
                "app.toml",
                "system_prompt.defaults.identity",
                "system_prompt.⟦default⟧.identity",
            ),
        ),
    ),
    Defect(
        title="setting the actor does not know",
        area="9.9",
        code="WM0501",
        instances=(
            P("offline", "app.toml", "allow_empty_responses = false", "⟦temperature⟧ = 0.5"),
            P("support", "app.toml", 'level = "verbose"', 'level = "verbose"\n⟦rotate⟧ = true'),
            P("deep", "lines/machine/Wasmind.toml", "samples = 10", "samples = 10, ⟦offset⟧ = 2"),
        ),
    ),
    Defect(
        title="quoted setting",
        area="9.9",
        code="WM0502",
        typo=True,
        instances=(
            P(
                "offline",
                "app.toml",
                "allow_empty_responses = false",
                'allow_empty_responses = ⟦"false"⟧',
            ),
            P("network", "app.toml", "token_threshold = 50000", 'token_threshold = ⟦"50000"⟧'),
            P(
                "network",
                COORDINATOR,
                "config = { allow_edits = false }",
                'config = { allow_edits = ⟦"false"⟧ }',
            ),
            P("deep", "app.toml", "interval = 5", 'interval = ⟦"5"⟧'),
        ),
    ),
    Defect(
        title="setting of the wrong type",
        area="9.9",
        code="WM0502",
        instances=(
            P(
                "experts",
                "app.toml",
                "tool_timeout_seconds = 900",
                "tool_timeout_seconds = ⟦900.5⟧",
            ),
            P(
                "network",
                COORDINATOR,
                "config = { check_interval = 60 }",
                "config = { check_interval = ⟦true⟧ }",
            ),
            P("experts", "app.toml", 'exclude = ["execute_bash:usage_guide"]', "exclude = ⟦{}⟧"),
            P("support", "technical/Wasmind.toml", "retries = 3", "retries = ⟦[3]⟧"),
        ),
    ),
    Defect(
        title="element of a setting of the wrong type",
        area="9.9",
        code="WM0502",
        instances=(
            P("deep", "app.toml", 'colours = ["red", "green"]', 'colours = ["red", ⟦2⟧]'),
            P(
                "network",
                COORDINATOR,
                '    "worker_assistant",\n',
                '    "worker_assistant",\n    ⟦1⟧,\n',
            ),
            P(
                "support",
                "technical/Wasmind.toml",
                "retries = 3",
                'labels = ["a", ⟦false⟧], retries = 3',
            ),
        ),
    ),
    Defect(
        title="setting out of range",
        area="9.9",
        code="WM0504",
        instances=(
            P("experts", "app.toml", "tool_timeout_seconds = 900", "tool_timeout_seconds = ⟦0⟧"),
            P("network", "app.toml", "token_threshold = 50000", "token_threshold = ⟦3000000000⟧"),
            P("deep", "app.toml", "upper = 80", "upper = ⟦800⟧"),
            P("support", "technical/Wasmind.toml", "connect = 2.5", "connect = ⟦0.0⟧"),
        ),
    ),
    Defect(
        title="misspelled word of a setting",
        area="9.9",
        code="WM0504",
        typo=True,
        instances=(
            P("support", "app.toml", 'level = "verbose"', 'level = ⟦"verbos"⟧'),
            P("deep", "app.toml", 'unit = "celsius"', 'unit = ⟦"Celcius"⟧'),
            P(
                "experts",
                "app.toml",
                "tool_timeout_seconds = 900",
                'tool_timeout_seconds = 900\nsystem_messages_as = ⟦"systm"⟧',
                fixed='tool_timeout_seconds = 900\nsystem_messages_as = "system"',
            ),
        ),
    ),
    Defect(
        title="setting of the wrong form",
        area="9.9",
        code="WM0504",
        instances=(
            P(
                "support",
                "technical/Wasmind.toml",
                '"https://tickets.example.org/v2"',
                '⟦"http://tickets.example.org/v2"⟧',
            ),
            P("experts", "app.toml", '"execute_bash:usage_guide"', '⟦"usage_guide"⟧'),
            P("support", "app.toml", 'greeting = "Hello"', 'greeting = ⟦""⟧'),
        ),
    ),
    Defect(
        title="list of settings that is too short or too long",
        area="9.9",
        code="WM0504",
        instances=(
            P("deep", "app.toml", 'colours = ["red", "green"]', "colours = ⟦[]⟧"),
            P(
                "support",
                "technical/Wasmind.toml",
                "retries = 3",
                'labels = ⟦["a", "b", "c", "d"]⟧, retries = 3',
            ),
            P(
                "network",
                COORDINATOR,
                "config = { reviewers = { code_reuse_advisor_assistant = "
                '["code_reuse_advisor_assistant", "read_file", "execute_bash"] } }',
                "config = { reviewers = ⟦{}⟧ }",
            ),
        ),
    ),
    Defect(
        title="own actor without a setting it needs",
        area="9.9",
        code="WM0503",
        fixable=True,
        instances=(
            P(
                "offline",
                "app.toml",
                '[actors.assistant.config]\nmodel_name = "demo"\n',
                "⟦[actors.assistant.config]⟧\n",
                fixed='[actors.assistant.config]\nmodel_name = "demo"\n',
            ),
            P(
                "deep",
                "app.toml",
                "[actors.observer.config]\ninterval = 5\n",
                "⟦[actors.observer.config]⟧\n",
                fixed="[actors.observer.config]\ninterval = 1\n",
            ),
            P(
                "support",
                "app.toml",
                '[actors.front_desk.config]\nmodel_name = "small"\n',
                "⟦[actors.front_desk.config]⟧\n",
                fixed='[actors.front_desk.config]\nmodel_name = "large"\n',
            ),
        ),
    ),
    Defect(
        title="dependency without a setting it needs",
        area="9.9",
        code="WM0503",
        fixable=True,
        instances=(
            P(
                "network",
                "app.toml",
                "[actor_overrides.redundancy_approver_assistant.config]\n"
                'model_name = "qwen/qwen3-coder"\n\n',
                "",
                at=("app.toml", "⟦[actors.delegation_network_coordinator]⟧"),
                fixed="",
                elsewhere=(
                    (
                        "app.toml",
                        "compute_seconds = 20\n\n",
                        "compute_seconds = 20\n\n"
                        "[actor_overrides.redundancy_approver_assistant.config]\n"
                        'model_name = "qwen/qwen3-coder"\n\n',
                    ),
                ),
            ),
            P(
                "network",
                "app.toml",
                'model_name = "qwen/qwen3-coder"\ntoken_threshold = 50000\n',
                "token_threshold = 50000\n",
                at=("app.toml", "⟦[actor_overrides.conversation_compaction.config]⟧"),
                fixed='model_name = "qwen/qwen3-coder"\ntoken_threshold = 50000\n',
            ),
            P(
                "support",
                "app.toml",
                '[actor_overrides.audit.config]\nlevel = "verbose"\n',
                "⟦[actor_overrides.audit.config]⟧\n",
                also=(
                    (
                        "billing/Wasmind.toml",
                        '\n[dependencies.audit.config]\nlevel = "brief"\n',
                        "",
                    ),
                    ("ticket_store/Wasmind.toml", 'config = { level = "brief" }\n', ""),
                ),
                fixed='[actor_overrides.audit.config]\nlevel = "silent"\n',
            ),
        ),
    ),
    Defect(
        title="setting beside source",
        area="9.9",
        code="WM0207",
        fixable=True,
        instances=(
            P(
                "network",
                COORDINATOR,
                READ_FILE,
                'source = { path = "../file_interaction" }\n⟦allow_edits⟧ = false',
                fixed='source = { path = "../file_interaction" }\nconfig.allow_edits = false',
            ),
            P(
                "experts",
                "app.toml",
                "[actors.root_assistant.config]\n",
                "⟦require_tool_call⟧ = true\n\n[actors.root_assistant.config]\n",
                fixed="\n[actors.root_assistant.config]\nrequire_tool_call = true\n",
            ),
            P(
                "deep",
                "app.toml",
                "auto_spawn = true\n",
                "auto_spawn = true\n⟦interval⟧ = 9\n",
                also=(("app.toml", "interval = 5\n", ""),),
                fixed="auto_spawn = true\n",
                elsewhere=(("app.toml", "interval = 5\n", "interval = 9\n"),),
            ),
            P(
                "support",
                "technical/Wasmind.toml",
                'config = { endpoint = "https://tickets.example.org/v2", retries = 3,',
                '⟦retries⟧ = 3\nconfig = { endpoint = "https://tickets.example.org/v2",',
                fixed='config = { retries = 3, endpoint = "https://tickets.example.org/v2",',
            ),
        ),
    ),
    Defect(
        title="settings for an actor without any",
        area="9.9",
        code="WM0505",
        instances=(
            P(
                "offline",
                "app.toml",
                "auto_spawn = true\n",
                'auto_spawn = true\n⟦config⟧ = { shell = "zsh" }\n',
            ),
            P("network", "app.toml", "", "\n⟦[actor_overrides.planner.config]⟧\nsteps = 3\n"),
            P(
                "deep",
                "lines/hall/Wasmind.toml",
                'source = { path = "../../shared/clock" }\n',
                'source = { path = "../../shared/clock" }\nconfig = { zone = "UTC" }\n',
                at=("shared/sensor/Wasmind.toml", '⟦config⟧ = { zone = "UTC" }'),
                also=(
                    (
                        "lines/line/Wasmind.toml",
                        'source = { path = "../../shared/clock" }\n',
                        'source = { path = "../../shared/clock" }\nconfig = { zone = "UTC" }\n',
                    ),
                    (
                        "shared/sensor/Wasmind.toml",
                        'source = { path = "../clock" }\n',
                        'source = { path = "../clock" }\nconfig = { zone = "UTC" }\n',
                    ),
                    (
                        "shared/valve/Wasmind.toml",
                        'source = { path = "../../shared/clock" }\n',
                        'source = { path = "../../shared/clock" }\nconfig = { zone = "UTC" }\n',
                    ),
                ),
            ),
        ),
    ),
    Defect(
        title="permission left at its default",
        area="9.9",
        code="WM0507",
        fixable=True,
        instances=(
            P(
                "experts",
                "app.toml",
                "[actors.expert_file_reader]\n"
                'source = { path = "actors/file_interaction" }\nconfig = { allow_edits = false }\n',
                '⟦[actors.expert_file_reader]⟧\nsource = { path = "actors/file_interaction" }\n',
                fixed="[actors.expert_file_reader]\n"
                'source = { path = "actors/file_interaction" }\n\n'
                "[actors.expert_file_reader.config]\nallow_edits = false\n",
            ),
            P(
                "network",
                COORDINATOR,
                READ_FILE,
                'source = { path = "../file_interaction" }',
                at=("app.toml", "⟦[actors.delegation_network_coordinator]⟧"),
                elsewhere=(
                    (
                        "app.toml",
                        "compute_seconds = 20\n\n",
                        "compute_seconds = 20\n\n"
                        "[actor_overrides.read_file.config]\nallow_edits = false\n\n",
                    ),
                ),
            ),
            P(
                "compact",
                "app.toml",
                "actors.files.config.allow_edits = true\n",
                "",
                at=("app.toml", "actors.⟦files⟧.source.path"),
                fixed="",
                elsewhere=(
                    (
                        "app.toml",
                        'actors.files.config.root = "."\n',
                        'actors.files.config.root = "."\nactors.files.config.allow_edits = false\n',
                    ),
                ),
            ),
        ),
    ),
    Defect(
        title="template that does not parse",
        area="9.9",
        code="WM0508",
        instances=(
            P("experts", "app.toml", '"{{ data.path }}"', '"⟦{{ data.path }⟧"'),
            P(
                "experts",
                "app.toml",
                "{% endfor %}\n",
                "",
                at=(
                    "app.toml",
                    "base_template = '''\n{% for section, texts in sections %}\n## {{ section }}\n"
                    '⟦{{ texts | join("\\n") }}⟧\n',
                ),
            ),
            P(
                "experts",
                "app.toml",
                "{% for section, texts in sections %}",
                "⟦{% for section, texts sections %}⟧",
            ),
        ),
    ),
)
