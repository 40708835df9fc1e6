"""9.7, 9.10, 9.11: who meets in an agent, and what it may do."""

from __future__ import annotations

from typing import Final

from tests.defects.defect import Defect
from tests.defects.defect import Planted as P

COORDINATOR: Final = "actors/coordinator/Wasmind.toml"
TYPECHECKER: Final = 'python_typechecker = ["python_typechecker_assistant", "expert_file_reader"]'
ARCHITECT: Final = (
    'repo_architect = ["repo_architect_assistant", "expert_file_reader", "execute_bash"]'
)
SUB_MANAGERS: Final = """sub_manager_actors = [
    "sub_manager_assistant",
    "spawn_agent",
    "send_message",
    "send_manager_message",
    "wait",
    "check_health",
    "complete",
    "sub_manager_request_plan_review",
]"""

CLASSES: Final = (
    Defect(
        title="misspelled actor in a spawn list",
        area="9.7",
        code="WM0309",
        typo=True,
        instances=(
            P(
                "experts",
                "app.toml",
                TYPECHECKER,
                TYPECHECKER.replace('"expert_file_reader"', '⟦"expert_file_readr"⟧'),
            ),
            P("network", COORDINATOR, '    "worker_assistant",\n', '    ⟦"worker_asistant"⟧,\n'),
            P(
                "network",
                COORDINATOR,
                '"redundancy_approver_assistant", "read_file"',
                '"redundancy_approver_assistant", ⟦"readfile"⟧',
                fixed='"redundancy_approver_assistant", "read_file"',
            ),
        ),
    ),
    Defect(
        title="actor_id in a spawn list",
        area="9.7",
        code="WM0309",
        instances=(
            P(
                "experts",
                "app.toml",
                TYPECHECKER,
                TYPECHECKER.replace('"expert_file_reader"', '⟦"wasmind:file_interaction"⟧'),
            ),
            P("network", COORDINATOR, '    "worker_assistant",\n', '    ⟦"wasmind:assistant"⟧,\n'),
            P(
                "experts",
                "app.toml",
                '"expert_file_reader", "execute_bash"]',
                '"expert_file_reader", ⟦"wasmind:execute_bash"⟧]',
            ),
        ),
    ),
    Defect(
        title="empty spawn list",
        area="9.7",
        code="WM0334",
        instances=(
            P("experts", "app.toml", TYPECHECKER, "python_typechecker = ⟦[]⟧"),
            P(
                "network",
                COORDINATOR,
                SUB_MANAGERS,
                "sub_manager_actors = ⟦[]⟧",
                also=(
                    (
                        "app.toml",
                        "",
                        "\n[actor_overrides.conversation_compaction]\nauto_spawn = false\n",
                    ),
                ),
            ),
            P(
                "experts",
                "app.toml",
                ARCHITECT,
                "repo_architect = ⟦[]⟧",
            ),
        ),
    ),
    Defect(
        title="spawn list without an assistant",
        area="9.7",
        code="WM0333",
        instances=(
            P("experts", "app.toml", TYPECHECKER, 'python_typechecker = ⟦["expert_file_reader"]⟧'),
            P(
                "experts",
                "app.toml",
                'python_bestpractices = ["python_bestpractices_assistant", "expert_file_reader"]',
                'python_bestpractices = ⟦["execute_bash", "expert_file_reader"]⟧',
            ),
            P(
                "experts",
                "app.toml",
                ARCHITECT,
                'repo_architect = ⟦["execute_bash"]⟧',
            ),
        ),
    ),
    Defect(
        title="two actors of one kind in an agent",
        area="9.6",
        code="WM0332",
        instances=(
            P(
                "offline",
                "app.toml",
                '["assistant", "bash"]',
                '["assistant", "bash", ⟦"second"⟧]',
                also=(
                    (
                        "app.toml",
                        "",
                        '\n[actors.second]\nsource = { path = "actors/assistant" }\n'
                        'config = { model_name = "demo" }\n',
                    ),
                ),
            ),
            P(
                "experts",
                "app.toml",
                TYPECHECKER,
                'python_typechecker = ["python_typechecker_assistant", '
                '"expert_file_reader", ⟦"python_bestpractices_assistant"⟧]',
            ),
            P(
                "deep",
                "app.toml",
                "",
                '\n⟦[actors.second_clock]⟧\nsource = { path = "shared/clock" }\n'
                "auto_spawn = true\n",
            ),
        ),
    ),
    Defect(
        title="two tools of one name in an agent",
        area="9.11",
        code="WM0902",
        instances=(
            P(
                "experts",
                "app.toml",
                '    "execute_bash",\n    "conversation_compaction",\n',
                '    "execute_bash",\n    "expert_file_reader",\n    "conversation_compaction",\n',
                at=("app.toml", "⟦[actors.file_interaction_with_approval]⟧"),
            ),
            P(
                "network",
                "app.toml",
                "",
                "\n[actor_overrides.read_file]\nauto_spawn = true\n",
                at=(COORDINATOR, "⟦[dependencies.worker_file_interaction_with_approval]⟧"),
            ),
            P(
                "offline",
                "app.toml",
                "",
                '\n⟦[actors.shell]⟧\nsource = { path = "actors/execute_bash" }\n'
                "auto_spawn = true\n",
            ),
        ),
    ),
    Defect(
        title="capability that is not granted",
        area="9.10",
        code="WM0701",
        instances=(
            P(
                "offline",
                "app.toml",
                '[actors.bash.grants]\ncommand = { programs = ["cat", "ls", "wc"] }\n',
                "⟦[actors.bash.grants]⟧\n",
            ),
            P(
                "support",
                "app.toml",
                "[actor_overrides.ticket_store.grants]\nhttp = "
                '{ hosts = ["tickets.example.org"], ports = [443], methods = ["GET", "POST"] }\n',
                "⟦[actor_overrides.ticket_store.grants]⟧\nhttp = false\n",
            ),
            P(
                "network",
                "app.toml",
                'command = { programs = ["jq", "uniq"], environment = ["LANG"] }\n',
                "",
                at=("app.toml", "⟦[actor_overrides.execute_bash.grants]⟧"),
            ),
        ),
    ),
    Defect(
        title="capability that is not used",
        area="9.10",
        code="WM0702",
        instances=(
            P(
                "offline",
                "app.toml",
                "[actors.bash.grants]\n",
                "[actors.bash.grants]\n⟦http⟧ = true\n",
            ),
            P(
                "support",
                "app.toml",
                "[actor_overrides.ticket_store.grants]\n",
                "[actor_overrides.ticket_store.grants]\n⟦agent⟧ = { depth = 1 }\n",
            ),
            P(
                "compact",
                "app.toml",
                "grants = { messaging = true,",
                "grants = { messaging = true, ⟦command⟧ = true,",
            ),
        ),
    ),
)
