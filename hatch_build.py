"""Puts the Python interpreter component into a wheel.

It is the one this machine's cache has for these sources, or built now; see
`wasmind_compiler.build.shipped` for why a release brings it along. An editable install gets none,
because there the sources may change.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PLACE = "wasmind/share/interpreter"


class InterpreterHook(BuildHookInterface[Any]):
    """What hatchling calls before it writes a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the component and say where it goes."""
        if version == "editable":
            return
        root = Path(self.root)
        sys.path[:0] = [str(root), str(root / "compiler")]
        from wasmind.paths import cache_dir
        from wasmind_compiler.build.interpreter import build_interpreter, interpreter_digest
        from wasmind_compiler.build.shipped import pack
        from wasmind_compiler.reporter import Reporter

        sdk, wit = root / "actors" / "sdk", root / "schemas" / "wit"
        component = build_interpreter(cache_dir(), sdk, wit, Reporter())
        packed = pack(component, interpreter_digest(component), root / "build" / "interpreter")
        for file in packed:
            build_data["force_include"][str(file)] = f"{_PLACE}/{file.name}"
