"""`wasmind check` and `lock --check`, beside the `check-jsonschema` tool on the same file."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import wasmtime

from benchmarks.measuring import FLOOR, ROOT, WASMIND, row, seconds

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
    floor = seconds(FLOOR, repeat=15)
    row("F: json, tomllib, hashlib", floor, floor)
    with tempfile.TemporaryDirectory() as folder:
        measure_example(Path(folder), floor)
        measure_generated(Path(folder), floor)


def measure_example(folder: Path, floor: float) -> None:
    """The example with Python actors, in a copy of the repository's files that it needs."""
    for part in ("example_configs", "actors"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    cache = {"WASMIND_CACHE_DIR": str(folder / "cache")}
    check = [*WASMIND, "check", EXAMPLE]
    print("building the interpreter, which is not measured ...", flush=True)
    seconds(check, cwd=folder, environment=cache, repeat=1)
    warm = seconds(check, cwd=folder, environment=cache)
    row("check, warm", warm, floor, "4 F")
    cold = float("inf")
    for _ in range(7):
        shutil.rmtree(folder / "cache" / "actors")
        cold = min(cold, seconds(check, cwd=folder, environment=cache, repeat=1))
    row("check, two Python actors to build", cold, floor, "6 F")
    seconds([*WASMIND, "lock", EXAMPLE], cwd=folder, environment=cache, repeat=1)
    lock = seconds([*WASMIND, "lock", "--check", EXAMPLE], cwd=folder, environment=cache)
    row("lock --check, warm", lock, floor, "4 F")
    schema = str(ROOT / "schemas" / "app.schema.json")
    other = seconds([*OTHER, "--schemafile", schema, EXAMPLE], cwd=folder)
    row("check-jsonschema on the config alone", other, floor)
    print(f"{'check, warm, against check-jsonschema':<46}{warm / other:>19.2f} x   target 1 x")


def measure_generated(folder: Path, floor: float) -> None:
    """Systems of many prebuilt actors, each in a folder of its own; nothing of them is cached."""
    targets = {31: "6 F", 1_000: "2000 ms", 10_000: ""}
    taken = {}
    for number, target in targets.items():
        system = folder / f"generated-{number}"
        generate(system, number)
        cache = {"WASMIND_CACHE_DIR": str(folder / "cache")}
        taken[number] = seconds(
            [*WASMIND, "check", "app.toml"], cwd=system, environment=cache, repeat=2
        )
        row(f"check of {number} prebuilt actors", taken[number], floor, target)
    ratio = taken[10_000] / taken[1_000]
    print(f"{'10,000 actors against 1,000':<46}{ratio:>19.1f} x   target 11 x")


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
