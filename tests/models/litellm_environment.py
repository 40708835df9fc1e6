"""The real LiteLLM proxy, installed once into an environment of its own beside the checkout."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

from filelock import FileLock

#: As pinned by the extra `litellm` in pyproject.toml.
REQUIREMENT = "litellm[proxy]==1.106.12"
_FOLDER = Path(__file__).resolve().parents[2] / ".venv-litellm"


class Unavailable(Exception):
    """It cannot be installed here; says why."""


@cache
def litellm_script() -> Path:
    """The console script, after an installation that takes a minute the first time.

    Raises:
        Unavailable: the package registry cannot be reached.
    """
    with FileLock(f"{_FOLDER}.lock"):
        ready = _FOLDER / ".ready"
        if not (ready.exists() and ready.read_text() == REQUIREMENT):
            subprocess.run([sys.executable, "-m", "venv", "--clear", _FOLDER], check=True)
            pip = [_FOLDER / "bin" / "python", "-m", "pip", "install", "--quiet", REQUIREMENT]
            done = subprocess.run(pip, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise Unavailable(f"{REQUIREMENT} cannot be installed: {done.stderr[-300:]}")
            ready.write_text(REQUIREMENT)
    return _FOLDER / "bin" / "litellm"
