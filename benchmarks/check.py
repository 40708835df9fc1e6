"""`wasmind check` and `lock --check`, beside the `check-jsonschema` tool on the same file.

Every figure is taken in pairs with what it is compared to. F is a bare interpreter with what any
reader of TOML and hashes needs.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import wasmtime

from benchmarks.measuring import FLOOR, ROOT, WASMIND, beside, row, seconds

OTHER = [sys.executable, "-m", "check_jsonschema"]
EXAMPLE = "example_configs/offline_assistant.toml"
COMPONENT = """
(component
  (import "wasmind:actor/logger@0.1.0" (instance))
  (instance $actor)
  (export "wasmind:actor/actor@0.1.0" (instance $actor)))
"""


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        measure_example(Path(folder))
        measure_generated(Path(folder))


def floor() -> float:
    """F of the tables."""
    return seconds(FLOOR)


def measure_example(folder: Path) -> None:
    """The example with Python actors, in a copy of the repository's files that it needs."""
    for part in ("example_configs", "actors"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    cache = {"WASMIND_CACHE_DIR": str(folder / "cache")}

    def run(*command: str) -> float:
        return seconds(command, cwd=folder, environment=cache)

    def check() -> float:
        return run(*WASMIND, "check", EXAMPLE)

    def check_cold() -> float:
        shutil.rmtree(folder / "cache" / "actors")
        return check()

    print("building the interpreter, which is not measured ...", flush=True)
    check()
    row("check, warm", beside(floor, check), "F", "4 F")
    row("check, two Python actors to build", beside(floor, check_cold), "F", "6 F")
    run(*WASMIND, "lock", EXAMPLE)
    lock_check = beside(floor, lambda: run(*WASMIND, "lock", "--check", EXAMPLE))
    row("lock --check, warm", lock_check, "F", "4 F")
    schema = str(ROOT / "schemas" / "app.schema.json")
    other = beside(check, lambda: run(*OTHER, "--schemafile", schema, EXAMPLE))
    ratio = f"{1 / other.ratio:.2f} x"
    print(f"{'check, warm, against check-jsonschema':<46}{ratio:>27}   target 1 x")


def measure_generated(folder: Path) -> None:
    """Systems of many prebuilt actors, each in a folder of its own; nothing of them is cached."""
    cache = {"WASMIND_CACHE_DIR": str(folder / "cache")}

    def check(number: int) -> Callable[[], float]:
        system = folder / f"generated-{number}"
        generate(system, number)
        return lambda: seconds([*WASMIND, "check", "app.toml"], cwd=system, environment=cache)

    row("check of 31 prebuilt actors", beside(floor, check(31)), "F", "6 F")
    thousand = check(1_000)
    row("check of 1,000 prebuilt actors", beside(floor, thousand, 5), "F", "2000 ms")
    many = beside(thousand, check(10_000), 3)
    row("check of 10,000 prebuilt actors", many, "x 1,000", "11 x")


def generate(folder: Path, number: int) -> None:
    """A config whose actors all start, each with settings and a companion."""
    content = bytes(wasmtime.wat2wasm(COMPONENT))
    lines = ["starting_actors = ["]
    lines += [f'  "actor{index}",' for index in range(number)]
    lines += ["]", ""]
    for index in range(number):
        actor = folder / "actors" / f"actor{index}"
        actor.mkdir(parents=True)
        (actor / "Wasmind.toml").write_text(
            f'actor_id = "generated:actor{index}"\nbuild.component = "actor.wasm"\n'
        )
        (actor / "actor.wasm").write_bytes(content)
        lines += [
            f"[actors.actor{index}]",
            f'source = {{ path = "actors/actor{index}" }}',
            f'config = {{ number = {index}, label = "actor number {index}" }}',
            f'required_spawn_with = ["actor{index // 2}"]' if index else "auto_spawn = false",
            "",
        ]
    (folder / "app.toml").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
