"""9.6, 9.12: sources in git repositories, which are real ones; see `tests.defects.systems`."""

from __future__ import annotations

from typing import Final

from tests.defects.defect import REPOSITORIES, Defect
from tests.defects.defect import Planted as P

URL: Final = f"file://{REPOSITORIES}/tools"
ASSISTANT: Final = "actors/assistant/Wasmind.toml"
BASH: Final = "actors/execute_bash/Wasmind.toml"
OFFLINE: Final = '{ path = "actors/planner" }'
COMPACT: Final = 'source.path = "actors/planner"'


def meter(rest: str, url: str = f'"{URL}"') -> str:
    """A dependency on the actor `meter` of the repository."""
    return f'\n[dependencies.meter]\nsource = {{ git = {url}, sub_dir = "meter"{rest} }}\n'


def planner(rest: str) -> str:
    """The source of an actor in the repository."""
    return f'{{ git = "{URL}", {rest} }}'


CLASSES: Final = (
    Defect(
        title="one name, two refs of one repository",
        area="9.6",
        code="WM0408",
        instances=(
            P(
                "deep",
                "observer/Wasmind.toml",
                "",
                meter(', git_ref = ⟦{ tag = "v1" }⟧'),
                also=(("plant/Wasmind.toml", "", meter(', git_ref = { branch = "next" }')),),
            ),
            P(
                "offline",
                BASH,
                "",
                meter(', git_ref = ⟦{ branch = "next" }⟧'),
                also=((ASSISTANT, "", meter("")),),
            ),
            P(
                "support",
                "billing/Wasmind.toml",
                "",
                meter("", f'⟦"{URL}"⟧'),
                also=(("front_desk/Wasmind.toml", "", meter(', git_ref = { tag = "v1" }')),),
            ),
        ),
    ),
    Defect(
        title="misspelled branch or tag",
        area="9.12",
        code="WM1112",
        typo=True,
        instances=(
            P(
                "offline",
                "app.toml",
                OFFLINE,
                planner('sub_dir = "planner", git_ref = { branch = ⟦"mian"⟧ }'),
                fixed=planner('sub_dir = "planner", git_ref = { branch = "main" }'),
            ),
            P(
                "offline",
                "app.toml",
                OFFLINE,
                planner('git_ref = { tag = ⟦"v11"⟧ }, sub_dir = "planner"'),
                fixed=planner('git_ref = { tag = "v1" }, sub_dir = "planner"'),
            ),
            P(
                "deep",
                "observer/Wasmind.toml",
                "",
                meter(', git_ref = { branch = ⟦"nxt"⟧ }'),
                fixed=meter(', git_ref = { branch = "next" }'),
            ),
        ),
    ),
    Defect(
        title="tag called a branch, or the other way round",
        area="9.12",
        code="WM1112",
        instances=(
            P(
                "offline",
                "app.toml",
                OFFLINE,
                planner('sub_dir = "planner", git_ref = { branch = ⟦"v1"⟧ }'),
            ),
            P("deep", "plant/Wasmind.toml", "", meter(', git_ref = { tag = ⟦"next"⟧ }')),
            P("support", "audit/Wasmind.toml", "", meter(', git_ref = { rev = ⟦"main"⟧ }')),
        ),
    ),
    Defect(
        title="misspelled folder of a repository",
        area="9.12",
        code="WM1116",
        instances=(
            P("offline", "app.toml", OFFLINE, planner('sub_dir = ⟦"planer"⟧')),
            P(
                "offline",
                "app.toml",
                OFFLINE,
                planner('sub_dir = ⟦"meter/planner"⟧, git_ref = { tag = "v1" }'),
            ),
            P(
                "compact",
                "app.toml",
                COMPACT,
                f'source = {{ git = "{URL}", sub_dir = ⟦"src/planner"⟧ }}',
            ),
        ),
    ),
)
