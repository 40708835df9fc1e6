"""Wasmind: declarative TOML in, running systems of LLM agents out."""

from __future__ import annotations

__version__ = "0.1.0"
