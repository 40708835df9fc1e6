"""The catalogue: one module per area, one constant per rule.

A module is loaded when one of its rules is used, so that a run without findings loads none.
"""

from __future__ import annotations

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING

if not TYPE_CHECKING:  # type checkers see the modules themselves

    def __getattr__(area: str) -> ModuleType:
        spec = find_spec(f"{__name__}.{area}")
        if spec is None or spec.loader is None:
            raise AttributeError(f"there is no area `{area}`")
        spec.loader = LazyLoader(spec.loader)
        module = sys.modules[spec.name] = module_from_spec(spec)
        spec.loader.exec_module(module)
        return globals().setdefault(area, module)
